"""The figure on planted circuits: a circuit counts as recovered only if every edge and every node is right."""

import torch
from benchmarks.dial_planted import against, rate

from cutaway.dial.planted import Planted
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.prune import Pruned, Search, TaskCircuit

PLANTED = Planted("marked", 7001)


def pruned(kept: torch.Tensor, edges: dict[str, torch.Tensor]) -> Pruned:
    """A search that ended in this circuit."""
    nodes = nodes_of(PLANTED.network, PLANTED.windows(8, 0))
    return Pruned("marked", 0.01, (Search(0, TaskCircuit("marked", nodes, kept, edges, True), 1.0),))


def test_the_true_circuit_is_exact() -> None:
    found = against(PLANTED, pruned(PLANTED.nodes, dict(PLANTED.edges)))
    assert found["edges exact"] and found["nodes exact"]
    assert rate([found])["both exact"] == 1


def test_an_edge_or_node_too_many_or_too_few_is_named_and_not_exact() -> None:
    edges = {name: there.clone() for name, there in PLANTED.edges.items()}
    edges["blocks.0.mlp.up"][3, 17] = True
    kept = PLANTED.nodes.clone()
    lost = int(kept.nonzero()[0])
    kept[lost] = False
    found = against(PLANTED, pruned(kept, edges))
    assert found["extra"] == ["blocks.0.mlp.up[3, 17]"] and found["missing"] == []
    assert len(found["missing nodes"]) == 1 and found["extra nodes"] == []
    assert rate([found]) == {"networks": 1, "edges exact": 0, "nodes exact": 0, "both exact": 0}


def test_no_circuit_is_not_exact() -> None:
    found = against(PLANTED, Pruned("marked", 0.01, (Search(0, None, 1.0),)))
    assert not found["edges exact"] and not found["nodes exact"]
