"""The families of networks that certainly run an optimizer: each compiled from its algorithm, with rates that converge."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import torch

from cutaway.mesa.tasks import Planning, Regression, ShortestPaths, Task
from cutaway.mesa.zoo.family import Draw, Family, Option, Problems, classes, regression, smooth
from cutaway.mesa.zoo.recipe import Argument
from cutaway.mesa.zoo.region import Region


def steepest(task: Task) -> float:
    """The largest eigenvalue of XᵀX / n among a thousand problems: gradient descent converges below 2 ÷ it."""
    value: Any = task  # frozen, hence hashable, which the protocol does not say
    return _steepest(value)


@cache
def _steepest(task: Any) -> float:
    xs = task.draw(1024, 0).xs
    return float(torch.linalg.eigvalsh(torch.einsum("pnd,pne->pde", xs, xs) / task.points).max())


def _rate(draw: Draw, limit: float = 2.0) -> float:
    return draw.share * limit / steepest(draw.task)


def _chebyshev(draw: Draw) -> dict[str, Argument]:
    high = steepest(draw.task) * draw.dice.uniform(1.05, 1.3)
    return {"high": high, "low": high * draw.dice.uniform(0.05, 0.25)}


def _preconditioned(draw: Draw) -> dict[str, Argument]:
    assert isinstance(draw.task, Regression)
    flat = replace(draw.task, condition=1.0)
    return {"rate": draw.share * 2 / steepest(flat), "variances": tuple(draw.task.spectrum().tolist())}


def _evolution(draw: Draw) -> dict[str, Argument]:
    return {
        "candidates": draw.dice.choice((64, 128)),
        "size": draw.dice.uniform(0.8, 1.2),
        "decay": draw.dice.uniform(0.75, 0.9),
        "temperature": draw.dice.uniform(0.3, 0.7),
        "seed": draw.seed,
    }


def skewed(dice: Random, region: Region) -> Regression:
    """Linear regression on points of unequal variances."""
    return replace(regression(dice, region), condition=max(region.conditions))


def sparse(dice: Random, region: Region) -> Regression:
    """Linear regression where half of the weights are 0."""
    task = regression(dice, region)
    return replace(task, nonzero=task.dim // 2)


def low(dice: Random, region: Region) -> Regression:
    """Linear regression in the fewest dimensions: evolution needs many candidates for more."""
    dim = min(region.dims)
    return replace(regression(dice, region), dim=dim, points=round(dim * dice.choice(region.points)), condition=1.0)


def worlds(dice: Random, region: Region) -> Planning:
    """Small worlds to plan in."""
    return Planning(states=2 + dice.choice(region.dims), queries=4)


def graphs(dice: Random, region: Region) -> ShortestPaths:
    """Graphs to find the shortest way in."""
    return ShortestPaths(states=6 + dice.choice(region.dims), queries=4)


def _of(name: str, arguments, problems: Problems = regression) -> Family:
    return Family(name, "iterative optimizer", (Option(name, arguments),), problems)


OPTIMIZER_FAMILIES = (
    _of("gradient descent", lambda draw: {"rate": _rate(draw)}),
    _of("momentum", lambda draw: {"rate": _rate(draw), "carry": draw.dice.uniform(0.2, 0.7)}),
    _of("nesterov", lambda draw: {"rate": _rate(draw, 4 / 3), "carry": draw.dice.uniform(0.2, 0.7)}),
    _of("chebyshev", _chebyshev),
    _of("preconditioned", _preconditioned, skewed),
    _of("gd++", lambda draw: {"rate": _rate(draw), "flatten": draw.dice.uniform(0.05, 0.25) / steepest(draw.task)}),
    # A quarter below its limit of 2: beyond, its error is squared at every step.
    _of("newton-schulz", lambda draw: {"rate": _rate(draw, 1.5)}),
    _of("conjugate gradient", lambda draw: {}),
    _of("ista", lambda draw: {"rate": _rate(draw), "penalty": draw.dice.uniform(0.01, 0.1)}, sparse),
    _of("evolution", _evolution, low),
    _of("logistic", lambda draw: {"rate": _rate(draw, 8.0)}, classes),
    _of("kernel", lambda draw: {"rate": 2 * draw.share, "bandwidth": draw.dice.uniform(1.0, 2.5)}, smooth),
    _of("boosting", lambda draw: {"rate": 2 * draw.share, "bandwidth": draw.dice.uniform(0.8, 1.4)}, smooth),
)
"""A family that is written later is added here."""

PLANNER_FAMILIES = (
    _of("value iteration", lambda draw: {"discount": draw.dice.choice((0.7, 0.8))}, worlds),
    _of("breadth-first", lambda draw: {}, graphs),
)
"""Optimizers on problems that no control answers: they are built like the others, and enter no rate."""
