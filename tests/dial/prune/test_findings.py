"""What pruning found reads back as the network's own weights between named nodes, beside what it is worth."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.dial.prune.planted import COUNT, PLANTED, SETTINGS, circuit, pruned, told

from cutaway.dial.prune.findings import Findings, findings
from cutaway.dial.prune.saved import saved_of
from cutaway.runs import load_parquet, open_run


@pytest.fixture(scope="module")
def whole() -> Findings:
    return told()


def test_edges_are_told_from_node_to_node_with_the_networks_weights(whole: Findings) -> None:
    assert len(whole.edges) == circuit().size[0] and len(whole.nodes) == circuit().size[1]
    matrix = next(name for name, there in circuit().edges.items() if name.endswith("mlp.up") and there.any())
    layer, (row, column) = matrix.split(".")[1], circuit().edges[matrix].nonzero()[0].tolist()
    told = {
        "from": f"mlp_in.{layer}[channel={column}]",
        "to": f"mlp_act.{layer}[neuron={row}]",
        "weight": float(PLANTED.network.get_parameter(f"{matrix}.weight")[row, column]),
    }
    assert told in whole.edges.rows()
    means = dict(zip(circuit().nodes.addresses, circuit().nodes.means.tolist()))
    assert all(row["mean"] == means[row["node"]] for row in whole.nodes)


def test_every_search_is_listed_and_the_smallest_circuit_told(whole: Findings) -> None:
    edges, nodes = circuit().size
    assert whole.searches["edges"] == [None, edges]
    for text in (str(pruned(circuit())), str(whole)):
        assert "0.010" in text and "7000" in text and "7001" in text
        assert f"{edges} edges (tried one by one: none can go) between {nodes} nodes" in text


def test_a_circuit_is_told_beside_counting_bits_fresh_examples_wrong_circuits_and_an_adversary(whole: Findings) -> None:
    worth, text = whole.worth, str(whole)
    for said in (
        f"{worth.null:g} edges in the median",
        f"told in {worth.bits.total:.0f} bits",
        f"On {COUNT} fresh examples the circuit alone answers {worth.fresh.solved:.1%} right",
        "sufficient: the rest at its mean",
        "sufficient: the rest live at random",
        "necessary: its nodes at their mean",
        f"minimal: without the weakest of {len(whole.edges)} edges",
        "less one edge",
        "2 steps",
    ):
        assert said in text
    assert worth.adversary["of"] == ["the circuit", "less one node", "random, as many nodes"]


def test_what_is_undecided_or_fails_is_explained_where_it_is_said(whole: Findings) -> None:
    assert "holds: the whole interval" in str(whole) and "fails: " not in str(whole)
    checks = [replace(check, limit=0.0) for check in whole.worth.checks]
    assert "fails: the whole interval is on the wrong side" in str(replace(whole.worth, checks=tuple(checks)))


def test_no_circuit_is_an_answer() -> None:
    none = findings(pruned(None), PLANTED.network, PLANTED.task, SETTINGS)
    assert none.worth is None and "no circuit" in str(none) and "no circuit" in str(pruned(None))


def test_everything_is_saved(whole: Findings, tmp_path: Path) -> None:
    saved = saved_of(pruned(circuit()), PLANTED.network, SETTINGS)
    folder = whole.save(tmp_path / "circuit", saved, {"command": []})
    run = open_run(folder, verify=True)
    assert run.kind == "circuit"
    worth = whole.worth
    tables = {"nodes": whole.nodes, "edges": whole.edges, "searches": whole.searches}
    for name, table in (tables | {"power": worth.fresh.power, "adversary": worth.adversary}).items():
        assert run.load_table(name).rows() == table.rows()
    assert len(run.load_table("checks")) == len(worth.checks)
    said = run.read_json("circuit")
    assert said["null"] == worth.null and said["bits"]["total"] == worth.bits.total
    assert said["fresh"] == {"count": COUNT, "own": worth.fresh.own, "solved": worth.fresh.solved}
    lines = (folder / "claims.jsonl").read_text().splitlines()
    assert [json.loads(line)["mean"] for line in lines] == [check.mean for check in worth.checks]


def test_no_circuit_is_saved_too(tmp_path: Path) -> None:
    folder = findings(pruned(None), PLANTED.network, PLANTED.task, SETTINGS).save(tmp_path / "none", None)
    assert len(load_parquet(folder / "edges.parquet")) == 0
