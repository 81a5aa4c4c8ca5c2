"""One decision at a time: what is told of circuits of which it is known what caused each answer."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch

import cutaway as cw
from cutaway.concepts.match.each import ACTIVE, STATES, Lead, decided, each_decision
from cutaway.concepts.match.shown import shown
from cutaway.decisions.decision import DecisionError
from cutaway.network import Network
from cutaway.organisms.gates import Circuit, GateNetwork, Known, decisions, gate_network, namings, opened
from cutaway.organisms.gates.network import DUPLICATE, WATCHERS

SEED, COUNT = 7000, 16


@cache
def gates() -> GateNetwork:
    return gate_network(SEED)


@cache
def net() -> Network:
    return opened(gates())


def circuit(kind: str) -> Circuit:
    return next(one for one in gates().circuits if one.kind == kind)


@cache
def asked(kind: str, *named: str) -> list[Known]:
    """Decisions of one circuit, about all its inputs if no parts are named."""
    return decisions(gates(), circuit(kind), named or circuit(kind).inputs, COUNT, seed=1)


def told(known: list[Known], usual: float | None = None):
    """What is told of these decisions, all about the same parts."""
    return decided(net(), [[gates().places[part]] for part in known[0].named], [one.row for one in known], usual)


@cache
def usual(kind: str) -> float:
    """How hard the inputs of a circuit push where they are used."""
    return max(one.push for one in told(asked(kind)) if one.state in ("used", "overdetermined"))


def of(kind: str, situation: str, *named: str):
    """What is told of all inputs, or of these parts, where the situation is this one; there is such a decision."""
    known = [replace(one, named=named or one.named) for one in asked(kind) if one.situation == situation]
    assert known, sorted({one.situation for one in asked(kind)})
    return told(known, usual(kind))


# what is known is told -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["one", "both", "either", "sum", "most", "backup", "weak"])
def test_what_is_so_of_each_input_is_told(kind: str):
    known = asked(kind)
    assert [one.sets for one in told(known)] == [one.states for one in known]


@pytest.mark.parametrize("kind", ["either", "backup"])
def test_it_is_told_too_of_inputs_named_alone_and_of_parts_that_are_none(kind: str):
    for about, named in namings(gates()):
        if about.kind == kind and named != about.inputs:
            known = asked(kind, *named)[:8]  # the rival at each of its levels, twice
            assert [one.sets for one in told(known, usual(kind))] == [one.states for one in known], named


def test_all_states_are_known_somewhere():
    found = {state for one in gates().circuits for known in asked(one.kind) for state in known.states}
    assert found == set(STATES)


def test_of_a_backup_the_first_is_used_and_the_backup_is_idle_though_both_must_go():
    first, second = circuit("backup").inputs
    for level in ("calm", "breeze"):
        for one in of("backup", f"backup: {first}; {level}"):
            assert one.sets == ("used", "idle")
            assert one.groups in (((0, 1),), ((0,),))  # without the backup's switch nothing waits
        for one in of("backup", f"backup: {second}; {level}"):
            assert one.sets == ("idle", "used") and one.groups == ((1,),)
    assert any(one.groups == ((0, 1),) for one in told(asked("backup")) if one.state == "used")


def test_of_two_that_are_enough_alone_the_group_is_named():
    a, b = circuit("either").inputs
    (one, *_) = of("either", f"either: {a}, {b}; calm")
    assert one.state == "overdetermined" and one.groups == ((0, 1),)
    assert "goes without 1+2" in str(one)


def test_of_two_that_are_needed_each_is_a_group():
    a, b = circuit("both").inputs
    (one, *_) = of("both", f"both: {a}, {b}; calm")
    assert one.sets == ("used", "used") and one.groups == ((0,), (1,))


def test_of_a_majority_of_three_any_two_are_a_group():
    (one, *_) = of("most", f"most: {', '.join(circuit('most').inputs)}; calm")
    assert one.sets == ("overdetermined",) * 3 and one.groups == ((0, 1), (0, 2), (1, 2))


def test_one_of_two_that_are_enough_is_overdetermined_though_the_other_is_not_named():
    a, b = circuit("either").inputs
    (one, *_) = of("either", f"either: {a}, {b}; calm", a)
    assert one.state == "overdetermined" and one.groups == ()


def test_what_pushes_where_the_answer_goes_and_is_not_needed_is_not_idle():
    weak, strong = circuit("weak").inputs
    (one, *_) = of("weak", f"weak: {weak}, {strong}; calm", weak)
    assert one.state == "active but not needed" and one.push > ACTIVE * usual("weak") > 0


# what may not matter does not -----------------------------------------------------------------------------------------


def test_the_order_of_the_sets_does_not_matter():
    known = asked("backup")
    parts = [[gates().places[part]] for part in known[0].named]
    rows = [one.row for one in known]
    turned = decided(net(), parts[::-1], rows)
    assert [one.sets[::-1] for one in turned] == [one.sets for one in decided(net(), parts, rows)]


def test_a_duplicate_that_nobody_reads_is_idle_and_changes_nothing_beside_others():
    known = asked("one")
    alone = told(known)
    beside = told(asked("one", *circuit("one").inputs, DUPLICATE), usual("one"))
    assert {one.sets[1] for one in beside} == {"idle"} and len(alone) == len(beside)
    parts, rows = [[gates().places[part]] for part in (known[0].named[0], DUPLICATE)], [one.row for one in known]
    again = decided(net(), parts, rows)
    assert [one.state for one in again] == [one.state for one in alone] == each_decision(net(), parts[:1], rows)


def test_a_set_of_both_inputs_is_used_where_the_two_apart_are_overdetermined():
    known = asked("either")
    together = [gates().places[part] for part in known[0].named]
    apart = told(known)
    for one, joined in zip(apart, decided(net(), [together], [each.row for each in known])):
        assert joined.state == ("used" if one.state == "overdetermined" else one.state)


def test_a_partner_that_is_answered_alike_is_said():
    weak, strong = circuit("weak").inputs
    on = next(one for one in asked("weak") if one.situation == f"weak: {', '.join(circuit('weak').inputs)}; calm")
    switch = gates().vocabulary[2 * WATCHERS.index(weak)].removesuffix("-on")
    partner = on.row["prompt"].replace(f"{switch}-on", f"{switch}-off")
    (one,) = decided(net(), [[gates().places[strong]]], [{**on.row, "reference": partner}], usual=8.0)
    assert one.partner > 0 and one.state == "idle" and "the partner is answered alike" in str(one)


# what cannot be told is refused ---------------------------------------------------------------------------------------


def test_where_it_is_never_used_nothing_says_what_is_usual():
    known = [one for one in asked("one") if one.state == "idle"]
    with pytest.raises(ValueError, match=r"in none of the \d+ decisions given is it used"):
        told(known)
    assert {one.state for one in told(known, usual=8.0)} == {"idle"}


def test_of_no_decisions_nothing_is_told():
    assert decided(net(), [["z.0[head=0]"]], []) == []


@pytest.mark.parametrize(
    ("sets", "given", "said"),
    [
        ([], None, "given 0 sets .* expected 1 to 4"),
        ([["z.0[head=0]"], []], None, "of 1, 0 parts"),
        ([[f"z.0[head={head}]"] for head in range(5)], None, "given 5 sets"),
        ([["z.0[head=0]"], ["z.0[head=1]", "z.0[head=0]"]], None, "is in two sets"),
        ([["z.0[head=0]"]], 0.0, "given the usual push 0.0; expected logits above 0"),
    ],
)
def test_sets_that_cannot_be_rerun_apart_are_refused(sets: list[list[str]], given: float | None, said: str):
    with pytest.raises(ValueError, match=said):
        decided(net(), sets, [one.row for one in asked("one")], given)


def test_the_lead_is_of_the_best_other_answer():
    logits = torch.tensor([[[0.0, 9.0, 0.0], [3.0, 1.0, 2.5]], [[0.0, 0.0, 0.0], [3.0, 1.0, 2.5]]])
    found = Lead(torch.tensor([0, 1]))(logits, torch.tensor([0, 1]))
    assert found.tolist() == [0.5, -2.0]


# on a trace -----------------------------------------------------------------------------------------------------------


def traced(known: Known):
    row = known.row
    decision = cw.Decision(row["prompt"], row["target"], row["foil"], row["reference"])
    return cw.trace(net(), decision, nulls=0)


def test_a_trace_shows_at_which_step_a_concept_is_used():
    first, second = circuit("backup").inputs
    known = next(one for one in asked("backup") if one.situation == f"backup: {first}; calm")
    parts = [[gates().places[part]] for part in (first, second)]
    one = shown(net(), traced(known), "consent", parts, usual=usual("backup"))
    assert one.states == ("used",)
    said = [cell for cell in one.steps["consent"] if cell]
    assert said == [f"used: {parts[0][0]}", f"idle: {parts[1][0]}"]
    assert one.steps["layer"].index(int(parts[0][0][2])) < one.steps["layer"].index(int(parts[1][0][2]))
    assert str(one).startswith("consent: used (lead")


def test_where_nothing_is_named_a_trace_shows_what_read_says():
    one = shown(net(), traced(asked("one")[0]), "consent", unnamed="topic only")
    assert one.states == ("topic only",) and not any(one.steps["consent"])


def test_a_trace_without_a_partner_is_refused():
    trace = traced(asked("one")[0])
    alone = replace(trace, decision=replace(trace.decision, counterfactual=None))
    with pytest.raises(DecisionError, match="without counterfactual"):
        shown(net(), alone, "consent", [["z.0[head=0]"]])
