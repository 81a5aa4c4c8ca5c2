"""The edges of a circuit: single weights between its nodes; one that is cut carries the mean of what its source gives.

A network with some edges cut is a copy of it with those weights at zero and what they carry on average added to the biases, so
that plain passes and plain gradients say what every edge is worth.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cutaway.dial.prune.masked import Nodes
from cutaway.dial.transformer import SparseTransformer

MATRICES = {
    "attn.query": ("q", "attn_in"),
    "attn.key": ("k", "attn_in"),
    "attn.value": ("v", "attn_in"),
    "attn.out": ("attn_out", "v"),
    "mlp.up": ("mlp_act", "mlp_in"),
    "mlp.down": ("mlp_out", "mlp_act"),
}
"""Each matrix with the sites of its rows and of its columns."""

Edges = Mapping[str, Bool[Tensor, "row column"]]
"""For each matrix (`blocks.0.mlp.up`) which of its weights are there."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """One matrix of the network, and where its rows and columns stand among the nodes."""

    name: str
    rows: slice
    columns: slice
    mean: Float[Tensor, "column"]


def matrices(network: SparseTransformer, nodes: Nodes) -> list[Matrix]:
    """All matrices whose weights are edges."""
    found = []
    for layer in range(network.shape.layers):
        for name, (rows, columns) in MATRICES.items():
            source = nodes.slices[f"{columns}.{layer}"]
            mean = nodes.brought[f"z.{layer}"] if columns == "v" else nodes.means[source]
            found.append(Matrix(f"blocks.{layer}.{name}", nodes.slices[f"{rows}.{layer}"], source, mean))
    return found


def between(network: SparseTransformer, nodes: Nodes, kept: Bool[Tensor, "node"]) -> dict[str, Tensor]:
    """The live weights between kept nodes."""
    return {
        matrix.name: weight_of(network, matrix).ne(0) & kept[matrix.rows][:, None] & kept[matrix.columns]
        for matrix in matrices(network, nodes)
    }


class Flat:
    """Edges as one row of candidates."""

    def __init__(self, edges: Edges) -> None:
        self._places = {name: there.nonzero(as_tuple=True) for name, there in edges.items()}
        self._shapes = {name: there.shape for name, there in edges.items()}
        self.all = torch.ones(count(edges), dtype=torch.bool)

    def edges(self, there: Bool[Tensor, "edge"]) -> dict[str, Tensor]:
        """These of the candidates, by matrix."""
        found, start = {}, 0
        for name, (rows, columns) in self._places.items():
            mask = torch.zeros(self._shapes[name], dtype=torch.bool)
            mask[rows, columns] = there[start : start + len(rows)]
            found[name] = mask
            start += len(rows)
        return found

    def row(self, values: Mapping[str, Tensor]) -> Tensor:
        """What matrices hold at the candidates."""
        return torch.cat([values[name][places] for name, places in self._places.items()])


class Drawn:
    """Live weights drawn at random, each with a chance that is itself drawn, whatever the network's numbering."""

    def __init__(self, network: SparseTransformer, nodes: Nodes, seed: int) -> None:
        weights = {matrix.name: weight_of(network, matrix) for matrix in matrices(network, nodes)}
        self._there = {name: weight.ne(0) for name, weight in weights.items()}
        self._ranks = {name: weight.flatten().argsort(stable=True).argsort() for name, weight in weights.items()}
        self._generator = torch.Generator().manual_seed(seed)

    def draw(self) -> dict[str, Tensor]:
        """The next draw."""
        share = torch.rand(1, generator=self._generator)
        return {
            name: (torch.rand(len(rank), generator=self._generator) < share)[rank].view_as(self._there[name])
            & self._there[name]
            for name, rank in self._ranks.items()
        }


def touched(network: SparseTransformer, nodes: Nodes, edges: Edges) -> Bool[Tensor, "node"]:
    """The nodes at either end of an edge."""
    found = torch.zeros(len(nodes), dtype=torch.bool)
    for matrix in matrices(network, nodes):
        found[matrix.rows] |= edges[matrix.name].any(1)
        found[matrix.columns] |= edges[matrix.name].any(0)
    return found


def count(edges: Edges) -> int:
    """How many there are."""
    return sum(int(there.sum()) for there in edges.values())


def weight_of(network: SparseTransformer, matrix: Matrix) -> Tensor:
    """A matrix's weights."""
    return linear(network, matrix).weight.detach()


def linear(network: SparseTransformer, matrix: Matrix) -> nn.Linear:
    """The layer that a matrix belongs to."""
    return network.get_submodule(matrix.name)  # ty: ignore[invalid-explicit-return]


@torch.no_grad()
def wired(
    network: SparseTransformer, nodes: Nodes, edges: Edges, into: SparseTransformer | None = None
) -> SparseTransformer:
    """A copy of the network in which only `edges` are there; the others carry the mean of what they read.

    An earlier copy given as `into` is wired anew in place, which saves copying.
    """
    found = copy.deepcopy(network) if into is None else into
    for matrix in matrices(network, nodes):
        source, layer = linear(network, matrix), linear(found, matrix)
        cut = source.weight * ~edges[matrix.name]
        layer.weight.copy_(source.weight - cut)
        layer.bias.copy_(source.bias + cut @ matrix.mean)
    return found


def costs(network: SparseTransformer, cut: SparseTransformer, nodes: Nodes, loss: Tensor) -> dict[str, Tensor]:
    """By how much the loss of a `wired` copy rises, to first order, when each edge of `network` goes.

    Cutting an edge takes w · x away and adds w · mean to the bias of its row.
    """
    layers = [(matrix, linear(cut, matrix)) for matrix in matrices(network, nodes)]
    wanted = [weight for _, layer in layers for weight in (layer.weight, layer.bias)]
    slopes = torch.autograd.grad(loss, wanted)
    return {
        matrix.name: weight_of(network, matrix) * (to_bias[:, None] * matrix.mean - to_weight)
        for (matrix, _), to_weight, to_bias in zip(layers, slopes[::2], slopes[1::2])
    }
