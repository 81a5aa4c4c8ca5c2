"""Whole circuits: known programs, checks that fail when they should, decisions with nothing in them."""

import pytest
import torch
from tests.decisions.circuit.small import cutter, of_organism

from cutaway import trace
from cutaway.decisions.circuit.circuit import circuit, edge_name
from cutaway.decisions.circuit.find import Found
from cutaway.organisms.compiled import compile


def true_edges(given) -> set[str]:
    exact = given.effects(torch.eye(len(given.graph))).mean(1).abs()
    total = float(given.effects(torch.ones(1, len(given.graph))).mean().abs())
    return {given.graph.name(edge) for edge in (exact > 0.01 * total).nonzero()[:, 0].tolist()}


def found_in(given, **more):
    return circuit(given, **more)


@pytest.mark.parametrize("program", ["induction", "brackets", "pointer", "fact"])
def test_the_circuit_of_a_compiled_program_is_named_exactly_and_explained(program):
    given = of_organism(compile(program, seed=3))
    found = found_in(given)
    assert found.names == true_edges(given)
    assert found.explained and all(check.holds for check in found.checks)
    assert sum(found.power["passed"]) == 0


def test_telescoping_sums_to_what_cutting_the_named_edges_changes_and_every_layer_to_a_whole():
    given = of_organism(compile("conditional", seed=3))
    found = found_in(given)
    needed = next(check for check in found.checks if check.what.startswith("necessary"))
    assert sum(found.edges["telescoping"]) == pytest.approx(needed.moved.mean * found.total.mean, rel=1e-4)
    assert all(row["named"] + row["unexplained"] == pytest.approx(1) for row in found.layers)


def test_the_knockouts_in_the_table_are_of_examples_that_did_not_choose_the_edges():
    given = of_organism(compile("induction", seed=3))
    assert {row["n"] for row in found_in(given).edges} == {given.posed.batch.rows // 2}


def test_checks_fail_when_any_true_edge_is_left_out(monkeypatch):
    given = of_organism(compile("conditional", seed=3))
    names = sorted(true_edges(given))
    monkeypatch.setattr("cutaway.decisions.circuit.circuit.REPAIRS", 0)
    for left_out in names:
        named = Found(edges=[given.graph.numbers[name] for name in names if name != left_out])
        monkeypatch.setattr("cutaway.decisions.circuit.circuit.find", lambda *_, named=named: named)
        assert not found_in(given, strata=1, steps=()).explained, left_out


def test_a_trace_asks_the_adversary_at_every_step_of_the_curve_up_to_its_own():
    given = of_organism(compile("pointer", seed=7003, inert=0, decoys=0, noise=0))
    found = trace(given.net, given.posed.decision, edges=True, adversary=80, nulls=0, neurons=0)
    asked = [check.what for check in found.circuit.checks if "adversary" in check.what]
    assert asked == [f"sufficient: adversary, {steps} steps" for steps in (0, 20, 80)]


def test_a_decision_that_nothing_changes_has_nothing_to_explain():
    given = cutter(rows=8)
    with torch.no_grad():
        given.net.module.unembed.weight.zero_()
    found = found_in(given)
    assert found.verdict == "nothing to explain" and not len(found.edges)


@pytest.mark.parametrize("times", [1e-5, 1e5])
def test_the_circuit_does_not_depend_on_the_size_of_the_logits(times):
    organism = compile("induction", seed=3)
    expected = found_in(of_organism(organism), steps=()).names
    with torch.no_grad():
        organism.network.unembed.weight.mul_(times)
    assert found_in(of_organism(organism), steps=()).names == expected


def test_one_prompt_without_other_stand_ins_claims_nothing():
    given = cutter(rows=1)
    found = found_in(given, steps=())
    assert {row["state"] for row in found.edges} <= {"undecided", "used together"}
    assert any("undecided" in note for note in found.notes)
    assert not found.explained and not found.verdict.startswith("explained")


def test_an_edge_is_named_by_its_ends_and_the_way_in():
    assert edge_name({"from": "embed", "to": "z.1[head=0]", "through": "k"}) == "embed → z.1[head=0]/k"
    assert edge_name({"from": "mlp_out.1", "to": "output", "through": "out"}) == "mlp_out.1 → output"
