"""The serial budget: how many steps, one a layer, an optimizer needs to come down to a share of the error it begins with.

First-order, accelerated, conjugate and second-order methods against the conditioning of a problem, and evolution against
dimension and number of candidates. Rates and other settings are the best of a list, one for each row, so the figures are kind
to every algorithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, isinf
from statistics import median

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers import (
    ConjugateGradient,
    Evolution,
    GradientDescent,
    Momentum,
    NewtonSchulz,
    Optimizer,
)
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.tasks import Regression

SHARES = (0.1, 0.01, 0.0001)
"""Shares of the error at the start."""

SEEDS = (7000, 7001, 7002)
APART = 1_000_003
"""Between the seeds of points and of queries."""

TASK = Regression(dim=20, points=60, queries=32, noise=0)


@dataclass(frozen=True)
class Row:
    """Steps that an algorithm needs on a kind of problem, one number a seed (inf: not within the limit)."""

    problem: str
    algorithm: str
    share: float
    steps: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one of the seeds."""
        return median(self.steps)


@dataclass(frozen=True)
class Budget:
    """A table of steps; nothing was tried beyond `limit` of them."""

    rows: tuple[Row, ...]
    limit: int

    def of(self, problem: str, algorithm: str, share: float) -> Row:
        """One row. Errors: no such row."""
        for row in self.rows:
            if (row.problem, row.algorithm, row.share) == (problem, algorithm, share):
                return row
        known = sorted({(row.problem, row.algorithm) for row in self.rows})
        raise KeyError(f"no row {problem!r}, {algorithm!r}, {share}; expected one of {known}, shares {SHARES}")

    def within(self, layers: int) -> float:
        """The share of rows whose median fits into so many layers."""
        return sum(row.median <= layers for row in self.rows) / len(self.rows)


def conditioning(
    conditions: Sequence[float] = (10, 200, 1800),
    task: Regression = TASK,
    seeds: Sequence[int] = SEEDS,
    problems: int = 8,
    limit: int = 400,
) -> Budget:
    """Four algorithms on noiseless regression whose XᵀX / n has exactly these condition numbers; so many `problems` a seed."""
    rows = []
    for condition in conditions:
        drawn = [conditioned(task, condition, problems, seed) for seed in seeds]
        top = float(_spectrum(task.dim, condition)[0])
        for name, settings in _first_order(top).items():
            rows += _rows(f"condition {condition:g}", name, settings, drawn, _bounded(name, limit))
    return Budget(tuple(rows), limit)


def breeding(
    sizes: Sequence[tuple[int, int]] = ((2, 16), (4, 32), (4, 256), (8, 64), (8, 512), (16, 128), (16, 1024)),
    seeds: Sequence[int] = SEEDS,
    problems: int = 4,
    limit: int = 96,
) -> Budget:
    """Evolution on well-conditioned noiseless regression, for pairs of a dimension and a number of candidates."""
    rows = []
    for dim, candidates in sizes:
        task = Regression(dim=dim, points=3 * dim, queries=32, noise=0)
        drawn = [task.draw(problems, seed) for seed in seeds]
        name = f"evolution, {candidates} candidates"
        rows += _rows(f"{dim} dimensions", name, _broods(candidates), drawn, limit)
    return Budget(tuple(rows), limit)


def conditioned(task: Regression, condition: float, count: int, seed: int) -> Prompts:
    """Noiseless problems of a task, their points whitened and then stretched, so that XᵀX / n has this condition number
    exactly.

    Errors: fewer points than dimensions, which no stretching gives full rank.
    """
    if task.points < task.dim:
        raise ValueError(
            f"{task.points} points in {task.dim} dimensions have no finite condition number; expected more"
        )
    prompts = task.draw(count, seed)
    basis = torch.linalg.qr(prompts.xs).Q * task.points**0.5
    scale = _spectrum(task.dim, condition).sqrt()
    xs = basis * scale
    generator = torch.Generator().manual_seed(
        seed + APART
    )  # the task's own seed would draw the points themselves again
    queries = torch.randn(prompts.queries.shape, generator=generator, dtype=xs.dtype) * scale
    weights = prompts.weights
    assert weights is not None
    ys, answers = (torch.einsum("pnd,pd->pn", places, weights) for places in (xs, queries))
    return Prompts(xs, ys, queries, answers, weights)


def text(budget: Budget) -> str:
    """The table in plain text: median steps over the seeds, with the smallest and the largest where they differ."""
    shares = sorted({row.share for row in budget.rows}, reverse=True)
    pairs = list(dict.fromkeys((row.problem, row.algorithm) for row in budget.rows))
    head = ("problem", "algorithm", *(f"to {share:.4g} of the error" for share in shares))
    lines = [head, *((*pair, *(_cell(budget.of(*pair, share), budget.limit) for share in shares)) for pair in pairs)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(row: Row, limit: int) -> str:
    low, middle, high = (
        f"> {limit}" if isinf(steps) else f"{steps:g}" for steps in (min(row.steps), row.median, max(row.steps))
    )
    return middle if low == high else f"{middle} ({low} to {high})"


def _rows(problem: str, name: str, settings: Sequence[Optimizer], drawn: Sequence[Prompts], limit: int) -> list[Row]:
    """A row for every share, with the setting whose median is smallest."""
    steps = [_steps(optimizer, drawn, limit) for optimizer in settings]
    return [
        Row(problem, name, share, min((counts[k] for counts in steps), key=lambda seeds: (median(seeds), sum(seeds))))
        for k, share in enumerate(SHARES)
    ]


def _steps(optimizer: Optimizer, drawn: Sequence[Prompts], limit: int) -> list[tuple[float, ...]]:
    """For every share, the first step of every seed that ends at or below it."""
    errors = [_errors(optimizer, prompts, limit) for prompts in drawn]
    return [tuple(_first(error, share) for error in errors) for share in SHARES]


def _errors(optimizer: Optimizer, prompts: Prompts, limit: int) -> Float[Tensor, "iterate"]:
    """The mean squared error after every step, over that at the start."""
    error = (optimizer.path(prompts, limit) - prompts.answers).square().mean((1, 2))
    return error / error[0]


def _first(errors: Float[Tensor, "iterate"], share: float) -> float:
    below = (errors <= share).nonzero()
    return float(below[0]) if len(below) else inf


def _spectrum(dim: int, condition: float) -> Float[Tensor, "dim"]:
    return Regression(dim=dim, condition=condition).spectrum()


def _bounded(name: str, limit: int) -> int:
    """Newton–Schulz doubles rounding in what it has not seen, and is done long before."""
    return min(limit, 40) if name in ("newton-schulz", "conjugate gradient") else limit


def _first_order(top: float) -> dict[str, list[Optimizer]]:
    """The settings tried, by algorithm, for problems of this largest eigenvalue."""
    carries, shares = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95), (0.5, 0.7, 0.9, 0.99)
    rates = [2 * share / top for share in (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)]
    return {
        "gradient descent": [GradientDescent(rate) for rate in rates],
        "momentum": [Momentum(2 * share * (1 + carry) / top, carry) for carry, share in product(carries, shares)],
        "conjugate gradient": [ConjugateGradient()],
        "newton-schulz": [NewtonSchulz(rate) for rate in rates],
    }


def _broods(candidates: int) -> list[Optimizer]:
    """The settings of evolution tried: 30."""
    tried = product((0.7, 1.2), (0.6, 0.75, 0.85, 0.92, 0.96), (0.1, 0.3, 1.0))
    return [Evolution(candidates, size, decay, temperature) for size, decay, temperature in tried]
