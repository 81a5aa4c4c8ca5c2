"""What pruning found, as tables: every search, and the circuit's nodes and edges with their signed weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutaway.dial.prune.edges import matrices, weight_of
from cutaway.dial.prune.null import counting_null
from cutaway.runs import Table, new_run

if TYPE_CHECKING:
    from cutaway.dial.prune.prune import Pruned, TaskCircuit
    from cutaway.dial.transformer import SparseTransformer

KIND = "circuit"
MOST = 40
"""Edges that are printed; all are saved."""
NODES, EDGES, SEARCHES = "nodes", "edges", "searches"


@dataclass(frozen=True)
class Findings:
    """What pruning a task came to, without its tensors.

    `own` is the network's own loss in nats, `target` the circuit's. `nodes`: address and mean over the corpus; `edges`: from
    node to node, the weight between them; both without rows where no search found a circuit. `null`: the median of edges
    between the nodes of random connected sets of as many nodes.
    """

    task: str
    own: float
    target: float
    seed: int
    searches: Table
    nodes: Table
    edges: Table
    minimal: bool | None = None
    null: float | None = None

    @property
    def found(self) -> bool:
        """Whether there is a circuit."""
        return len(self.nodes) > 0 or len(self.edges) > 0

    def __str__(self) -> str:
        lines = [f"{self.task}: the network's own loss {self.own:.3f}, target {self.target:g}", str(self.searches), ""]
        if self.minimal is None:
            return "\n".join([*lines, "no circuit: no search met the target with the rest masked at random"])
        lines.append(sizes(len(self.edges), len(self.nodes), self.minimal))
        if self.null is not None:
            lines.append(f"random connected sets of as many nodes have {self.null:g} edges in the median")
        left = len(self.edges) - MOST
        more = [f"… {left} more edges"] if left > 0 else []
        return "\n".join([*lines, "", str(by_site(self.nodes)), "", str(self.edges.head(MOST)), *more])

    def save(self, folder: Path | str, arguments: Mapping[str, Any] | None = None) -> Path:
        """Writes the three tables as parquet, and the rest as `circuit.json`, into a new run folder."""
        with new_run(folder, KIND, seed=self.seed, arguments=arguments) as run:
            for name in (NODES, EDGES, SEARCHES):
                run.save_table(getattr(self, name), name)
            numbers = {name: getattr(self, name) for name in ("task", "own", "target", "minimal", "null")}
            run.write_json(KIND, numbers)
        return Path(folder)


def findings(pruned: Pruned, network: SparseTransformer, target: float, seed: int = 0) -> Findings:
    """What pruning `network` to `target` from `seed` found, with its circuit's weights and the counting null."""
    circuit = pruned.circuit
    if circuit is None:
        empty = Table({"node": [], "mean": []}), Table({"from": [], "to": [], "weight": []})
        return Findings(pruned.task, pruned.own, target, seed, searches_of(pruned), *empty)
    nodes = circuit.size[1]
    null = counting_null(network, circuit.nodes, nodes, seed=seed) if nodes else 0.0
    tables = nodes_of(circuit), edges_of(circuit, network)
    return Findings(
        pruned.task, pruned.own, target, seed, searches_of(pruned), *tables, minimal=circuit.minimal, null=null
    )


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
