"""The lines of docs/results.md about the dial: circuits, rule texts, the price and what lowers it, kernels, planted ones, nulls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from benchmarks import (
    dial_circuits_report,
    dial_lower_report,
    dial_nulls,
    dial_overhead,
    dial_price,
    dial_price_report,
    dial_rules,
    dial_trained_nulls,
)
from benchmarks.figures import Bar, Measured, Result, clustered, ratio, spread


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    yield from dial_circuits_report.lines()
    yield from dial_price.lines()
    yield (
        "planted circuits, 28 programs: every edge and node found, none more",
        Bar(0.95, True, "{:.1%}"),
        "dial_planted",
        exactly("both"),
    )
    yield "… every edge", Bar(0.95, True, "{:.1%}"), "dial_planted", exactly("edges")
    yield "… CPU seconds a network of width 48 or 64, two searches", Bar(30, False, "{:.1f} s"), "dial_planted", spent
    yield from dial_nulls.lines()
    yield from dial_trained_nulls.lines()
    yield from dial_rules.lines()
    yield from dial_overhead.lines()
    for share, bar in ((64, 3.5), (256, 8.0)):
        for layout in ("token-major", "feature-major"):
            said = "as a layer" if layout == "token-major" else "between sparse layers (feature-major)"
            what = f"sparse layer at 1:{share} {said}, 1,024 → 4,096, 2,048 tokens, against dense"
            yield what, Bar(bar, True, "{:.1f}×"), "dial_sparse", faster(share, layout)
        yield "… gradients, largest relative error", Bar(1e-5, False, "{:.1e}"), "dial_sparse", error(share)
    yield from dial_lower_report.lines()


def sections(results: dict[str, Result]) -> Iterator[list[str]]:
    """One for each result there is."""
    if "dial_circuits" in results:
        yield dial_circuits_report.section(results["dial_circuits"])
    if "dial_price" in results:
        yield dial_price_report.sections(results["dial_price"])
    if "dial_lower" in results:
        yield dial_lower_report.section(results["dial_lower"])


def exactly(what: str) -> Callable[[Result], Measured]:
    """The share of networks recovered exactly; programs are the unit."""

    def figure(result: Result) -> Measured:
        rows = result["settings"]["planted"]["facts"]["networks"]
        asked = ("edges", "nodes") if what == "both" else (what,)
        by_program = groupby(sorted(rows, key=itemgetter("program")), key=itemgetter("program"))
        hits = [[all(row[f"{each} exact"] for each in asked) for row in of] for _, of in by_program]
        found = clustered(hits, "networks")
        return replace(found, of=f"{found.of.removesuffix('networks')}programs")

    return figure


def spent(result: Result) -> Measured:
    """Seconds of the processor, one thread."""
    return spread([row["cpu seconds"] for row in result["settings"]["planted"]["facts"]["networks"]], "network")


def faster(share: int, layout: str) -> Callable[[Result], Measured]:
    """Dense over sparse, forward and backward."""
    return lambda result: ratio(result, setting(share), "dense", f"sparse, {layout}")


def error(share: int) -> Callable[[Result], Measured]:
    """Of all gradients, in float32 against float64."""

    def figure(result: Result) -> Measured:
        errors = list(numbers(result["settings"][setting(share)]["facts"]["errors"]))
        return spread([max(errors)], "run")

    return figure


def numbers(value: Any) -> Iterator[float]:
    """Every number in nested facts."""
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers(each)
    else:
        yield float(value)


def setting(share: int) -> str:
    """The case that the bars are about."""
    return f"1024 → 4096, 16 × 128 tokens, 1:{share}"
