"""When a set of nodes, or of nodes and edges, solves a task: alone, and with the rest masked at random.

The second is what a search cannot arrange for: with everything else at its mean, errors can be chosen that cancel, and
networks with shuffled weights have "circuits"; with random complements they have none.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cutaway.dial.prune.edges import Drawn, costs, wired
from cutaway.dial.prune.masked import Nodes, complements, losses, with_rest
from cutaway.dial.tasks import Examples
from cutaway.dial.transformer import SparseTransformer

FEW = 48
"""Examples for slopes and first looks."""


@dataclass(frozen=True, eq=False)
class Criterion:
    """The task's loss is at most `target` nats alone, and on average with random complements, on `examples`.

    There are `draws` complements, each on its own share of the examples. A set whose loss on a few examples is over `far` times
    the target is not tried on the others.
    """

    network: SparseTransformer
    nodes: Nodes
    examples: Examples
    target: float
    draws: int = 3
    seed: int = 0
    far: float = 1.2

    @cached_property
    def rest(self) -> Float[Tensor, "draw node"]:
        """Which nodes are live in each complement."""
        return complements(self.nodes, self.draws, self.seed)

    @cached_property
    def live(self) -> list[dict[str, Tensor]]:
        """Which weights are live in each complement, whatever the network's numbering."""
        drawn = Drawn(self.network, self.nodes, self.seed + 1)
        return [drawn.draw() for _ in range(self.draws)]

    @cached_property
    def few(self) -> Examples:
        """A few of the examples: what fails on them by far need not be tried on all, and slopes are taken on them."""
        return self.examples.take(torch.arange(min(FEW, len(self.examples)) // 2))

    @cached_property
    def others(self) -> Examples:
        """All but the few."""
        return self.examples.take(torch.arange(len(self.few) // 2, len(self.examples) // 2))

    @cached_property
    def shares(self) -> list[Examples]:
        """The examples of each complement."""
        pairs = torch.arange(len(self.examples) // 2)
        return [self.examples.take(pairs[draw :: self.draws]) for draw in range(self.draws)]

    @cached_property
    def spare(self) -> SparseTransformer:
        """A copy of the network to cut edges in."""
        return copy.deepcopy(self.network)

    def nodes_over(self, kept: Bool[Tensor, "node"]) -> float:
        """By how many nats these nodes, with every weight between them, exceed the criterion."""
        return self._over(lambda which, on: losses(self.network, self.nodes, on, self.masks(kept)[which][None])[0])

    def edges_over(self, kept: Bool[Tensor, "node"], edges: Mapping[str, Tensor]) -> float:
        """By how many nats these edges between these nodes exceed the criterion."""
        return self._over(lambda which, on: self.cut(kept, edges, which, on))

    @torch.no_grad()
    def _over(self, loss: Callable[[int, Examples], Tensor]) -> float:
        """The cheapest first, as most sets fail: alone on a few examples, alone on the others, then the complements."""
        found = loss(0, self.few)
        if found.mean() > self.far * self.target:
            return float(found.mean()) - self.target
        if len(self.others):
            found = torch.cat([found, loss(0, self.others)])
        if found.mean() > self.target:
            return float(found.mean()) - self.target
        beside = torch.cat([loss(draw, share) for draw, share in enumerate(self.shares, 1)])
        return float(max(found.mean(), beside.mean())) - self.target

    def masks(self, kept: Tensor) -> Float[Tensor, "mask node"]:
        """These nodes alone, then with each complement."""
        return with_rest(kept.float(), self.rest)

    def cut(
        self, kept: Tensor, edges: Mapping[str, Tensor], which: int, examples: Examples
    ) -> Float[Tensor, "example"]:
        """The loss with these edges alone (0) or with complement `which`."""
        network = wired(self.network, self.nodes, self.there(edges, which), self.spare)
        return losses(network, self.nodes, examples, self.masks(kept)[which][None])[0]

    def there(self, edges: Mapping[str, Tensor], which: int) -> Mapping[str, Tensor]:
        """Which weights are live: these edges, and with complement `which` others."""
        if which == 0:
            return edges
        live = self.live[which - 1]
        return {name: there | live[name] for name, there in edges.items()}

    def cost_of_nodes(self, kept: Bool[Tensor, "node"]) -> Float[Tensor, "node"]:
        """By how much the loss rises, to first order, when each node goes; alone counts as much as all complements."""
        leaf = kept.float().requires_grad_()
        every = losses(self.network, self.nodes, self.few, with_rest(leaf, self.rest)).mean(1)
        return -torch.autograd.grad(every[0] + every[1:].mean(), leaf)[0]

    def cost_of_edges(self, kept: Bool[Tensor, "node"], edges: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """By how much the loss rises, to first order, when each edge goes."""
        total = {name: torch.zeros(there.shape) for name, there in edges.items()}
        for which, mask in enumerate(self.masks(kept)):
            beside = None if which == 0 else self.live[which - 1]
            for name, cost in self.slopes(mask, edges, beside, self.few)[1].items():
                total[name] += cost if which == 0 else cost / self.draws
        return total

    @torch.enable_grad()
    def slopes(
        self,
        mask: Float[Tensor, "node"],
        edges: Mapping[str, Tensor],
        beside: Mapping[str, Tensor] | None,
        on: Examples,
    ) -> tuple[float, dict[str, Tensor]]:
        """The loss with these edges, and others `beside` them, and its rise, to first order, when each of these alone goes.

        What is there beside them stays whether or not an edge goes, and so does an edge that is there beside itself.
        """
        there = edges if beside is None else {name: those | beside[name] for name, those in edges.items()}
        cut = wired(self.network, self.nodes, there, self.spare).requires_grad_()
        loss = losses(cut, self.nodes, on, mask[None]).mean()
        rises = costs(self.network, cut, self.nodes, loss)
        if beside is not None:
            rises = {name: rise * ~beside[name] for name, rise in rises.items()}
        return loss.item(), rises
