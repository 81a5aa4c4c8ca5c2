"""Laws of transplanting, of pairing parts, and of comparing two shares."""

from __future__ import annotations

import pytest
import torch
from tests.concepts.diff.pairs import network
from tests.concepts.liars import asked

from cutaway.concepts.diff.behaviour import Behaviour
from cutaway.concepts.diff.counterparts import counterparts, paired
from cutaway.concepts.diff.transplant import Parts, Way
from cutaway.concepts.diff.weights import relative

PROMPTS = [row["prompt"] for row in asked("harmful").decisions["train"]]


def way() -> Way:
    return counterparts(*(Parts.there(network(one), ("heads", "neurons")) for one in ("harmful", "harmless")), PROMPTS)


def test_transplanting_nothing_changes_nothing():
    grafts = way().on(PROMPTS)
    answers = grafts.clean
    assert torch.equal(grafts.odds([()], answers), grafts.odds([(), ()], answers)[:1])
    assert torch.equal(grafts.said([()])[0], answers)


def test_with_every_head_and_neuron_a_twin_is_the_other():
    """Twins have the same embedding, norms and unembedding: all that is left is what heads and neurons write."""
    there = way()
    ours, theirs = there.on(PROMPTS), there.turned.on(PROMPTS)
    wanted = theirs.clean
    every = ours.odds([list(there.places)], wanted)
    assert torch.allclose(every, theirs.odds([()], wanted), atol=1e-3)
    assert not torch.allclose(every, ours.odds([()], wanted), atol=1.0)


def test_transplanting_in_parts_is_transplanting_at_once():
    there = way()
    names = [name for name in there.places if name.startswith(("z.1", "mlp_act.1[neuron=5"))]
    grafts = there.on(PROMPTS)
    both = [list(reversed(names)), names]
    assert torch.allclose(*grafts.odds(both, grafts.clean), atol=1e-4)


def test_a_whole_mlp_is_put_there_as_it_is():
    mlps, parts = ((kinds,) for kinds in ("mlps", "neurons"))
    found = []
    for kinds in (mlps, parts):
        there = counterparts(*(Parts.there(network(one), kinds) for one in ("harmful", "harmless")), PROMPTS)
        grafts = there.on(PROMPTS)
        found.append(grafts.odds([[name for name in there.places if ".1" in name.partition("[")[0]]], grafts.clean))
    assert torch.allclose(*found, atol=1e-3)


def test_parts_in_another_order_are_paired_and_parts_that_drifted_stay():
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    alike = torch.eye(9)[order] + 0.1 * torch.rand(9, 9, generator=torch.Generator().manual_seed(2))
    assert paired(alike) == order.tolist()
    assert paired(torch.full((9, 9), 0.3)) == list(range(9))
    drifted = 0.4 * torch.eye(9) + 0.45 * torch.eye(9)[order] * (torch.arange(9) > 3)[:, None]
    assert paired(drifted) == list(range(9))


def shares(only_a: int, only_b: int, both: int, neither: int) -> Behaviour:
    a = torch.tensor([True] * only_a + [False] * only_b + [True] * both + [False] * neither)
    b = torch.tensor([False] * only_a + [True] * only_b + [True] * both + [False] * neither)
    return Behaviour.of("prompts", a, b)


def test_a_comparison_of_two_shares_is_the_same_the_other_way_round():
    one, other = shares(9, 2, 20, 5), shares(2, 9, 20, 5)
    assert (one.difference, one.low, one.high, one.p) == (-other.difference, -other.high, -other.low, other.p)
    assert (one.a, one.b) == (other.b, other.a)


def test_the_interval_and_p_are_those_of_the_sources():
    # McNemar: 9 of 11 by a fair coin, both tails. Agresti and Min: half a decision added to each of the four cells.
    one = shares(9, 2, 20, 5)
    assert one.p == pytest.approx(2 * (55 + 11 + 1) / 2**11)
    middle, cells = (9.5 - 2.5) / 38, 9.5 + 2.5
    assert (one.low + one.high) / 2 == pytest.approx(middle)
    assert (one.high - one.low) / 2 == pytest.approx(1.959964 * (cells - 38 * middle**2) ** 0.5 / 38)


def test_no_decision_answered_otherwise_is_no_evidence():
    assert shares(0, 0, 30, 10).p == 1 and shares(0, 0, 30, 10).low < 0 < shares(0, 0, 30, 10).high


def test_a_relative_difference_is_the_same_both_ways_and_none_of_what_is_the_same():
    one, two = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(3))
    assert relative(one, two) == relative(two, one) > 0 == relative(one, one)
    assert relative(one, -one) == pytest.approx(2.0) and relative(torch.zeros(3), torch.zeros(3)) == 0
