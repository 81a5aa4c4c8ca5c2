"""Shifted prompts: the errors counted are the network's, no prompt comes twice; and what a rule's circuit is searched for."""

import numpy as np
import pytest
import torch

from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.reading.asked import AsAnswered, surer
from cutaway.dial.reading.score import network_margins
from cutaway.dial.reading.shifts import EACH, erring, shifts
from cutaway.dial.tasks import task_named
from cutaway.dial.tiny_python import TinyPython
from cutaway.dial.transformer import SparseShape, SparseTransformer

TASK = task_named("for_while")
UNTRAINED = SparseTransformer(SparseShape(122, 64, 16), 7001).eval().requires_grad_(False)
if UNTRAINED.bigram is not None:
    UNTRAINED.bigram.weight.normal_(std=0.1, generator=torch.Generator().manual_seed(7001))


def test_the_errors_that_are_counted_are_the_networks_and_no_prompt_comes_twice() -> None:
    found = erring(UNTRAINED, TASK, errors=100, most=200, seed=7001)
    assert set(found.by_shift) == set(shifts(TASK))
    assert sum(drawn for drawn, _ in found.by_shift.values()) == len(found.examples) <= len(found.by_shift) * EACH
    assert found.errors == (network_margins(UNTRAINED, found.examples) <= 0).sum() >= 100
    rows = found.examples.rows()
    assert len({tuple(row) for row in rows}) == len(rows)
    assert {TASK.split(row) for row in rows} == {"test"}
    assert [TASK.rule(row) for row in rows] == found.examples.answer.tolist()


def test_each_shift_differs_from_the_prompts_of_training_in_what_its_name_says() -> None:
    draws = shifts(TASK)
    comment = TinyPython().vocabulary().index("# ")
    share = {name: np.mean([comment in row for row in draws[name](40, "test", 1).rows()]) for name in draws}
    assert share["apostrophes in comments"] > max(0.5, 2 * share["long context"])
    deep = task_named("line_end")
    plain = deep.examples(40, "test", 1).last.double().mean()
    assert shifts(deep)["deeper nesting"](40, "test", 1).last.double().mean() > plain


def test_a_surer_network_gives_the_same_answers_with_larger_margins_and_has_the_same_nodes() -> None:
    sure, examples = surer(UNTRAINED, 4.0), TASK.examples(20, "test", 0)
    np.testing.assert_allclose(network_margins(sure, examples), 4 * network_margins(UNTRAINED, examples), rtol=1e-3)
    windows = TinyPython().stream(64 * 4, 7001).view(4, 64)
    assert nodes_of(sure, windows).means.equal(nodes_of(UNTRAINED, windows).means)
    with pytest.raises(ValueError, match="more than 0"):
        surer(UNTRAINED, 0.0)


def test_a_task_as_answered_has_the_networks_answers_its_errors_among_them() -> None:
    found, right = AsAnswered(TASK, UNTRAINED).examples(40, "test", 0), TASK.examples(40, "test", 0)
    assert (network_margins(UNTRAINED, found) > 0).all()
    assert found.rows() == right.rows() and 0 < (found.answer != right.answer).sum() < 40
