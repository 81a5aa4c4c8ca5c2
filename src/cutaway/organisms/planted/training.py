"""Training one network for all twins: every row is asked many questions at once, each blind to the others.

A row is one situation and a few two-word questions after it; a mask lets each question see the situation and itself only,
at the positions that it has when it is asked alone. So one pass learns from a dozen decisions at the price of two or three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Generic, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.organisms.planted.planting import I, N, Planting, Shape, gated
from cutaway.organisms.planted.prompts import BOS, World
from cutaway.runs.progress import Progress, silent
from cutaway.training.loop import Recipe, TrainingDivergedError, resumed

if TYPE_CHECKING:
    from transformers import PreTrainedModel

QUESTION = 2
"""The words of a question."""

W = TypeVar("W", bound=World)


@dataclass(frozen=True)
class Plan:
    """How a network is made: its shape, the steps, the situations a step, the highest learning rate."""

    shape: Shape = field(default_factory=Shape)
    steps: int = 600
    batch: int = 64
    lr: float = 4e-3

    @classmethod
    def small(cls) -> Plan:
        """For the small world."""
        return cls(Shape(layers=2, width=48, heads=6, hidden=96, slot=16), steps=400, batch=48, lr=6e-3)

    def recipe(self, seed: int, context: int) -> Recipe:
        """The same as the training loop's recipe."""
        return Recipe(self.steps, self.batch, context, self.lr, warmup=0.05, schedule="cosine", decay=0.01, seed=seed)


@dataclass(frozen=True, eq=False)
class Grown(Generic[N, W, I]):
    """A network that has learned every behaviour of a world, each in its slot; all slots on."""

    network: N
    world: W
    plan: Plan
    planting: Planting[I]
    seed: int
    losses: tuple[float, ...]
    cpu_seconds: float

    @property
    def made(self) -> str:
        """How it was made, in words."""
        return f"{len(self.losses)} steps, {self.cpu_seconds:.0f} CPU seconds"


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch: token ids, the wanted ids [row, question], and which slots are on [row, slot], copies apart."""

    ids: Int[Tensor, "row position"]
    wanted: Int[Tensor, "row question"]
    on: Float[Tensor, "row slot"]
    positions: Int[Tensor, "1 position"]
    sees: Bool[Tensor, "1 1 position position"]
    ends: Int[Tensor, "question"]


@dataclass(frozen=True)
class Drawn:
    """One row in words: the situation, the questions with their answers, and which slots are on, copies apart."""

    situation: str
    asked: Sequence[tuple[str, str]]
    on: Sequence[bool]


def grow(
    network: N,
    world: W,
    planting: Planting[I],
    plan: Plan,
    seed: int,
    draw: Callable[[int, Random], Rows],
    folder: Path | None = None,
    progress: Progress = silent,
    every: int = 100,
) -> Grown[N, W, I]:
    """Trains a network with its slots gated; with a `folder` it goes on from its last checkpoint.

    `draw` gives a batch of that many rows. Raises TrainingDivergedError, ValueError where the folder holds another run.
    """
    recipe = plan.recipe(seed, 1 + world.clauses + QUESTION)
    with gated(network, planting.slots) as gate:

        def step(optimiser: torch.optim.Optimizer, number: int) -> float:
            rows = draw(recipe.batch, Random(f"batch {seed}/{number}"))
            gate(rows.on)
            return one_step(network, optimiser, rows, recipe.rate(number), recipe.clip)

        ran = resumed(network, recipe, step, {"world": world, "planting": planting}, folder, progress, every)
    return Grown(network.eval(), world, plan, planting, seed, ran.losses, ran.cpu_seconds)


def assembled(world: World, drawn: Sequence[Drawn]) -> Rows:
    """Rows as tensors; all must have as many questions."""
    ids, context, questions = world.ids, 1 + world.clauses, len(drawn[0].asked)
    texts = [[BOS, *row.situation.split(), *(word for text, _ in row.asked for word in text.split())] for row in drawn]
    positions, sees = layout(context, questions)
    return Rows(
        ids=torch.tensor([[ids[word] for word in text] for text in texts]),
        wanted=torch.tensor([[ids[answer] for _, answer in row.asked] for row in drawn]),
        on=torch.tensor([row.on for row in drawn], dtype=torch.float32),
        positions=positions,
        sees=sees,
        ends=context + QUESTION * torch.arange(1, questions + 1) - 1,
    )


def gates(copies: int, on: bool, rng: Random) -> tuple[bool, ...]:
    """All copies off, or some on: each must be enough alone."""
    some = [one for one in product((False, True), repeat=copies) if any(one)]
    return rng.choice(some) if on else (False,) * copies


def layout(context: int, questions: int) -> tuple[Int[Tensor, "1 position"], Bool[Tensor, "1 1 position position"]]:
    """Position ids, and who sees whom: a situation is causal, each question sees it and itself."""
    part = torch.cat(
        [torch.zeros(context, dtype=torch.long), torch.arange(1, questions + 1).repeat_interleave(QUESTION)]
    )
    positions = torch.cat([torch.arange(context), (context + torch.arange(QUESTION)).repeat(questions)])
    causal = torch.ones(len(part), len(part), dtype=torch.bool).tril()
    sees = causal & ((part[:, None] == part) | (part == 0))
    return positions[None], sees[None, None]


def logits(network: PreTrainedModel, rows: Rows) -> Float[Tensor, "row question vocab"]:
    """The network's logits at the end of every question."""
    count = len(rows.ids)
    found = network.base_model(
        input_ids=rows.ids,
        position_ids=rows.positions.expand(count, -1),
        attention_mask=rows.sees.expand(count, -1, -1, -1),
        use_cache=False,
    )
    return network.get_output_embeddings()(found.last_hidden_state[:, rows.ends])


@torch.enable_grad()
def one_step(network: PreTrainedModel, optimiser: torch.optim.Optimizer, rows: Rows, rate: float, clip: float) -> float:
    """Moves the weights by one batch; gives the mean loss of a question in nats."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    loss = F.cross_entropy(logits(network, rows).flatten(0, 1), rows.wanted.flatten())
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        raise TrainingDivergedError(
            f"loss {loss.item():.3g}, gradient norm {norm.item():.3g}; expected numbers; try a smaller lr ({rate:g})"
        )
    optimiser.step()
    return loss.item()
