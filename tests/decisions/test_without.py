"""The rerun: the answer, the probabilities and the continuation without a part."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import nn

from cutaway.decisions import Decision, without
from cutaway.network import AddressError, Network, generate, logits_of, wrap
from cutaway.organisms.compiled import Organism, compile
from cutaway.organisms.opening import open_compiled
from cutaway.submodels import SubModel
from submodels.networks import PROMPTS, TEXTS, Layers, Spaced, drawn, opened, seeded, small, transformer

DECISION = Decision(PROMPTS, answer=" mat", instead=" rug")


@cache
def case(program: str) -> tuple[Organism, Network]:
    one = compile(program, 0)
    return one, open_compiled(one)


def decision_of(one: Organism, rows: slice = slice(0, 4)) -> Decision:
    return Decision(list(one.prompts[rows]), list(one.answers[rows]), list(one.instead[rows]))


@pytest.mark.parametrize("program", ["quote", "bigram", "fact"])
def test_a_used_part_changes_the_answer_and_an_inert_one_changes_nothing(program: str) -> None:
    one, net = case(program)
    gone = without(net, decision_of(one), sorted(one.used))
    kept = without(net, decision_of(one), sorted(one.inert))
    assert abs(gone.effect.mean) > 1
    assert gone.after.mean == pytest.approx(gone.before.mean + gone.effect.mean, abs=1e-4)
    assert gone.answer[0] == one.vocabulary[one.answers[0]]
    assert kept.effect.mean == 0 and not kept.changed
    assert kept.before.mean == kept.after.mean
    for row in kept.probabilities:
        assert row["before"] == pytest.approx(row["after"], abs=1e-7)


def chatty() -> Network:
    """A network in which head 0 of block 0 is dead and every other part writes."""
    module = transformer(2, context=40)
    nn.init.zeros_(module.blocks[0].attn.out.weight[:, :4])
    return wrap(module, Spaced(), TEXTS)


def test_the_continuation_changes_without_a_used_part_and_not_without_an_inert_one() -> None:
    net = chatty()
    gone, kept = (without(net, DECISION, part, tokens=8) for part in ("mlp_out.1", "z.0[head=0]"))
    assert gone.continuations[0] == kept.continuations[0] == generate(net, PROMPTS[0], 8)
    assert gone.continuations[1] != gone.continuations[0]
    assert kept.continuations[1] == kept.continuations[0]
    assert len(net.feed.tokenizer.encode(gone.continuations[0])) > 8
    assert without(net, DECISION, "mlp_out.1", tokens=0).continuations == ("", "")


def test_every_edit_has_a_receipt_that_fired() -> None:
    found = without(small(), DECISION, ["z.0[head=1]", SubModel("more", ("mlp_out.1", "z.1[head=0]"))])
    assert [str(receipt.site) for receipt in found.receipts] == ["z.0[head=1]", "mlp_out.1", "z.1[head=0]"]
    assert all(receipt.fired == 1 and receipt.moved > 0 for receipt in found.receipts)
    assert "z.0[head=1]: fired 1×" in str(found)


@pytest.mark.parametrize("baseline", ["resample", "zero", "mean"])
def test_probabilities_are_shares_of_one(baseline: str) -> None:
    net = small()
    found = without(net, DECISION, "mlp_out.1", baseline=baseline)  # type: ignore[arg-type]
    table = found.probabilities
    p = torch.softmax(logits_of(net(PROMPTS))[0, -1], -1)
    assert 0 < sum(table["before"]) <= 1 + 1e-6 and 0 < sum(table["after"]) <= 1 + 1e-6
    for row in table:
        assert row["before"] == pytest.approx(float(p[Spaced.vocabulary.index(row["output"])]), abs=1e-6)
    assert max(table["before"]) == pytest.approx(float(p.max()), abs=1e-6)
    changes = [abs(row["after"] - row["before"]) for row in table]
    assert changes == sorted(changes, reverse=True)


def test_a_module_before_one_that_writes_in_place_can_be_taken_away() -> None:
    net, given = opened("CNN")
    found = without(net, Decision(given, answer=1, instead=2), "path.a:out")
    assert {row["output"] for row in found.probabilities} <= set("01234")


def test_probabilities_of_a_classifier_sum_to_one() -> None:
    small_ = wrap(seeded(Layers), reference=drawn(9, 6, seed=1))
    every = without(small_, Decision(drawn(2, 6), answer=0, instead=1), "path.a:out").probabilities
    assert len(every) == 4
    assert sum(every["before"]) == pytest.approx(1, abs=1e-5)
    assert sum(every["after"]) == pytest.approx(1, abs=1e-5)


def test_no_submodels_at_all_change_nothing() -> None:
    found = without(small(), DECISION, [])
    assert (found.effect.mean, found.effect.low, found.effect.high) == (0.0, 0.0, 0.0)
    assert found.before.mean == found.after.mean
    assert not found.changed
    assert found.continuations[0] == found.continuations[1] != ""
    assert found.receipts == ()
    assert all(row["before"] == pytest.approx(row["after"], abs=1e-6) for row in found.probabilities)


def test_the_counterfactual_is_the_stand_in_where_there_is_one() -> None:
    net = small()
    other = ["the dog sat on the", "the rug sat on the"]
    asked = Decision(PROMPTS, " mat", " rug", counterfactual=other)
    found = without(net, asked, "resid_post.1")
    swapped = Decision(other, " mat", " rug").pose(net)
    assert found.baseline == "counterfactual"
    assert found.after.mean == pytest.approx(float(swapped.metric(net(other), torch.arange(2)).mean()), abs=1e-4)


def test_without_a_reference_parts_are_zero_and_the_rerun_says_so() -> None:
    found = without(wrap(transformer(), Spaced()), DECISION, "mlp_out.1")
    assert found.baseline == "zero"
    assert "stand-in: zero" in str(found)
    assert found.continuations[0]


def test_a_regressor_has_no_probabilities() -> None:
    net = wrap(seeded(lambda: Layers(outputs=1)), reference=drawn(9, 6, seed=1))
    found = without(net, Decision(drawn(3, 6)), "path.a:out")
    assert len(found.probabilities) == 0
    assert found.effect.mean != 0
    assert not found.changed
    assert "most probable" not in str(found)


def test_an_unknown_part_is_an_error_with_near_names() -> None:
    with pytest.raises(AddressError, match=r"near names: .*mlp_out\.0"):
        without(small(), DECISION, "mlp_outt.0")


def test_the_effect_is_that_of_a_trace() -> None:
    from cutaway.decisions import trace

    net = small()
    rows = {row["part"]: row for row in trace(net, DECISION, nulls=0, baseline="mean").nodes}
    for part in ("z.0[head=1]", "mlp_out.1"):
        assert without(net, DECISION, part, baseline="mean").effect.mean == pytest.approx(rows[part]["exact"], abs=1e-5)


def test_each_draw_is_run_once() -> None:
    calls: list[int] = []

    class Counting(Layers):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            calls.append(len(x))
            return super().forward(x)

    net = wrap(seeded(Counting), reference=drawn(40, 6, seed=1))
    asked = Decision(drawn(3, 6), answer=0, instead=1)
    few, many = [], []
    for draws, counted in ((4, few), (9, many)):
        calls.clear()
        without(net, asked, "path.a:out", draws=draws)
        counted += [rows for rows in calls if rows == 3]
    assert len(many) - len(few) == 5
