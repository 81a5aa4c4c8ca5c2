"""What every node of a circuit is at while the circuit runs alone: all else at its mean, all other weights cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.dial.prune.edges import wired
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.reading.graph import WRITES, Graph, Node, graph_of
from cutaway.dial.tasks import Examples
from cutaway.dial.transformer import SITES, SparseTransformer

EPSILON = 1e-6
"""Of the RMS norms."""
BATCH = 256
"""Prompts that pass at once."""


@dataclass(frozen=True, eq=False)
class Measured:
    """A circuit run alone on prompts: the value of each node, and what the norm before each site divides by (inverse).

    `network` is a copy with the other weights cut; `inverse` is by site and layer, `final` is the last norm's.
    """

    network: SparseTransformer
    circuit: TaskCircuit
    graph: Graph
    prompts: Int[np.ndarray, "example position"]
    last: Int[np.ndarray, "example"]
    values: dict[Node, Float[np.ndarray, "example position"]]
    inverse: dict[str, Float[np.ndarray, "example position"]]

    def there(self, node: Node) -> Bool[np.ndarray, "example position"]:
        """The positions at which a node matters."""
        places = np.arange(self.prompts.shape[1])
        if node in self.graph.everywhere:
            return places <= self.last[:, None]
        return places == self.last[:, None]

    def at_mean(self, layer: int, step: int) -> Float[np.ndarray, "channel"]:
        """What the sites that are left out have written to each channel before a step of a layer, at their mean."""
        nodes, total = self.circuit.nodes, np.zeros(self.network.shape.width)
        for place, part in nodes.slices.items():
            site, at = place.split(".")
            if site in WRITES and (int(at), SITES.index(site)) < (layer, step):
                total += (nodes.means[part] * ~self.circuit.kept[part]).double().numpy()
        return total


@torch.no_grad()
def measured(network: SparseTransformer, circuit: TaskCircuit, examples: Examples) -> Measured:
    """Runs the circuit alone on the examples' prompts."""
    graph = graph_of(circuit, network)
    alone = wired(network, circuit.nodes, circuit.edges).requires_grad_(False)
    runs = [_run(alone, circuit, graph, prompts) for prompts in examples.prompts.split(BATCH)]
    values = {node: np.concatenate([run[0][node] for run in runs]) for node in graph.nodes}
    inverse = {place: np.concatenate([run[1][place] for run in runs]) for place in runs[0][1]}
    return Measured(alone, circuit, graph, examples.prompts.numpy(), examples.last.numpy(), values, inverse)


def _run(
    alone: SparseTransformer, circuit: TaskCircuit, graph: Graph, prompts: Int[Tensor, "example position"]
) -> tuple[dict[Node, np.ndarray], dict[str, np.ndarray]]:
    nodes, values, inverse = circuit.nodes, dict[Node, np.ndarray](), dict[str, np.ndarray]()
    stream = alone.embed(prompts)
    if alone.position is not None:
        stream = stream + alone.position(torch.arange(prompts.shape[1]))

    def at(place: str, x: Tensor) -> Tensor:
        nonlocal stream
        if (part := nodes.slices.get(place)) is None:
            return x
        x = torch.where(circuit.kept[part], x, nodes.means[part])
        if "_in" in place:
            inverse[place] = _inverse(stream)
        elif "_out" in place:
            stream = stream + x
        values.update({node: x[..., node.index].double().numpy() for node in graph.nodes if node.place == place})
        return x

    alone.stream(prompts, at=at)
    return values, inverse | {"final": _inverse(stream)}


def _inverse(stream: Float[Tensor, "example position width"]) -> Float[np.ndarray, "example position"]:
    return (stream.square().mean(-1) + EPSILON).rsqrt().double().numpy()
