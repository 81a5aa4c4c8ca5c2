"""Rows of made-up sweeps whose price is known: loss = 1.5 + 4 · compute^-¼, with noise between seeds."""

from collections.abc import Callable
from typing import Any

import numpy as np

STEP = 2.5
"""The factor from one budget to the next."""


def rows(
    rng: np.random.Generator,
    pressure: str = "dense",
    multiplier: Callable[[float], float] = lambda compute: 1.0,
    budgets: int = 4,
    seeds: int = 3,
    noise: float = 0.01,
    first: float = 1000.0,
    rates: tuple[float, ...] = (0.01,),
) -> list[dict[str, Any]]:
    """A row for each budget, learning rate and seed; `multiplier` of a dense compute is how many times that a run takes."""
    return [
        row(pressure, place, seed, lr, compute * multiplier(compute), loss_at(compute) + noise * rng.standard_normal())
        for place, compute in enumerate(first * STEP**n for n in range(budgets))
        for lr in rates
        for seed in range(seeds)
    ]


def row(pressure: str, place: int, seed: int, lr: float, compute: float, loss: float) -> dict[str, Any]:
    """One run, of a width of its budget."""
    about = {
        "corpus": "tiny",
        "layers": 2,
        "batch": 64,
        "context": 0,
        "width": 16 * (place + 1),
        "tokens": int(compute),
    }
    took = {"executed_gflop": compute, "useful_gflop": compute / 4, "cpu_s": compute / 10}
    plan = {"name": f"{pressure}-{place}-{lr:g}-{seed}", "pressure": pressure, "seed": seed, "lr": lr}
    return {**about, **took, **plan, "loss": loss, "live": 1 if pressure != "dense" else 4, "of": 4, "why": None}


def loss_at(compute: float) -> float:
    """Of a dense network."""
    return 1.5 + 4 * compute**-0.25
