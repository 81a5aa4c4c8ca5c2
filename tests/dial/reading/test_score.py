"""Scores: what knows all foretells all, what knows nothing nothing; what stands beside is no larger than allowed."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from tests.dial.reading.circuits import TEXTS, circuit, planted

from cutaway.dial.reading import Fit, collected, rule_text, score
from cutaway.dial.reading.beside import distilled, of_ngram
from cutaway.dial.reading.score import Share, answered, network_margins, scored
from cutaway.dial.tasks import Examples, Pair
from cutaway.dial.tasks.task import padded


def presence(count: int, seed: int) -> Examples:
    """Answer 8 where token 3 is there, 9 where it is not; partners differ in that."""
    rng, pairs = Random(seed), []
    for _ in range(count // 2):
        row = [rng.choice((4, 5, 6)) for _ in range(6)]
        other = list(row)
        other[rng.randrange(6)] = 3
        pairs.append(Pair((tuple(row), tuple(other)), (9, 8)))
    return padded(pairs, 0)


def test_wilsons_interval_is_as_published() -> None:
    assert Share(8, 10).interval == (pytest.approx(0.490, abs=1e-3), pytest.approx(0.943, abs=1e-3))
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(10, 10).interval[1] == pytest.approx(1.0)


def test_who_knows_the_network_foretells_all_its_errors_and_who_says_one_thing_none() -> None:
    own = np.random.default_rng(0).normal(1.0, 1.0, size=2000)
    assert scored("itself", own, own).agreement.share == 1
    assert scored("itself", own, own).foretold.share == 1
    assert scored("constant", np.ones(2000), own).foretold.hits == 0
    blind = scored("noise", np.random.default_rng(1).normal(size=2000), own)
    assert blind.foretold.share == pytest.approx(0.05, abs=0.04)
    assert all(each.alarms.share <= 0.05 for each in (scored("itself", own, own), blind))


def test_the_tree_finds_what_the_answer_depends_on_and_keeps_to_its_bits() -> None:
    known, fresh = presence(200, 0), presence(100, 1)
    found = distilled(known, known.answer.tolist(), 60.0)
    assert (found.says(fresh) > 0).all()
    for bits in (5.0, 20.0, 40.0):
        assert distilled(known, known.answer.tolist(), bits).bits <= bits
    small = distilled(known, known.answer.tolist(), 5.0)
    assert 0.4 <= (small.says(fresh) > 0).mean() <= 0.6


def test_an_ngram_repeats_the_answer_after_the_longest_end_that_it_knows() -> None:
    pairs = [Pair(((1, 2), (3, 2)), (8, 9)), Pair(((4, 2), (5, 2)), (8, 9))]
    known = padded(pairs, 0)
    says = of_ngram(known, [8, 9, 8, 9])
    assert (says(known) > 0).all()
    assert says(padded([Pair(((1, 2), (1, 6)), (8, 9))], 0)).tolist() == [pytest.approx(np.log(3)), -1e-9]


def test_a_card_puts_the_rule_text_beside_the_others_on_the_same_prompts() -> None:
    each = planted("marked")
    rule = rule_text(circuit("marked"), each.network, each.task, TEXTS, Fit(examples=128))
    fresh = each.task.examples(128, "test", 3)
    card = score(rule, each.network, each.task, fresh, training=256)
    assert [row.name for row in card.rows] == ["rule text", "program", "n-gram", "distilled"]
    assert card.row("rule text").agreement.share == card.row("program").agreement.share == 1
    assert card.row("n-gram").agreement.share < 0.9
    assert card.row("distilled").bits is not None and card.row("distilled").bits <= rule.bits
    with pytest.raises(ValueError, match="of the training split"):
        score(rule, each.network, each.task, each.task.examples(8, "train", 0), training=8)


def test_errors_are_collected_until_there_are_enough_or_no_more_may_be_drawn() -> None:
    task, network = planted("marked").task, planted("marked").network
    assert len(collected(network, task, errors=1, most=1000)) == 1000
    wrong = replace(task, sample=lambda rng: _swapped(task.sample(rng)))
    found = collected(network, wrong, errors=100)
    assert len(found) == 1000
    assert (network_margins(network, found) < 0).all()
    assert answered(network, found) == found.other.tolist()


def _swapped(pair: Pair) -> Pair:
    return Pair(pair.prompts, (pair.answers[1], pair.answers[0]))


def test_margins_are_those_of_the_logits() -> None:
    network, examples = planted("marked").network, planted("marked").task.examples(8, "test", 3)
    logits = network(examples.prompts)[torch.arange(8), examples.last]
    rows = torch.arange(8)
    expected = logits[rows, examples.answer] - logits[rows, examples.other]
    np.testing.assert_allclose(network_margins(network, examples), expected.numpy(), rtol=1e-4, atol=1e-4)
