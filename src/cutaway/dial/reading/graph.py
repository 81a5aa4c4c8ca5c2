"""A circuit as a graph with names: its nodes in the order in which the network computes them, its edges, and what joins them.

Edges are single weights. Two nodes are *joined* where no weight lies between them: what writes to a channel of the residual stream
and what reads that channel later, the queries and keys of a head and what it brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cutaway.dial.prune.edges import matrices, weight_of
from cutaway.dial.prune.masked import Nodes, named
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.transformer import SITES, SparseTransformer

READS, WRITES = ("attn_in", "mlp_in"), ("attn_out", "mlp_out")


@dataclass(frozen=True, order=True)
class Node:
    """A channel of a site: `layer`, the site's place in `SITES`, and which channel; in the order of computation."""

    layer: int
    step: int
    index: int

    @property
    def site(self) -> str:
        """`attn_in`, `q`, …, `mlp_out`."""
        return SITES[self.step]

    @property
    def place(self) -> str:
        """Its site and layer: `mlp_act.1`."""
        return f"{self.site}.{self.layer}"

    @property
    def address(self) -> str:
        """As in `Nodes.addresses`: `mlp_act.1[neuron=17]`."""
        return named(self.place, self.index)

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class Edge:
    """A weight of the circuit: `weight` is in row `end.index`, column `start.index` of `matrix`."""

    start: Node
    end: Node
    weight: float
    matrix: str


@dataclass(frozen=True)
class Graph:
    """The nodes and edges of a circuit; `d_head` channels make a head."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    d_head: int

    def at(self, layer: int, *sites: str) -> tuple[Node, ...]:
        """The nodes of these sites of a layer."""
        return tuple(node for node in self.nodes if node.layer == layer and node.site in sites)

    def into(self, node: Node) -> tuple[Edge, ...]:
        """The edges that end in a node."""
        return tuple(edge for edge in self.edges if edge.end == node)

    def writers(self, node: Node) -> tuple[Node, ...]:
        """Who has written to the channel of the residual stream that a node reads, before it does."""
        return tuple(
            other for other in self.nodes if other.site in WRITES and other.index == node.index and other < node
        )

    def lookers(self, value: Node, sites: Sequence[str] = ("q", "k")) -> tuple[Node, ...]:
        """The queries and keys of a value's head."""
        return tuple(
            node for node in self.at(value.layer, *sites) if node.index // self.d_head == value.index // self.d_head
        )

    @cached_property
    def joined(self) -> tuple[tuple[Node, Node], ...]:
        """Pairs with no weight between them: writers with readers, queries and keys with the values of their head."""
        reads = [(writer, node) for node in self.nodes if node.site in READS for writer in self.writers(node)]
        looks = [(looker, node) for node in self.nodes if node.site == "v" for looker in self.lookers(node)]
        return (*reads, *looks)

    @cached_property
    def everywhere(self) -> frozenset[Node]:
        """The nodes that matter at every position, as a key or a value comes from them; the others matter at the last one."""
        found, left = set[Node](), [node for node in self.nodes if node.site in ("k", "v")]
        while left:
            node = left.pop()
            if node not in found:
                found.add(node)
                left += self._needs(node)
        return frozenset(found)

    def _needs(self, node: Node) -> list[Node]:
        """What a node is computed from at its own position."""
        if node.site in READS:
            return list(self.writers(node))
        starts = [edge.start for edge in self.into(node)]
        return [query for start in starts for query in self.lookers(start, "q")] if node.site == "attn_out" else starts


def graph_of(circuit: TaskCircuit, network: SparseTransformer) -> Graph:
    """The graph of a circuit."""
    nodes = tuple(sorted(node for node in every_node(circuit.nodes) if circuit.kept[_row(circuit.nodes, node)]))
    by_address = {node.address: node for node in nodes}
    addresses, edges = circuit.nodes.addresses, []
    for matrix in matrices(network, circuit.nodes):
        weight = weight_of(network, matrix)
        for row, column in circuit.edges[matrix.name].nonzero().tolist():
            ends = [addresses[matrix.columns.start + column], addresses[matrix.rows.start + row]]
            if missing := [end for end in ends if end not in by_address]:
                raise ValueError(
                    f"{matrix.name}[{row}, {column}] is an edge of the circuit, but {missing[0]} is no node of it; expected "
                    "both ends of each edge in `kept`"
                )
            edges.append(Edge(by_address[ends[0]], by_address[ends[1]], float(weight[row, column]), matrix.name))
    return Graph(nodes, tuple(sorted(edges, key=lambda edge: (edge.start, edge.end))), network.shape.d_head)


def every_node(nodes: Nodes) -> list[Node]:
    """All nodes of a network."""
    found = []
    for place, size in nodes.sizes.items():
        site, layer = place.split(".")
        found += [Node(int(layer), SITES.index(site), index) for index in range(size)]
    return found


def _row(nodes: Nodes, node: Node) -> int:
    return nodes.slices[node.place].start + node.index
