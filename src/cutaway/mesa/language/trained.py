"""A small GPT-style network trained here to classify in context: the recipe and its seed are shipped, not the weights.

Only the label tokens are trained on, all of a prompt at once; every step has prompts that were never seen before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional as F

from cutaway.mesa.language.features import Features
from cutaway.mesa.language.shots import Shots
from cutaway.network import Network, wrap
from cutaway.runs.progress import Progress, silent
from cutaway.training.loop import Recipe, resumed
from cutaway.training.transformer import Shape, Transformer


@dataclass(frozen=True)
class InContext:
    """How such a network is made: the tasks, its sizes, the training; `familiar` is the share of prompts of familiar tasks."""

    features: Features = field(default_factory=Features)
    layers: int = 4
    width: int = 64
    heads: int = 4
    familiar: float = 0.25
    steps: int = 6000
    batch: int = 32
    lr: float = 2e-3
    seed: int = 7001

    @property
    def recipe(self) -> Recipe:
        """The training's numbers."""
        return Recipe(self.steps, self.batch, self.features.length, self.lr, warmup=0.05, decay=0.01, seed=self.seed)

    def untrained(self) -> Transformer:
        """The network that training begins with."""
        of, head = self.features, self.width // self.heads
        shape = Shape(
            of.vocabulary, of.length, self.width, self.layers, self.heads, head, 4 * self.width, positions="learned"
        )
        return Transformer(shape, self.seed)

    def trained(
        self, folder: Path | str | None = None, progress: Progress = silent
    ) -> tuple[Network, tuple[float, ...]]:
        """The network, and the loss of each step in nats a label; with a `folder` the run is kept there and goes on."""
        network, recipe = self.untrained().train(), self.recipe

        def step(optimiser: torch.optim.Optimizer, number: int) -> float:
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate(number)
            shown = self.features.training(self.batch, self.seed * 1_000_003 + number, self.familiar)
            before, answers = answered(shown)
            loss = F.cross_entropy(network(shown.ids)[:, before].flatten(0, 1), answers.flatten())
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            optimiser.step()
            return loss.item()

        ran = resumed(network, recipe, step, {"made": self}, folder, progress)
        return wrap(network.eval(), name=f"in-context classifier {self.seed}"), ran.losses


def answered(shown: Shots) -> tuple[Int[Tensor, "place"], Int[Tensor, "prompt place"]]:
    """The positions after which a label comes, the query's too, and the label tokens that do."""
    right = torch.where(shown.truth > 0, shown.labels[:, 0], shown.labels[:, 1])
    before = torch.cat([shown.slots - 1, torch.tensor([shown.length - 1])])
    return before, torch.cat([shown.ids[:, shown.slots], right[:, None]], 1)
