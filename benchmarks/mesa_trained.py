"""Blocks that were trained, each alone, to compute one step of an optimizer, stacked; and von Oswald et al. 2023 done again.

Softmax attention with LayerNorm, K = 12 steps, points of condition number 10. Settings were chosen on seeds 7001 to
7004; 8001 to 8006 were used up by settings that are no more: a last fit by L-BFGS did not carry from seed to seed, and one of
three stacks of kernel descent ran away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from statistics import mean, median
from typing import Any

import torch

from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, exact, share, spread
from benchmarks.kept import Kept
from benchmarks.mesa_steps import SAME
from cutaway.mesa.matches import FAMILIES
from cutaway.mesa.optimizers import (
    Boosting,
    GradientDescent,
    KernelGradientDescent,
    Momentum,
    Nesterov,
    NewtonSchulz,
    Optimizer,
    PreconditionedGradientDescent,
)
from cutaway.mesa.reference.layerwise import RECIPE, Pupil, taught, unexplained
from cutaway.mesa.replications import von_oswald
from cutaway.mesa.tasks import Regression
from cutaway.mesa.watched import Watched

DEPENDS = (
    *(f"mesa/{name}.py" for name in ("alike", "least_squares", "lens", "matches", "watched")),
    "mesa/optimizers",
    "mesa/reference",
    "mesa/replications",
    "mesa/tasks",
    "training/loop.py",
    "mesa_trained.py",
)
MINUTES = 18.0
SEEDS = (8007, 8008, 8009)
STEPS = 12
TASK = Regression(dim=4, points=12, condition=10.0)
PLAIN = Pupil()
TEACHERS: dict[str, tuple[Optimizer, Pupil, int]] = {
    "gradient descent": (GradientDescent(0.2), PLAIN, 5000),
    "preconditioned": (PreconditionedGradientDescent(0.2, tuple(TASK.spectrum().tolist())), PLAIN, 5000),
    "momentum": (Momentum(0.15, 0.5), PLAIN, 9500),
    "nesterov": (Nesterov(0.15, 0.5), PLAIN, 9500),
    "kernel": (KernelGradientDescent(), Pupil(noise=0.06), 4500),
    "boosting": (Boosting(), PLAIN, 2000),
    "newton-schulz": (NewtonSchulz(0.2), Pupil(pairs=2), 3000),
}
"""The optimizers that are taught, how their blocks are built and taught, and for how many steps each block learns."""
UNTAUGHT = 0.01
NEAR = 0.02
"""Stacks that leave no more are asked which algorithm they run."""


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    each_kept(kept, "von oswald", replicated, [(seed,) for seed in SEEDS])
    each_kept(kept, "layer by layer", stacked, [(name, seed) for name in TEACHERS for seed in SEEDS])


def replicated(seed: int) -> dict[str, Any]:
    """One layer of linear attention beside one step."""
    found = von_oswald.learned(seed)
    return {"seed": seed, "cpu seconds": found.cpu_seconds, **asdict(von_oswald.compared(found.network, seed + 500))}


def stacked(name: str, seed: int) -> dict[str, Any]:
    """What the stack leaves unexplained of the algorithm's predictions, after every step."""
    optimizer, pupil, steps = TEACHERS[name]
    teacher = optimizer.compiled(TASK.dim, STEPS, torch.float32)
    found = taught(teacher, TASK, pupil, replace(RECIPE, steps=steps, seed=seed))
    prompts = TASK.draw(512, seed + 500)
    left = unexplained(found.network, optimizer.path(prompts, STEPS), prompts)
    alike = Watched.of(found.network, TASK, seed + 700).alike
    about = {"teacher": name, "seed": seed, "cpu seconds": found.cpu_seconds, "left": left.tolist()}
    return {**about, "alike": alike.families, "distances": alike.left}


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what = "mesa, blocks taught one step each, softmax and LayerNorm, 12 stacked: optimizers"
    yield (
        f"{what} of which ≤ 1 % is unexplained, ≤ 60 CPU s, at every seed",
        Bar(5, True, "{:.0f}"),
        "mesa_trained",
        all_met,
    )
    for name in TEACHERS:
        yield f"… {name}: unexplained", Bar(UNTAUGHT, False, "{:.2%}"), "mesa_trained", left_of(name)
    what = f"mesa, of those that leave ≤ {NEAR:.0%} after the last step: class of algorithms holds the true one"
    yield what, Bar(0.8, True, "{:.0%}"), "mesa_trained", named
    what = "one trained layer of linear attention against one step (von Oswald et al. 2023)"
    yield f"{what}: sensitivity cosine", Bar(0.9999, True, "{:.5f}"), "mesa_trained", replication("cosine")
    yield "… difference of answers", Bar(0.01, False, "{:.4f}"), "mesa_trained", replication("difference")
    yield "… CPU seconds", Bar(20.0, False, "{:.1f} s"), "mesa_trained", replication("cpu seconds")


def rows_of(result: Result, name: str) -> list[dict[str, Any]]:
    """The networks that one optimizer was taught to."""
    return [row for row in result["settings"]["layer by layer"]["facts"]["networks"] if row["teacher"] == name]


def all_met(result: Result) -> Measured:
    """How many optimizers meet both bars at every seed."""
    met = [
        name
        for name in TEACHERS
        if all(row["left"][-1] <= UNTAUGHT and row["cpu seconds"] <= 60 for row in rows_of(result, name))
    ]
    return exact(len(met), f"of {len(TEACHERS)}, {len(SEEDS)} seeds each: {', '.join(met) or 'none'}")


def left_of(name: str) -> Callable[[Result], Measured]:
    """The share of variance that is left after the last step."""
    return lambda result: spread([row["left"][-1] for row in rows_of(result, name)], "seed")


def named(result: Result) -> Measured:
    """The share of near enough stacks whose class holds what they were taught, and how large a class is."""
    rows = [row for name in TEACHERS for row in rows_of(result, name) if row["left"][-1] <= NEAR]
    size = mean(len(row["alike"]) for row in rows)
    of = f"stacks, classes of {size:.1f} of {len(FAMILIES)} families in the mean"
    return share(sum(SAME.get(row["teacher"], row["teacher"]) in row["alike"] for row in rows), len(rows), of)


def replication(what: str) -> Callable[[Result], Measured]:
    """One figure of the replication."""
    return lambda result: spread([row[what] for row in result["settings"]["von oswald"]["facts"]["networks"]], "seed")


def section(result: Result) -> list[str]:
    """What is left after some of the steps, and what it took."""
    lines_ = [
        "## Blocks that were taught one step each",
        "",
        "Median over seeds of the share of variance that is unexplained.",
        "",
    ]
    shown = (1, 3, 6, 12)
    lines_ += ["| optimizer | " + " | ".join(f"step {each}" for each in shown) + " | CPU s |", "|---|" + "---:|" * 5]
    for name in TEACHERS:
        rows = rows_of(result, name)
        cells = [f"{median(row['left'][each - 1] for row in rows):.2%}" for each in shown]
        lines_.append(f"| {name} | {' | '.join(cells)} | {median(row['cpu seconds'] for row in rows):.0f} |")
    return [*lines_, ""]
