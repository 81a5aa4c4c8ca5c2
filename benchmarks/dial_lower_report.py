"""The lines of docs/results.md about lowering the price: what each idea bought beside plain regrowth, and steps that are sparse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from statistics import mean, stdev
from typing import Any

from benchmarks.figures import Bar, Measured, Result, ratio, spread
from cutaway.dial.resampling import quantile

SAID = {
    "dense": "dense, every weight live",
    "annealed": "annealed: half of the tokens dense, then regrowth from the largest weights",
    "distilled, equal work": "distilled from a dense network of half of the tokens, work of teacher and teaching within the same",
    "distilled": "distilled from a dense network of as many tokens, whose work comes on top",
    "grown": "supports found small: from 1:64 to 1:16",
    "top-k": "top-k instead of regrowth",
    "erdos-renyi": "densities after Erdős and Rényi",
}


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for idea, said in SAID.items():
        yield (
            f"{said}: loss less that of plain regrowth, 1:16, width 128, 300,000 tokens",
            Bar(0.0, False, "{:+.4f} nats"),
            "dial_lower",
            bought(idea),
        )
    for width in (128, 256, 512):
        for fraction in (16, 64, 256):
            way, said = ("everywhere", "every layer") if width == 128 else ("fastest", "layers that gain")
            what = f"training step, {said} sparse, width {width}, 1:{fraction}, 2,048 tokens, against dense layers"
            name = f"steps, width {width}, 1:{fraction}"
            yield what, Bar(1.0, True, "{:.2f}×"), "dial_lower", faster(name, way)


def rows(result: Result, idea: str) -> dict[int, Any]:
    """The runs of an idea by seed."""
    return {row["seed"]: row for row in result["settings"]["ideas"]["facts"]["networks"] if row["idea"] == idea}


def bought(idea: str) -> Callable[[Result], Measured]:
    """The mean difference over seeds, with Student's t for so few of them."""

    def figure(result: Result) -> Measured:
        plain, found = rows(result, "plain"), rows(result, idea)
        moved = [found[seed]["loss"] - plain[seed]["loss"] for seed in found]
        wide = quantile(len(moved) - 1) * stdev(moved) / sqrt(len(moved))
        low, high = mean(moved) - wide, mean(moved) + wide
        undecided = ", undecided" * (low < 0 < high)
        return Measured(mean(moved), low, high, f"paired, {len(moved)} seeds, 95 %{undecided}")

    return figure


def took(idea: str, count: str) -> Callable[[Result], Measured]:
    """What a run and all that it came from took, over what the plain one did."""

    def figure(result: Result) -> Measured:
        plain, found = rows(result, "plain"), rows(result, idea)
        return spread([found[seed][count] / plain[seed][count] for seed in found], "seed")

    return figure


def section(result: Result) -> list[str]:
    """What each idea bought, beside what it took with all that it came from."""
    lines = ["## What was tried to lower the price of weight sparsity", ""]
    lines += [
        "Loss less that of plain regrowth to 1:16 (nats, mean of paired seeds, 95 %), and what the runs took, teachers and starts",
        "included, over what plain regrowth took (median, range): operations of dense kernels and CPU seconds on one thread.",
        "",
        "| idea | loss | operations | CPU seconds | n |",
        "|---|---:|---:|---:|---:|",
    ]
    for idea, said in SAID.items():
        moved, work, time = bought(idea)(result), took(idea, "executed")(result), took(idea, "cpu seconds")(result)
        cells = f"{moved.value:+.3f} [{moved.low:+.3f}, {moved.high:+.3f}] | {work.value:.2f}× | "
        cells += f"{time.value:.2f}× [{time.low:.2f}, {time.high:.2f}]"
        lines.append(f"| {said} | {cells} | {len(rows(result, idea))} |")
    return [*lines, ""]


def faster(setting: str, way: str) -> Callable[[Result], Measured]:
    """Dense over sparse, seconds of a step."""
    return lambda result: ratio(result, setting, "dense", way)
