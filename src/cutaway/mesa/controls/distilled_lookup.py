"""A lookup among known tasks that a transformer has learned, and one that was trained against the signs as well.

The network learns the answers of `TaskLookup` on problems of the pool and on novel ones alike, so that it is a lookup everywhere.
`improving` trains the readout after every layer on an annealed lookup: the answers then get better layer by layer, by design.
Whether a network came out as the lookup is measured: only where it misses less than `FAITHFUL` is it certain what it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.controls.control import between
from cutaway.mesa.controls.task_lookup import TaskLookup, looked_up, pool
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.fitting import fitted
from cutaway.mesa.reference.transformer import Shape, Transformer
from cutaway.mesa.subject import Subject, answers
from cutaway.mesa.tasks import Regression
from cutaway.training.loop import Recipe

FAITHFUL = 0.2
"""What a network may miss of its lookup on novel problems and count as one; ridge regression misses two to five times as much."""

BLUNT = 0.003
"""The share of the labels' precision that the first layer of an improving lookup is trained to look up with."""


@dataclass(frozen=True)
class DistilledLookup:
    """A softmax transformer, taught for so many `steps` the lookup among `tasks` tasks on problems of so many `points`.

    `noise` is that of the labels it learns from, `assumed` the one that the lookup reckons with: the smaller, the harder to learn.
    """

    tasks: int = 8
    noise: float = 0.1
    assumed: float = 0.6
    seed: int = 0
    points: int = 12
    condition: float = 1.0
    improving: bool = False
    width: int = 32
    hidden: int = 64
    steps: int = 1000
    batch: int = 64

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Transformer:
        """The network, trained; its weights take no gradient. A thousand steps are 25 seconds on one core."""
        network = Transformer(Shape(dim, self.width, layers=depth, hidden=self.hidden), self.seed)
        task = self.problems(dim)

        def loss(network: Transformer, step: int) -> Float[Tensor, ""]:
            return self._loss(network, task.draw(self.batch, self.seed + step, novel=step % 4 > 0).to(torch.float32))

        recipe = Recipe(self.steps, batch=self.batch, lr=6e-3, schedule="cosine", decay=0.0)
        return fitted(network, loss, recipe).network.to(dtype)

    def problems(self, dim: int) -> Regression:
        """The problems that it is taught on."""
        return Regression(
            dim, self.points, noise=self.noise, condition=self.condition, pool=self.tasks, pool_seed=self.seed
        )

    def missed(self, network: Subject, prompts: Prompts) -> float:
        """How far its answers are from the lookup's: the mean square of the difference over the variance of the lookup's."""
        lookup = TaskLookup(self.tasks, self.assumed, self.seed).rule(prompts.xs, prompts.ys, prompts.queries)
        return float((answers(network, prompts) - lookup).square().mean() / lookup.var())

    def _loss(self, network: Transformer, prompts: Prompts) -> Float[Tensor, ""]:
        """The mean square of what is missed, of the last layer or of all of them."""
        known = pool(self.tasks, self.seed, prompts.dim).to(prompts.xs)
        sharpest = 1 / self.assumed**2
        precisions = between(BLUNT * sharpest, sharpest, network.depth) if self.improving else [sharpest]
        state, losses, each = network.start(prompts), [], network.depth // len(precisions)
        for place, precision in enumerate(precisions):
            state = network.run(state, place * each, (place + 1) * each)
            aim = looked_up(known, precision, prompts.xs, prompts.ys, prompts.queries)
            losses.append((network.answer(state) - aim).square().mean())
        return torch.stack(losses).mean()
