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
