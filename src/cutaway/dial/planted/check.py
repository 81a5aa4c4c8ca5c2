"""The proof of a planted circuit, by running it: enough alone and beside anything, and not without any one of its edges.

Each edge is cut in turn while the rest of the network is at its mean, live, and live in random halves. It counts as needed if
the task fails in every one of these settings. They are a sample: not every part of the rest is tried in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.dial.planted.planted import Planted
from cutaway.dial.prune.edges import Matrix, linear, matrices, weight_of, wired
from cutaway.dial.prune.masked import Nodes, losses, nodes_of
from cutaway.dial.tasks import Examples
from cutaway.dial.transformer import SparseTransformer

TARGET = 0.15
"""Nats at which a task counts as solved."""
OWN = 0.02
"""The most nats that a network with a planted program may lose."""
MOVED = 0.1
"""The most nats by which the loss of an example may change when all but the circuit goes."""
BESIDE = 10.0
"""The fewest weights beside the circuit, for each of its edges."""


@dataclass(frozen=True)
class Proof:
    """Losses in nats: `own` of the network, `alone` of the circuit with all else at its mean, `beside` with other parts live.

    `cut` are for each edge the losses without it in the same settings, alone first. `idle` is how many live weights there are
    beside the circuit for each of its edges; `moved` is the largest change of an example's loss without them.
    """

    own: float
    alone: float
    beside: tuple[float, ...]
    cut: Mapping[str, tuple[float, ...]]
    idle: float
    moved: float

    @property
    def failures(self) -> tuple[str, ...]:
        """What does not hold, in words; nothing where the circuit is proved."""
        found = [
            f"cutting {edge} leaves the loss at {min(loss):.3f}"
            for edge, loss in self.cut.items()
            if min(loss) <= TARGET
        ]
        if self.own > OWN:
            found.append(f"the network's own loss is {self.own:.3f}, above {OWN}")
        if max(self.alone, *self.beside) > TARGET:
            found.append(f"the circuit's loss is {self.alone:.3f} alone and {max(self.beside):.3f} beside others")
        if self.moved > MOVED:
            found.append(f"without the rest an example's loss changes by {self.moved:.3f}, more than {MOVED}")
        if self.idle < BESIDE:
            found.append(
                f"there are {self.idle:.1f} weights beside the circuit for each of its edges, below {BESIDE:g}"
            )
        return tuple(found)


@torch.no_grad()
def check(planted: Planted, count: int = 256, draws: int = 3, seed: int = 0) -> Proof:
    """Runs the circuit on `count` examples, alone, with all else live, and in `draws` random complements."""
    examples = planted.task.examples(count, "test", seed)
    nodes = nodes_of(planted.network, planted.windows(256, seed))
    shares = (0.0, 1.0, *(0.5,) * draws)
    settings = [setting(planted, nodes, examples, share, seed + at) for at, share in enumerate(shares)]
    found = [each.loss() for each in settings]
    alone, own = found[:2]
    live = sum(int(weight_of(planted.network, matrix).ne(0).sum()) for matrix in settings[0].matrices)
    return Proof(
        own.mean().item(),
        alone.mean().item(),
        tuple(loss.mean().item() for loss in found[1:]),
        {
            f"{matrix.name}[{row}, {column}]": tuple(each.without(matrix, row, column) for each in settings)
            for matrix in settings[0].matrices
            for row, column in planted.edges[matrix.name].nonzero().tolist()
        },
        live / planted.size[0] - 1,
        float((alone - own).abs().max()),
    )


@dataclass(frozen=True, eq=False)
class Setting:
    """A circuit with other nodes and weights live beside it: a copy of its network, in which single edges are cut."""

    network: SparseTransformer
    nodes: Nodes
    examples: Examples
    live: Float[Tensor, "node"]

    @cached_property
    def matrices(self) -> list[Matrix]:
        """All matrices whose weights are edges."""
        return matrices(self.network, self.nodes)

    def loss(self) -> Float[Tensor, "example"]:
        """The task's loss."""
        return losses(self.network, self.nodes, self.examples, self.live[None])[0]

    def without(self, matrix: Matrix, row: int, column: int) -> float:
        """The mean loss while one edge carries the mean of its source."""
        layer = linear(self.network, matrix)
        weight, bias = layer.weight[row, column].clone(), layer.bias[row].clone()
        layer.weight[row, column] = 0
        layer.bias[row] += weight * matrix.mean[column]
        found = self.loss().mean().item()
        layer.weight[row, column], layer.bias[row] = weight, bias
        return found


def setting(planted: Planted, nodes: Nodes, examples: Examples, share: float, seed: int) -> Setting:
    """The circuit with a random share of the rest."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(there: Tensor) -> Tensor:
        return there | (torch.rand(there.shape, generator=generator) < share)

    live = drawn(planted.nodes).float()
    network = wired(planted.network, nodes, {name: drawn(there) for name, there in planted.edges.items()})
    return Setting(network, nodes, examples, live)
