"""What counting alone says: how many edges random connected sets have that hold as many of the network's nodes.

A network with a quarter of the live weights has smaller circuits for that reason alone; the ratio to this null is what is left.
"""

from __future__ import annotations

from random import Random
from statistics import median

import torch
from torch import Tensor

from cutaway.dial.prune.edges import between, count, matrices, weight_of
from cutaway.dial.prune.masked import Nodes
from cutaway.dial.transformer import SparseTransformer


def counting_null(network: SparseTransformer, nodes: Nodes, size: int, draws: int = 20, seed: int = 0) -> float:
    """The median number of live weights between the nodes of random connected sets of `size` nodes."""
    if not 1 <= size <= len(nodes):
        raise ValueError(f"size is {size}; expected from 1 to the network's {len(nodes)} nodes")
    near = neighbours(network, nodes)
    random = Random(seed)
    return float(median(count(between(network, nodes, connected(near, size, random))) for _ in range(draws)))


def connected(near: list[list[int]], size: int, random: Random) -> Tensor:
    """A random set of `size` nodes, each beside an earlier one where there is such a node left."""
    kept = torch.zeros(len(near), dtype=torch.bool)
    edge: list[int] = []
    for _ in range(size):
        node = _next(kept, edge, random)
        kept[node] = True
        edge += near[node]
    return kept


def _next(kept: Tensor, edge: list[int], random: Random) -> int:
    while edge:
        place = random.randrange(len(edge))
        edge[place], edge[-1] = edge[-1], edge[place]
        if not kept[node := edge.pop()]:
            return node
    return random.choice(kept.logical_not().nonzero()[:, 0].tolist())


def neighbours(network: SparseTransformer, nodes: Nodes) -> list[list[int]]:
    """For each node those that it is joined to: by a live weight, by the same channel of the residual stream, q with k."""
    pairs = [_weights(network, nodes), *_channels(network.shape.layers, nodes)]
    found: list[list[int]] = [[] for _ in range(len(nodes))]
    for one, other in torch.cat(pairs).tolist():
        found[one].append(other)
        found[other].append(one)
    return found


def _weights(network: SparseTransformer, nodes: Nodes) -> Tensor:
    return torch.cat(
        [
            weight_of(network, matrix).nonzero() + torch.tensor([matrix.rows.start, matrix.columns.start])
            for matrix in matrices(network, nodes)
        ]
    )


def _channels(layers: int, nodes: Nodes) -> list[Tensor]:
    """What a sublayer writes to a channel is what the next one reads from it."""
    order = [f"{name}.{layer}" for layer in range(layers) for name in ("attn_in", "attn_out", "mlp_in", "mlp_out")]
    joined = [(one, other) for one, other in zip(order[1::2], order[2::2])]
    joined += [(f"q.{layer}", f"k.{layer}") for layer in range(layers)]
    return [
        torch.stack([torch.arange(nodes.slices[one].start, nodes.slices[one].stop) for one in pair], dim=1)
        for pair in joined
    ]
