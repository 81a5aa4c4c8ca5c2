"""What a pressure adds to a training step: top-k and regrowth at 1:16 beside the plain step, width 128, 2 layers.

Each round takes ten steps of every network, one after another: of ten steps one exchanges weights under regrowth. The
networks stand in the middle of a long run, where top-k has reached its share and regrowth still exchanges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import torch

from benchmarks.figures import Bar, Measured, Result, ratio
from benchmarks.kept import Kept
from benchmarks.timing import interleave
from cutaway.dial.pressure import Pressure, Regrowth, TopK, live
from cutaway.dial.train import Pressed, one_step
from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.training.loop import Recipe, adamw

DEPENDS = ("dial/pressure", "dial/train.py", "dial/transformer.py", "training/loop.py", "dial_overhead.py")
MINUTES = 1.2
SHAPE = SparseShape(vocab=256, context=64, width=128)
RECIPE = Recipe(steps=100_000, batch=64, context=64, lr=1e-2, warmup=0.0)
MIDDLE = RECIPE.steps // 2
CALLS = 10  # Regrowth.every: one exchange in each round
ROUNDS = 9  # a few per cent are to be told from the noise of a shared machine
PRESSURES: dict[str, tuple[Pressure, ...]] = {"plain": (), "top-k": (TopK(),), "regrowth": (Regrowth(every=CALLS),)}


def measure(kept: Kept, repetitions: int) -> None:
    """Batches of 64 × 64 random tokens."""
    networks = {name: Pressed(SparseTransformer(SHAPE, seed=7000), given) for name, given in PRESSURES.items()}
    timed = {name: stepping(pressed) for name, pressed in networks.items()}
    rounds = max(ROUNDS, 3 * repetitions)
    interleave(kept, "64x64", timed, rounds, lambda: facts(networks), calls=CALLS)


def stepping(pressed: Pressed) -> Callable[[], float]:
    """One step of a network each time it is called."""
    numbers, optimiser = count(MIDDLE), adamw(pressed, RECIPE)
    tokens = torch.randint(SHAPE.vocab, (100_000,), generator=torch.Generator().manual_seed(7001))

    def step() -> float:
        batch = RECIPE.windows.draw(tokens, RECIPE.batch, RECIPE.context)
        return one_step(pressed, optimiser, batch, RECIPE, next(numbers))

    return step


def facts(networks: dict[str, Pressed]) -> dict[str, Any]:
    """How many weights live, counted."""
    return {name: {"live": sum(k["live"] for k in live(one.network).values())} for name, one in networks.items()}


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for name in ("top-k", "regrowth"):
        what = f"{name} at 1:16, one training step against the plain one, width 128, 2 layers, 64 × 64"
        yield what, Bar(1.05, False, "{:.3f}×"), "dial_overhead", over(name)


def over(name: str) -> Callable[[Result], Measured]:
    """A step under pressure over the plain step."""
    return lambda result: ratio(result, "64x64", name, "plain")
