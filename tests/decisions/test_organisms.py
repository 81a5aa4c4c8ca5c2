"""The two claims on networks whose answer is known: every used part, no other one; and nothing where nothing was learned."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

import submodels.networks  # noqa: F401 (its Transformer may be asked for the last position alone)
from cutaway.decisions import Decision, Trace, trace
from cutaway.organisms.compiled import PROGRAMS, Organism, compile, random_organism, untrained
from cutaway.organisms.opening import open_compiled
from cutaway.training.transformer import Shape

NAMES = [*(f"{program}/1" for program in PROGRAMS), "random/5", "random/11"]
each = pytest.mark.parametrize("name", NAMES)


@cache
def organism(name: str) -> Organism:
    program, _, seed = name.partition("/")
    return random_organism(int(seed)) if program == "random" else compile(program, int(seed))


def decision_of(one: Organism) -> Decision:
    return Decision(list(one.prompts), answer=list(one.answers), instead=list(one.instead))


@cache
def traced(name: str) -> Trace:
    return trace(open_compiled(organism(name)), decision_of(organism(name)), nulls=0, neurons=0)


@each
def test_the_used_parts_are_those_that_the_program_uses(name: str) -> None:
    known, found = organism(name), traced(name)
    assert set(found.used) == known.used
    assert not set(found.used) & (known.decoys | known.noise | known.inert)
    assert len(found.nodes) == len(known.used | known.inert | known.decoys | known.noise)


@each
def test_an_inert_part_has_an_effect_of_exactly_zero(name: str) -> None:
    found = {row["part"]: row for row in traced(name).nodes}
    for part in organism(name).inert:
        row = found[part]
        assert (row["exact"], row["low"], row["high"], row["state"]) == (0.0, 0.0, 0.0, "inert")


@each
def test_the_used_parts_are_enough_and_needed(name: str) -> None:
    enough, needed = traced(name).checks
    assert "enough" in enough.what and "needed" in needed.what
    for check in (enough, needed):
        assert check.share.mean == pytest.approx(1, abs=0.08)
        assert check.share.low <= check.share.mean <= check.share.high
        assert check.control.mean <= check.share.mean + 1e-3


def test_random_sets_of_equal_size_are_less_enough_and_less_needed() -> None:
    checks = [traced(name).checks for name in ("quote/1", "bigram/1", "induction/1", "fact/1")]
    for one in range(2):
        assert sum(pair[one].control.mean for pair in checks) / 4 < 0.6


@each
def test_the_steps_end_at_the_decision(name: str) -> None:
    found = traced(name)
    steps = found.steps.rows()
    assert [row["layer"] for row in steps] == [None, *range(organism(name).network.shape.layers)]
    assert steps[-1]["decision"] == pytest.approx(found.metric.mean, abs=1e-4)
    for before, after in pairwise(steps):
        assert after["change"] == pytest.approx(after["decision"] - before["decision"], abs=1e-5)
    assert {part for row in steps for part in row["used"]} == organism(name).used


@pytest.mark.parametrize("name", ["conditional/1", "fact/1", "majority/1"])
def test_a_used_mlp_is_opened_and_its_neurons_are_within_it(name: str) -> None:
    found = trace(open_compiled(organism(name)), decision_of(organism(name)), nulls=0, neurons=3)
    inside = [row for row in found.nodes if row["within"] is not None]
    mlps = {part for part in found.used if part.startswith("mlp_out")}
    assert mlps
    assert {row["within"] for row in inside} == mlps
    assert all(row["kind"] == "neuron" and row["part"].startswith("mlp_act") for row in inside)
    assert any(row["state"] == "used" for row in inside)
    assert set(found.used) == organism(name).used


@pytest.mark.parametrize("program", ["quote", "conditional"])
def test_the_counterfactual_finds_only_parts_that_the_program_uses(program: str) -> None:
    one = compile(program, 2)
    asked = Decision(list(one.prompts), list(one.answers), list(one.instead), counterfactual=list(one.counterfactuals))
    found = trace(open_compiled(one), asked, nulls=0, neurons=0)
    assert found.baseline == "values on the counterfactual"
    assert found.used
    assert set(found.used) <= one.used


@pytest.mark.parametrize("program", ["quote", "bigram"])
def test_an_inert_part_is_never_selective(program: str) -> None:
    one = compile(program, 0)
    rows = {row["part"]: row for row in trace(open_compiled(one), decision_of(one), neurons=0, nulls=20).nodes}
    assert not any(rows[part]["selective"] for part in one.inert)
    tested = [row for row in rows.values() if row["p"] is not None]
    assert {row["part"] for row in tested} >= one.used
    assert all(0 < row["p"] <= row["q"] <= 1 for row in tested)


def test_untrained_networks_have_used_parts_but_hardly_any_selective_ones() -> None:
    found = []
    for seed in range(8):
        one = untrained(seed, Shape(vocab=20, context=8, width=12, layers=2, heads=2, d_head=4, hidden=8))
        asked = Decision(list(one.prompts[:6]), list(one.answers[:6]), list(one.instead[:6]))
        found.append(trace(open_compiled(one), asked, neurons=0, nulls=20))
    assert any(one.used for one in found)
    assert sum(1 for one in found if one.selective) <= 1
