"""What pruning found reads back as the network's own weights between named nodes."""

from pathlib import Path

import torch
from tests.dial.small import TOKENS, network

from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.prune import Pruned, Search, TaskCircuit
from cutaway.dial.prune.show import findings
from cutaway.runs import load_parquet, open_run

NETWORK = network().eval().requires_grad_(False)
NODES = nodes_of(NETWORK, TOKENS[:64].view(8, 8))
ENDS = ("mlp_in.0[channel=3]", "mlp_act.0[neuron=5]", "mlp_out.0[channel=2]")


def circuit() -> TaskCircuit:
    """A channel, a neuron, a channel."""
    kept = torch.tensor([address in ENDS for address in NODES.addresses])
    edges = {f"blocks.0.{name}": torch.zeros(shape, dtype=torch.bool) for name, shape in SHAPES.items()}
    edges["blocks.0.mlp.up"][5, 3] = edges["blocks.0.mlp.down"][2, 5] = True
    return TaskCircuit("quote_kind", NODES, kept, edges, True)


SHAPES = {
    **dict.fromkeys(("attn.query", "attn.key", "attn.value", "attn.out"), (16, 16)),
    "mlp.up": (24, 16),
    "mlp.down": (16, 24),
}


def test_edges_are_told_from_node_to_node_with_the_networks_weights() -> None:
    found = findings(Pruned("quote_kind", 0.05, (Search(7000, circuit(), 1.5),)), NETWORK, 0.15, 7000)
    mlp = NETWORK.blocks[0].mlp
    assert found.edges.rows() == [
        {"from": ENDS[0], "to": ENDS[1], "weight": float(mlp.up.weight[5, 3])},
        {"from": ENDS[1], "to": ENDS[2], "weight": float(mlp.down.weight[2, 5])},
    ]
    places = [NODES.addresses.index(end) for end in ENDS]
    assert found.nodes.rows() == [{"node": NODES.addresses[p], "mean": float(NODES.means[p])} for p in sorted(places)]
    assert found.null is not None and found.null >= 0


def test_every_search_is_listed_and_the_smallest_circuit_told() -> None:
    pruned = Pruned("quote_kind", 0.05, (Search(7000, None, 1.0), Search(7001, circuit(), 1.5)))
    assert findings(pruned, NETWORK, 0.15).searches["edges"] == [None, 2]
    for text in (str(pruned), str(findings(pruned, NETWORK, 0.15))):
        assert "0.050" in text and "7000" in text and "7001" in text
        assert "2 edges (tried one by one: none can go) between 3 nodes" in text


def test_no_circuit_is_an_answer() -> None:
    pruned = Pruned("quote_kind", 0.05, (Search(7000, None, 1.0),))
    found = findings(pruned, NETWORK, 0.15)
    assert not found.found and "no circuit" in str(found) and "no circuit" in str(pruned)


def test_nodes_and_edges_are_saved(tmp_path: Path) -> None:
    found = findings(Pruned("quote_kind", 0.05, (Search(7000, circuit(), 1.5),)), NETWORK, 0.15, 7000)
    folder = found.save(tmp_path / "circuit", {"command": []})
    assert open_run(folder, verify=True).kind == "circuit"
    for name in ("nodes", "edges", "searches"):
        assert load_parquet(folder / f"{name}.parquet").rows() == getattr(found, name).rows()
    assert open_run(folder).read_json("circuit")["null"] == found.null


def test_no_circuit_is_saved_too(tmp_path: Path) -> None:
    folder = findings(Pruned("quote_kind", 0.05, (Search(7000, None, 1.0),)), NETWORK, 0.15).save(tmp_path / "none")
    assert len(load_parquet(folder / "edges.parquet")) == 0
