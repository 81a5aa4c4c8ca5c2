"""Problems of random size and exact conditioning, with an optimizer of random settings for each name, within where it converges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import torch
from torch import Tensor

from cutaway.mesa.optimizers import (
    ISTA,
    Boosting,
    BreadthFirst,
    Chebyshev,
    ConjugateGradient,
    CurvatureCorrected,
    Evolution,
    GradientDescent,
    KernelGradientDescent,
    LogisticGradientDescent,
    Momentum,
    Nesterov,
    NewtonSchulz,
    Optimizer,
    PreconditionedGradientDescent,
    ValueIteration,
)
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import Subject, states
from cutaway.mesa.tasks import Planning, Regression, ShortestPaths

Drawn = tuple[Prompts, Optimizer]


def case(name: str, seed: int, largest: int = 8) -> Drawn:
    """Problems of random size, in at most so many dimensions, and the optimizer of this name with random settings."""
    random = Random(seed)
    if name in WORLDS:
        return WORLDS[name](random, seed)
    dim = random.randint(1, largest)
    condition = random.choice((1.0, 10.0, 100.0)) if dim > 1 else 1.0
    prompts = regression(dim, dim + random.randint(0, 12), condition, seed)
    spectrum = Regression(dim=dim, condition=condition).spectrum()
    return FITS[name](random, prompts, spectrum[0].item(), spectrum[-1].item())


def regression(dim: int, points: int, condition: float, seed: int, count: int = 2) -> Prompts:
    """Noisy regression whose XᵀX / n has this condition number exactly, in random directions."""
    drawn = Regression(dim=dim, points=points, queries=4).draw(count, seed)
    generator = torch.Generator().manual_seed(seed)
    scale = Regression(dim=dim, condition=condition).spectrum().sqrt()
    turn = torch.linalg.qr(torch.randn(dim, dim, generator=generator, dtype=torch.float64)).Q
    xs = torch.linalg.qr(drawn.xs).Q * points**0.5 * scale @ turn
    queries = drawn.queries * scale @ turn
    assert drawn.weights is not None
    ys = torch.einsum("pnd,pd->pn", xs, drawn.weights) + 0.1 * torch.randn(drawn.ys.shape, generator=generator)
    return Prompts(xs, ys, queries, torch.einsum("pqd,pd->pq", queries, drawn.weights), drawn.weights)


def layers(network: Subject, prompts: Prompts) -> Tensor:
    """What the network would answer after 0, 1, …, depth layers."""
    return torch.stack([network.answer(state) for state in states(network, prompts)])


def apart(found: Tensor, expected: Tensor) -> float:
    """The largest difference, over the largest answer; a sparse solution may be 0 altogether."""
    scale = expected.double().abs().max().clamp(min=1e-6)
    return ((found.double() - expected.double()).abs().max() / scale).item()


def _momentum(random: Random, prompts: Prompts, top: float, low: float) -> Drawn:
    carry = random.uniform(0.1, 0.9)
    return prompts, Momentum(2 * random.uniform(0.05, 0.95) * (1 + carry) / top, carry)


def _preconditioned(random: Random, prompts: Prompts, top: float, low: float) -> Drawn:
    variances = tuple(random.uniform(0.2, 5) for _ in range(prompts.dim))
    return prompts, PreconditionedGradientDescent(2 * random.uniform(0.05, 0.95) / top * min(variances), variances)


def _evolution(random: Random, prompts: Prompts, top: float, low: float) -> Drawn:
    drawn = Evolution(
        random.choice((3, 8, 16)), random.uniform(0.5, 1.5), random.uniform(0.9, 0.97), seed=random.randrange(100)
    )
    return prompts, replace(drawn, temperature=random.uniform(1, 3) * drawn.steady(prompts.dim, top))


def _logistic(random: Random, prompts: Prompts, top: float, low: float) -> Drawn:
    return prompts.relabelled(prompts.ys.sign()), LogisticGradientDescent(8 * random.uniform(0.05, 0.95) / top)


def _planned(random: Random, seed: int) -> Drawn:
    actions, states = random.randint(1, 4), random.randint(4, 9)
    return Planning(states, actions, 4).draw(2, seed), ValueIteration(actions, random.uniform(0.3, 0.95))


def _searched(random: Random, seed: int) -> Drawn:
    return ShortestPaths(random.randint(5, 12), random.randint(0, 3), 4).draw(2, seed), BreadthFirst()


WORLDS: dict[str, Callable[[Random, int], Drawn]] = {"value iteration": _planned, "breadth-first": _searched}

FITS: dict[str, Callable[[Random, Prompts, float, float], Drawn]] = {
    "gradient descent": lambda r, p, top, low: (p, GradientDescent(2 * r.uniform(0.05, 0.95) / top)),
    "momentum": _momentum,
    "nesterov": lambda r, p, top, low: (p, Nesterov(r.uniform(0.05, 0.95) / top, r.uniform(0.1, 0.9))),
    "chebyshev": lambda r, p, top, low: (p, Chebyshev(0.9 * low, 1.1 * top)),
    "preconditioned": _preconditioned,
    "gd++": lambda r, p, top, low: (p, CurvatureCorrected(2 * r.uniform(0.05, 0.95) / top, r.uniform(0.05, 0.5) / top)),
    "newton-schulz": lambda r, p, top, low: (p, NewtonSchulz(2 * r.uniform(0.05, 0.95) / top)),
    "conjugate gradient": lambda r, p, top, low: (p, ConjugateGradient()),
    "ista": lambda r, p, top, low: (p, ISTA(2 * r.uniform(0.05, 0.95) / top, r.uniform(0.01, 0.2))),
    "evolution": _evolution,
    "logistic": _logistic,
    "kernel": lambda r, p, top, low: (p, KernelGradientDescent(r.uniform(0.1, 1.9), r.uniform(0.4, 1.5) * p.dim**0.5)),
    "boosting": lambda r, p, top, low: (p, Boosting(r.uniform(0.1, 1.9), r.uniform(1, 3))),
}
