"""What pruning found, as tables: every search, and the circuit's nodes and edges with their signed weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.dial.prune.edges import matrices, weight_of
from cutaway.runs import Table

if TYPE_CHECKING:
    from cutaway.dial.prune.prune import Pruned, TaskCircuit
    from cutaway.dial.transformer import SparseTransformer


def by_site(nodes: Table) -> Table:
    """A row for every site that has nodes: how many, and which."""
    found: dict[str, list[int]] = {}
    for node in nodes["node"]:
        site, _, place = node.rstrip("]").partition("[")
        found.setdefault(site, []).append(int(place.partition("=")[2]))
    return Table.of(
        {"site": site, "nodes": len(places), "which": " ".join(map(str, places))} for site, places in found.items()
    )


def searches_of(pruned: Pruned) -> Table:
    """A row for every search: its seed, what it found (None: no circuit), the CPU seconds it took."""
    return Table.of(
        {
            "search": search.seed,
            "edges": None if search.circuit is None else search.circuit.size[0],
            "nodes": None if search.circuit is None else search.circuit.size[1],
            "minimal": None if search.circuit is None else search.circuit.minimal,
            "cpu_s": search.cpu_seconds,
        }
        for search in pruned.searches
    )


def nodes_of(circuit: TaskCircuit) -> Table:
    """The circuit's nodes, in the order of the network, and what each is at on average."""
    kept = circuit.kept.nonzero()[:, 0].tolist()
    addresses, means = circuit.nodes.addresses, circuit.nodes.means
    return Table({"node": [addresses[place] for place in kept], "mean": [float(means[place]) for place in kept]})


def edges_of(circuit: TaskCircuit, network: SparseTransformer) -> Table:
    """The circuit's edges, in the order of the network: from node to node, with the weight between them."""
    addresses, rows = circuit.nodes.addresses, []
    for matrix in matrices(network, circuit.nodes):
        weight = weight_of(network, matrix)
        for row, column in circuit.edges[matrix.name].nonzero().tolist():
            ends = addresses[matrix.columns.start + column], addresses[matrix.rows.start + row]
            rows.append({"from": ends[0], "to": ends[1], "weight": float(weight[row, column])})
    return Table.of(rows, ("from", "to", "weight"))


def sizes(edges: int, nodes: int, minimal: bool) -> str:
    """The circuit's size in words."""
    said = "tried one by one: none can go" if minimal else "not tried one by one"
    return f"{edges} edges ({said}) between {nodes} nodes"


def told(pruned: Pruned) -> str:
    """What pruning found, without the network's weights."""
    circuit = pruned.circuit
    last = "no circuit" if circuit is None else f"the smallest: {circuit}"
    return f"{pruned.task}: the network's own loss {pruned.own:.3f}\n{searches_of(pruned)}\n{last}"
