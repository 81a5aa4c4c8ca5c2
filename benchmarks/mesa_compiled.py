"""Do compiled optimizers equal their algorithm at every layer, and how many layers does an algorithm take?

Every optimizer on problems of random size (up to 16 dimensions, up to 32 steps, condition number of XᵀX / n up to 100) with
random settings: in double and in single precision, and in double precision in a random basis of the stream. Differences are
over the largest answer. Then the serial budget: steps to a share of the initial error against conditioning, and of evolution
against dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf, isinf
from random import Random
from typing import Any

import torch
from tests.mesa.optimizers.drawn import apart, case, layers

from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, exact
from benchmarks.kept import Kept
from cutaway.mesa.budget import Budget, Row, breeding, conditioning, text
from cutaway.mesa.optimizers import OPTIMIZERS

DEPENDS = ("mesa/optimizers", "mesa/reference", "mesa/tasks", "mesa/budget.py", "mesa/prompts.py", "mesa_compiled.py")
MINUTES = 2.0
SEEDS = range(8001, 8041)
BUDGET_SEEDS = (8001, 8002, 8003)
BARS = {"float64": 1e-12, "float32": 1e-5, "rotated": 1e-10}


def measure(kept: Kept, repetitions: int) -> None:
    """One row an optimizer, one a table of the budget, each kept as it is done; nothing is repeated."""
    each_kept(kept, "equal", differences, [(name,) for name in OPTIMIZERS])
    each_kept(kept, "budget", budget, [("conditioning",), ("evolution",)])


def differences(name: str, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """The largest difference of every kind over the seeds, and the sizes that were drawn."""
    found = [_difference(name, seed) for seed in seeds]
    sizes = {size: max(one[size] for one in found) for size in ("dim", "points", "steps")}
    return {"name": name, "cases": len(found), **sizes, **{kind: max(one[kind] for one in found) for kind in BARS}}


def _difference(name: str, seed: int) -> dict[str, Any]:
    prompts, optimizer = case(name, seed, largest=16)
    steps = Random(seed).choice((1, 2, 4, 8, 16, 32))
    double, single = (optimizer.compiled(prompts.dim, steps, dtype) for dtype in (torch.float64, torch.float32))
    rounded = prompts.to(torch.float32).to(torch.float64)
    path = optimizer.path(prompts, steps)
    return {
        "dim": prompts.dim,
        "points": prompts.points,
        "steps": steps,
        "float64": apart(layers(double, prompts), path),
        "float32": apart(layers(single, prompts), optimizer.path(rounded, steps)),
        "rotated": apart(layers(double.rotated(seed, double.space.width + seed % 20), prompts), path),
    }


def budget(table: str, seeds: Sequence[int] = BUDGET_SEEDS) -> dict[str, Any]:
    """One of the two tables."""
    found = conditioning(seeds=seeds) if table == "conditioning" else breeding(seeds=seeds)
    rows = [
        [row.problem, row.algorithm, row.share, [None if isinf(steps) else steps for steps in row.steps]]
        for row in found.rows
    ]
    return {"name": table, "limit": found.limit, "rows": rows}


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    said = {"float64": "double precision", "float32": "single precision", "rotated": "double precision, any basis"}
    for kind, bar in BARS.items():
        what = f"compiled optimizers against their algorithm, every layer, {said[kind]}: largest relative difference"
        yield what, Bar(bar, False, "{:.1e}"), "mesa_compiled", worst(kind)
    yield "… optimizers that meet all three", Bar(10, True, "{:.0f}"), "mesa_compiled", meeting


def worst(kind: str) -> Callable[[Result], Measured]:
    """The largest difference of one kind, with its range over the optimizers."""

    def figure(result: Result) -> Measured:
        found = {row["name"]: row[kind] for row in _networks(result, "equal")}
        name = max(found, key=found.__getitem__)
        return Measured(found[name], min(found.values()), found[name], f"{len(found)} optimizers, largest of {name}")

    return figure


def meeting(result: Result) -> Measured:
    """How many optimizers are below all bars."""
    rows = _networks(result, "equal")
    return exact(sum(all(row[kind] <= bar for kind, bar in BARS.items()) for row in rows), f"of {len(rows)}")


def section(result: Result) -> list[str]:
    """Every optimizer's differences, then the tables of the serial budget."""
    found = [
        "## Compiled optimizers",
        "",
        "| optimizer | double precision | single precision | double, rotated | problems | dimensions to | steps to |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in _networks(result, "equal"):
        gaps = " | ".join(f"{row[kind]:.1e}" for kind in BARS)
        found.append(f"| {row['name']} | {gaps} | {row['cases']} | {row['dim']} | {row['steps']} |")
    found += [
        "",
        "Steps to a share of the initial error, median (smallest to largest) over seeds, one step a layer:",
        "",
    ]
    for table in _networks(result, "budget"):
        rows = tuple(_row(*row) for row in table["rows"])
        found += ["```", text(Budget(rows, table["limit"])), "```", ""]
    return found


def _row(problem: str, name: str, share: float, steps: list[float | None]) -> Row:
    return Row(problem, name, share, tuple(inf if one is None else one for one in steps))


def _networks(result: Result, setting: str) -> list[dict[str, Any]]:
    return result["settings"][setting]["facts"]["networks"]
