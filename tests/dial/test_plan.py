"""A plan is carried out as it says, and a killed run of it ends in the identical network."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.dial.small import KillAfter, KilledError, same

from cutaway.dial.corpora import corpus_named, log_frequencies
from cutaway.dial.plan import Plan, begun, carried_out
from cutaway.dial.pressure import live
from cutaway.training.loop import held_out_loss

SMALL = Plan(width=16, layers=1, pressure="regrowth=1/4", tokens=4 * 8 * 16 + 5, seed=7000, batch=8, context=16)


def test_a_killed_run_ends_in_the_identical_network(tmp_path: Path) -> None:
    whole = carried_out(SMALL)
    with pytest.raises(KilledError):
        carried_out(SMALL, tmp_path, KillAfter(3), every=2)
    resumed = carried_out(SMALL, tmp_path, every=2)
    assert same(resumed.network, whole.network) and resumed.record.losses == whole.record.losses
    assert len(list(tmp_path.glob("step-*"))) == 1


def test_the_record_is_what_happened() -> None:
    found, corpus = carried_out(replace(SMALL, pressure="topk=1/2+activations=1/4")), corpus_named("tiny")
    record = found.record
    assert (len(record.losses), record.tokens) == (4, 4 * 8 * 16)
    assert record.held_out == pytest.approx(held_out_loss(found.network, corpus.held_out, 16, 512))
    assert record.live == live(found.network) and record.executed > record.useful
    assert found.network.shape.keep == 0.25 and record.report["ActivationTopK"] == {"keep": [0.25]}
    assert record.pressures[0].startswith("TopK(share=0.5,") and record.recipe["lr"] == 1e-2
    assert found.windows.shape == (256, 16) and (record.corpus, record.corpus_hash) == ("tiny", corpus.hash)


def test_seeds_train_on_other_programs_and_begin_elsewhere() -> None:
    corpus = corpus_named("tiny")
    one, other = (corpus.stream(500, seed) for seed in (7000, 7001))
    assert not torch.equal(one, other) and not torch.equal(one, corpus.held_out[:500])
    assert not same(begun(SMALL, corpus, one), begun(replace(SMALL, seed=7001), corpus, one))


def test_the_table_of_bigrams_begins_at_log_frequencies() -> None:
    table = log_frequencies(torch.tensor([0, 1, 0, 1, 0, 2]), 3).exp()
    assert torch.allclose(table.sum(1), torch.ones(3))
    assert torch.allclose(table[0], torch.tensor([0.1, 2.1, 1.1]) / 3.3)
    assert torch.allclose(table[2], torch.full((3,), 1 / 3))


@pytest.mark.parametrize("pressure", ["dense", "topk=1/2", "regrowth=1/4", "l1=0.1"])
def test_the_table_of_bigrams_stays_as_it_is_under_every_pressure(pressure: str) -> None:
    found, corpus = carried_out(replace(SMALL, pressure=pressure)), corpus_named("tiny")
    expected = log_frequencies(corpus.stream(SMALL.tokens, SMALL.seed), corpus.vocab)
    assert found.network.bigram is not None and torch.equal(found.network.bigram.weight, expected)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"corpus": "tiyn"}, "no corpus 'tiyn'; did you mean tiny"),
        ({"tokens": 100}, "less than one batch of 8 × 16"),
        ({"pressure": "topk=1/4+regrowth=1/4"}, "both decide which weights live"),
        ({"pressure": "topk=1/64"}, "try least="),
        ({"pressure": "topk=2"}, "share above 0"),
        ({"width": 24}, "multiple of d_head"),
        ({"batch": 0}, "Plan.batch is 0"),
        ({"lr": -1.0}, "Plan.lr is -1.0"),
        ({"kernels": "sparse"}, "Plan.kernels is 'sparse'"),
        ({"distil": 2.0}, "without a teacher"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused_before_it_begins(changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        plan = replace(SMALL, **changes)
        plan.check(corpus_named(plan.corpus))


def test_plans_that_differ_have_names_that_do() -> None:
    plans = [SMALL, *(replace(SMALL, **{name: value}) for name, value in (("seed", 1), ("lr", 0.1), ("width", 32)))]
    names = {plan.name for plan in plans}
    assert len(names) == len(plans) and not {"/", " ", "="} & set("".join(names))
