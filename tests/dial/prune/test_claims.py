"""Claims of a circuit: of a planted one all hold, of a wrong one none is made, and a changed network is noticed."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.dial.prune.planted import COUNT, PLANTED, SETTINGS, circuit, less_one, one_more, pruned, told

from cutaway.decisions.claims import Claim, ClaimError, read_claims
from cutaway.dial.prune.claims import Verified, checks_of, claimed, state, verify, words
from cutaway.dial.prune.findings import Findings, findings
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.prune.reruns import Reruns
from cutaway.dial.prune.saved import edges_named, is_circuit, names_of, read, saved_of
from cutaway.dial.transformer import SparseTransformer
from cutaway.runs import RunError

SAVED = saved_of(pruned(circuit()), PLANTED.network, SETTINGS)


@pytest.fixture(scope="module")
def found() -> Findings:
    return told()


@pytest.fixture(scope="module")
def folder(found: Findings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found.save(tmp_path_factory.mktemp("claims") / "circuit", SAVED)


def checks(of: TaskCircuit) -> dict[str, Claim]:
    saved = saved_of(pruned(of), PLANTED.network, SETTINGS)
    return {words(check): check for check in checks_of(Reruns(PLANTED.network, saved, PLANTED.task, 7000, COUNT))}


def again(folder: Path, network: SparseTransformer = PLANTED.network, seed: int = 0) -> Verified:
    return verify(folder, network, PLANTED.task, seed, COUNT)


@pytest.fixture(scope="module")
def verified(folder: Path) -> Verified:
    return again(folder)


def test_every_claim_of_a_planted_circuit_holds_on_fresh_examples(verified: Verified) -> None:
    names = names_of(circuit().edges)
    assert verified.claims["claim"] == [
        "sufficient: the rest at its mean",
        "sufficient: the rest live at random",
        "necessary: its nodes at their mean",
        *(f"minimal: {name}" for name in names),
    ]
    assert all(verified.claims["holds"]) and not verified.changed
    assert f"{len(names) + 3} of {len(names) + 3} claims hold, on {COUNT} fresh" in str(verified)


def test_edges_are_tried_again_on_the_same_examples_and_the_rest_on_others(verified: Verified, folder: Path) -> None:
    same = verified.claims["same inputs"]
    assert same == [row["claim"].startswith("minimal") for row in verified.claims]
    other = again(folder, seed=1).claims
    for row, once, more in zip(same, verified.claims, other):
        assert (once["measured"] == once["predicted"]) == row
        assert (once["measured"] == more["measured"]) == row


def test_claims_of_more_than_there_is_do_not_hold(found: Findings, tmp_path: Path) -> None:
    claims = tuple(
        replace(check, names=check.names[1:]) if len(check.names) > 1 else check for check in found.worth.checks
    )
    less = replace(found, worth=replace(found.worth, checks=claims)).save(tmp_path / "less", SAVED)
    assert again(less).claims["holds"][:2] == [False, False]


def test_a_circuit_less_an_edge_is_not_claimed_to_be_enough() -> None:
    found = checks(less_one())
    assert state(found["sufficient: the rest at its mean"]) == "fails"
    assert not [claim for claim in claimed(found.values()) if claim.bound == "within"]


def test_an_edge_that_can_go_is_found_and_no_claim_is_made_of_it() -> None:
    found = checks(one_more())
    more = (set(names_of(one_more().edges)) - set(names_of(circuit().edges))).pop()
    assert state(found[f"minimal: {more}"]) == "fails"
    minimal = {claim.names[0] for claim in claimed(found.values()) if claim.intervention == "cut"}
    assert minimal == set(names_of(circuit().edges))


def test_nodes_that_the_task_does_without_are_redundant() -> None:
    one = circuit()
    idle = replace(one, kept=~one.kept & (torch.arange(len(one.kept)) % 50 == 0), edges=less_one().edges, minimal=False)
    found = claimed(checks(idle).values())
    assert [words(claim) for claim in found] == ["redundant: its nodes at their mean"]


def test_what_is_undecided_is_not_claimed() -> None:
    about = ("mean", "", "", 0)
    at = {"within": Claim("cut all but", (), 0.1, 0.08, 0.12, 64, "within", 0.1, *about)}
    at["beyond"] = replace(at["within"], intervention="without", bound="beyond")
    assert {state(claim) for claim in at.values()} == {"undecided"} and claimed(at.values()) == []
    assert state(replace(at["within"], limit=0.12)) == "holds" and state(replace(at["within"], limit=0.07)) == "fails"
    assert state(replace(at["beyond"], limit=0.12)) == "fails" and state(replace(at["beyond"], limit=0.07)) == "holds"


def changed(matrix: str, row: int, column: int, to: float) -> SparseTransformer:
    """The network with one other weight."""
    network = copy.deepcopy(PLANTED.network)
    network.get_parameter(f"{matrix}.weight")[row, column] = to
    return network


def test_a_network_that_lost_an_edge_since_is_told_and_its_claims_fail(folder: Path) -> None:
    name = next(name for name, there in PLANTED.edges.items() if there.any())
    found = again(folder, changed(name, *PLANTED.edges[name].nonzero()[0].tolist(), 0.0))
    assert found.changed and "its weights changed" in str(found)
    assert not any(found.claims["holds"][:2])


def test_a_network_that_changed_beside_the_circuit_is_told_and_the_circuit_is_still_enough(folder: Path) -> None:
    name = next(name for name, there in PLANTED.edges.items() if not there.any())
    found = again(folder, changed(name, 0, 0, 1e-4))
    assert found.changed and all(found.claims["holds"][:2])


def test_the_claims_of_another_network_are_refused(folder: Path) -> None:
    other = SparseTransformer(replace(PLANTED.network.shape, layers=1))
    with pytest.raises(ClaimError, match="of another shape"):
        again(folder, other)


def test_what_was_saved_reads_back_the_same(folder: Path) -> None:
    back = read(folder)
    one, other = circuit(), back.circuit
    assert torch.equal(other.kept, one.kept) and torch.equal(other.nodes.means, one.nodes.means)
    assert all(torch.equal(there, other.edges[name]) for name, there in one.edges.items())
    assert other.nodes.addresses == one.nodes.addresses
    assert (back.settings, back.search, back.network) == (SETTINGS, 7001, SAVED.network)
    assert is_circuit(folder) and not is_circuit(folder.parent)


def test_lines_are_those_of_every_claim(folder: Path) -> None:
    assert {claim.source for claim in read_claims(folder)} == {"network"}
    assert {claim.network for claim in read_claims(folder)} == {SAVED.network}


def test_edges_have_names_that_give_them_back() -> None:
    edges = edges_named(circuit().nodes, names_of(circuit().edges))
    assert all(torch.equal(there, edges[name]) for name, there in circuit().edges.items())


@pytest.mark.parametrize(
    "name", ["mlp_in.0[channel=0]", "q.0[channel=0] → k.0[channel=0]", "v.0[channel=0] → attn_out.9[channel=0]"]
)
def test_an_edge_that_there_is_not_is_an_error(name: str) -> None:
    with pytest.raises(ClaimError, match="there is no edge"):
        edges_named(circuit().nodes, [name])


def test_where_no_circuit_was_found_nothing_is_claimed(tmp_path: Path) -> None:
    none = findings(pruned(None), PLANTED.network, PLANTED.task, SETTINGS).save(tmp_path / "none", None)
    with pytest.raises(ClaimError, match="no search found a circuit"):
        again(none)


def test_a_file_that_was_edited_is_noticed(found: Findings, tmp_path: Path) -> None:
    edited = found.save(tmp_path / "edited", SAVED)
    lines = (edited / "claims.jsonl").read_text()
    (edited / "claims.jsonl").write_text(lines.replace('"limit": 0.15', '"limit": 0.95'))
    with pytest.raises(RunError, match="differ"):
        again(edited)
