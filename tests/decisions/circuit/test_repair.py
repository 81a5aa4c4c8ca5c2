"""A circuit that fails its checks: what is missing is added, nothing else, and what cannot be mended is said."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from tests.decisions.circuit.small import cutter, of_organism

from cutaway.decisions.circuit.circuit import circuit
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.find import Found, fewest, fewest_of
from cutaway.decisions.circuit.repair import Repair
from cutaway.decisions.circuit.share import shares
from cutaway.organisms.compiled import compile, compile_variant, truth


@cache
def given() -> tuple[Cutter, list[int]]:
    """A program's edges, and which of them are true."""
    organism = compile("conditional", seed=7003)
    whole = of_organism(organism)
    return whole, sorted(whole.graph.numbers[name] for name in truth(organism).edges)


def repair_of(whole: Cutter, found: Found, share: float = 0.01) -> Repair:
    """A repair that stops at a share of what cutting everything changes."""
    floor = share * float(whole.effects(torch.ones(1, len(whole.graph))).mean().abs())
    return Repair(whole, found, shares(whole, 2).absolute, floor, 2 * floor)


def everything_but(whole: Cutter, named: list[int]) -> torch.Tensor:
    return 1 - whole.cuts([named])[0]


def test_whichever_true_edge_is_left_out_is_the_one_that_is_added():
    whole, true = given()
    for left_out in true:
        found = Found(edges=[edge for edge in true if edge != left_out])
        assert repair_of(whole, found)([everything_but(whole, found.named)])
        assert found.named == true, whole.graph.name(left_out)
        assert found.repaired == [left_out]


def test_several_edges_left_out_are_all_added_and_none_beside_them():
    whole, true = given()
    found = Found(edges=true[::2])
    assert repair_of(whole, found)([everything_but(whole, found.named)])
    assert found.named == true


def test_strengths_between_whole_and_cut_are_repaired_too():
    whole, true = given()
    found = Found(edges=true[1:])
    assert repair_of(whole, found)([0.7 * everything_but(whole, found.named)])
    assert found.repaired == true[:1]


def test_a_circuit_that_holds_gets_nothing_added():
    whole, true = given()
    found = Found(edges=list(true))
    assert not repair_of(whole, found)([everything_but(whole, true)])
    assert found.named == true and not found.repaired


def test_of_two_redundant_edges_one_is_enough_and_is_said_to_matter_together_only():
    organism = compile_variant("pointer", 7003, "redundant")
    whole, known = of_organism(organism), truth(organism)
    alone = sorted(whole.graph.numbers[name] for name in known.edges)
    found = Found(edges=alone)
    assert repair_of(whole, found)([everything_but(whole, alone)])
    assert found.added and not set(found.added) & set(alone)
    parts = {part for group in organism.groups for part in group.parts}
    assert all(any(part in whole.graph.name(edge) for part in parts) for edge in found.added)


def test_the_circuit_says_that_a_check_failed_and_holds_after_the_repair(monkeypatch: pytest.MonkeyPatch):
    whole, true = given()
    monkeypatch.setattr("cutaway.decisions.circuit.circuit.find", lambda *_: Found(edges=true[1:]))
    found = circuit(whole, strata=2, steps=(0,))
    assert found.explained
    assert {whole.graph.numbers[name] for name in found.names} == set(true)
    assert any("a check failed: 1 edges were added" in note for note in found.notes)


def test_what_cannot_be_mended_where_it_was_chosen_is_not_explained(monkeypatch: pytest.MonkeyPatch):
    whole, true = given()
    monkeypatch.setattr("cutaway.decisions.circuit.circuit.find", lambda *_: Found(edges=true[1:]))
    monkeypatch.setattr(Repair, "_moved", lambda *_: 0.0)
    assert circuit(whole, strata=2, steps=()).verdict.startswith("not explained: sufficient")


def test_an_untrained_network_is_grown_until_it_holds_and_no_further_than_it_takes():
    whole = cutter(rows=8)
    found = Found()
    repair = repair_of(whole, found, share=0.2)
    assert repair([everything_but(whole, [])])
    left = float(whole.effects(everything_but(whole, found.named)[None]).abs().mean())
    assert 0 < left <= repair.limit / 2
    assert 0 < len(found.named) < len(whole.graph)


@pytest.mark.parametrize("smallest", [1, 2, 3, 7, 8, 20])
def test_the_fewest_that_are_enough_are_found_by_halving(smallest: int):
    assert fewest(20, lambda count: count >= smallest) == smallest
    assert fewest(20, lambda count: False) == 20


def test_the_fewest_parts_are_those_that_are_needed():
    needed = {"b", "e"}
    assert fewest_of("abcdef", lambda parts: needed <= set(parts)) == ["b", "e"]
    assert fewest_of("ab", lambda parts: "a" in parts or "b" in parts) == ["a"]
