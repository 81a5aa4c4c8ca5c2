"""End-to-end training on in-context regression, over a dial of task diversity, with the network kept at checkpoints.

Tasks come from a pool of 1, 2, … or without end; a small pool makes a lookup, a large one a ridge regression (Raventós et al. 2023,
arXiv 2306.15063), and in between a network may be the one first and the other later (Carroll et al. 2025, arXiv 2501.17745). What a
network trained so has inside is not certain.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from math import inf, log
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.fitting import Fitted, fitted
from cutaway.mesa.reference.transformer import Shape, Transformer
from cutaway.mesa.subject import Subject, answers
from cutaway.mesa.tasks import Regression
from cutaway.runs import Progress, silent
from cutaway.training.loop import Recipe

RECIPE = Recipe(5000, batch=64, lr=3e-3, schedule="cosine", decay=0.0)
"""A run of some minutes of CPU; `context` and `windows` have no meaning here."""

TINY = 1e-12
"""Distances below are taken as this."""


@dataclass(frozen=True)
class Course:
    """A run of training: the network at its end, and copies of it after so many steps."""

    fitted: Fitted[Transformer]
    checkpoints: tuple[tuple[int, Transformer], ...]


def trained(
    shape: Shape,
    task: Regression,
    recipe: Recipe = RECIPE,
    at: tuple[int, ...] = (),
    folder: Path | str | None = None,
    progress: Progress = silent,
    every: int = 500,
) -> Course:
    """A transformer trained on fresh problems of a task, of its pool where it has one; copies are kept after the steps `at`.

    With a `folder` the run is kept there `every` so many steps and goes on where it stopped; as copies of steps before that are
    not made again, it takes no `at`.
    """
    if task.dim != shape.dim:
        raise ValueError(f"the task has {task.dim} dimensions, the network {shape.dim}; expected as many")
    if any(not 1 <= step <= recipe.steps for step in at):
        raise ValueError(f"checkpoints asked after steps {at}; expected 1 to {recipe.steps}")
    if folder is not None and at:
        raise ValueError("a run that can be resumed keeps no copies on its way; give a folder, or `at`, not both")
    kept: list[tuple[int, Transformer]] = []

    def loss(network: Transformer, number: int) -> Float[Tensor, ""]:
        prompts = task.draw(recipe.batch, recipe.seed * 1_000_003 + number, novel=False).to(torch.float32)
        return (network(prompts) - prompts.answers).square().mean()

    def keep(network: Transformer, step: int) -> None:
        if step in at:
            kept.append((step, copy.deepcopy(network).eval().requires_grad_(False)))

    fresh = Transformer(shape, recipe.seed)
    run = fitted(fresh, loss, recipe, {"task": task}, folder, progress, every, keep)
    return Course(run, tuple(kept))


def ridge(prompts: Prompts, noise: float) -> Float[Tensor, "prompt query"]:
    """The best answers where every problem has a new task w ~ N(0, I / dim): ridge regression with penalty dim · noise²."""
    xs = prompts.xs
    curvature = xs.mT @ xs + prompts.dim * noise**2 * torch.eye(prompts.dim, dtype=xs.dtype)
    weights = torch.linalg.lstsq(curvature, xs.mT @ prompts.ys.unsqueeze(-1)).solution
    return (prompts.queries @ weights).squeeze(-1)


def lookup(prompts: Prompts, pool: Float[Tensor, "task dim"], noise: float) -> Float[Tensor, "prompt query"]:
    """The best answers where the task is one of a pool: the posterior mean over it (dMMSE)."""
    if noise <= 0:
        raise ValueError(f"noise is {noise}; expected more than 0: without noise no share of a task is defined")
    residual = torch.einsum("td,pnd->ptn", pool, prompts.xs) - prompts.ys.unsqueeze(1)
    shares = (-residual.square().sum(2) / (2 * noise**2)).softmax(1)
    return torch.einsum("pt,td,pqd->pq", shares, pool, prompts.queries)


@dataclass(frozen=True)
class Between:
    """Mean squared errors on novel problems and on those of the pool, and distances to ridge and lookup on novel ones.

    All are over the mean square of the true answers. `lookup` is None where there is no pool.
    """

    novel: float
    known: float
    ridge: float
    lookup: float | None

    @property
    def leaning(self) -> float:
        """log(distance to ridge / distance to lookup): above 0 nearer to the lookup; minus infinity where there is no pool."""
        return -inf if self.lookup is None else log(max(self.ridge, TINY)) - log(max(self.lookup, TINY))


@torch.no_grad()
def compared(subject: Subject, task: Regression, seed: int, count: int = 512) -> Between:
    """Where a subject stands between ridge regression and a lookup of the task's pool."""
    novel, known = task.draw(count, seed), task.draw(count, seed + 1, novel=False)

    def apart(prompts: Prompts, wanted: Float[Tensor, "prompt query"]) -> float:
        return float((answers(subject, prompts) - wanted).square().mean() / prompts.answers.square().mean())

    found = None if task.pool is None else apart(novel, lookup(novel, task.tasks(), task.noise))
    return Between(
        apart(novel, novel.answers), apart(known, known.answers), apart(novel, ridge(novel, task.noise)), found
    )


def dial(task: Regression, pools: tuple[int | None, ...]) -> tuple[Regression, ...]:
    """The task at every setting of its diversity; None is without end."""
    return tuple(replace(task, pool=pool) for pool in pools)
