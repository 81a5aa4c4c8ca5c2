"""The proof of a planted circuit, by running it: enough alone and beside anything, and not without any one of its edges.

An edge is cut while the rest of the network is at its mean, live, and live in random halves: a set that lacks the edge has
one of these around it, so that an edge that is missed in all of them belongs to every circuit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cutaway.dial.planted.planted import Planted
from cutaway.dial.prune.edges import wired
from cutaway.dial.prune.masked import Nodes, losses, nodes_of
from cutaway.dial.tasks import Examples

TARGET = 0.15
"""Nats at which a task counts as solved."""
OWN = 0.02
"""The most nats that a network with a planted program may lose."""


@dataclass(frozen=True)
class Proof:
    """Losses in nats: `own` of the network, `alone` of the circuit with all else at its mean, `beside` with other parts live.

    `cut` are for each edge the losses without it in the same settings, alone first. `idle` is the share of live weights
    outside the circuit, as a multiple of its edges; `moved` is the largest change of an example's loss without them.
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
        if self.idle < 10:
            found.append(f"there are {self.idle:.1f} weights beside the circuit for each of its edges; expected 10")
        return tuple(found)


@torch.no_grad()
def check(planted: Planted, count: int = 256, draws: int = 3, seed: int = 0) -> Proof:
    """Runs the circuit on `count` examples, alone, with all else live, and in `draws` random complements."""
    examples = planted.task.examples(count, "test", seed)
    nodes = nodes_of(planted.network, planted.windows(256, seed))
    settings = [Setting.share(planted, nodes, share, seed + at) for at, share in enumerate((0.0, 1.0, *(0.5,) * draws))]
    alone, *beside = (setting.loss(planted, nodes, examples, planted.edges) for setting in settings)
    own = settings[1].loss(planted, nodes, examples, planted.edges)
    live = sum(int(weight.ne(0).sum()) for weight in weights(planted).values())
    return Proof(
        own.mean().item(),
        alone.mean().item(),
        tuple(loss.mean().item() for loss in beside),
        {
            name: tuple(setting.loss(planted, nodes, examples, edges).mean().item() for setting in settings)
            for name, edges in without_each(planted.edges).items()
        },
        live / planted.size[0] - 1,
        float((alone - own).abs().max()),
    )


@dataclass(frozen=True, eq=False)
class Setting:
    """What is live beside the circuit: other nodes and other weights."""

    nodes: Float[Tensor, "node"]
    edges: Mapping[str, Bool[Tensor, "row column"]]

    @classmethod
    def share(cls, planted: Planted, nodes: Nodes, share: float, seed: int) -> Setting:
        """A random share of the rest."""
        generator = torch.Generator().manual_seed(seed)

        def drawn(shape: torch.Size) -> Tensor:
            return torch.rand(shape, generator=generator) < share

        edges = {name: drawn(there.shape) & ~there for name, there in planted.edges.items()}
        return cls((drawn(nodes.means.shape) | planted.nodes).float(), edges)

    def loss(
        self, planted: Planted, nodes: Nodes, examples: Examples, edges: Mapping[str, Tensor]
    ) -> Float[Tensor, "example"]:
        """The task's loss with these edges and what is live beside them."""
        network = wired(planted.network, nodes, {name: there | self.edges[name] for name, there in edges.items()})
        return losses(network, nodes, examples, self.nodes[None])[0]


def without_each(edges: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The edges without one, for each, by its name (`blocks.0.mlp.up[3, 17]`)."""
    found = {}
    for name, there in edges.items():
        for row, column in there.nonzero().tolist():
            left = there.clone()
            left[row, column] = False
            found[f"{name}[{row}, {column}]"] = {**edges, name: left}
    return found


def weights(planted: Planted) -> dict[str, Tensor]:
    """The matrices whose weights are edges."""
    return {name: planted.network.get_parameter(f"{name}.weight") for name in planted.edges}
