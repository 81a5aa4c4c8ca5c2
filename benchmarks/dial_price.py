"""What weight sparsity costs: the compute of dense networks over that of sparse ones at equal validation loss, on both corpora.

Learning rates are chosen for each width on seed 7001 (of 3, 6 and 12 · 10⁻³ for dense networks, of 3 and 6 · 10⁻² for sparse ones),
and every run is of other seeds. The dense curve is the lower envelope of all dense settings; between measured points it is
interpolated, beyond them nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.dial_networks import TRAINING, trained
from benchmarks.figures import Bar, Measured, Result
from benchmarks.kept import Kept
from cutaway.dial.plan import Plan
from cutaway.dial.price import Price, price

DEPENDS = (*TRAINING, "dial/price.py", "dial/resampling.py", "dial/setting.py", "dial_price.py")
MINUTES = 35.0
SEEDS = (8001, 8002, 8003)
SPARSE, SPARSER, SPARSEST = "regrowth=1/16", "regrowth=1/64", "regrowth=1/256"


@dataclass(frozen=True)
class Side:
    """Runs of one pressure: every width, with its learning rate, at every budget."""

    pressure: str
    rates: dict[int, float]
    tokens: tuple[int, ...]


SIDES: dict[str, tuple[Side, ...]] = {
    "tiny": (
        Side("dense", {32: 6e-3, 64: 6e-3, 128: 3e-3}, (62_500, 125_000, 250_000, 500_000)),
        Side(SPARSE, {64: 6e-2, 128: 6e-2, 256: 6e-2}, (125_000, 250_000, 500_000)),
        Side(SPARSER, {256: 6e-2}, (250_000,)),
        Side(SPARSEST, {256: 6e-2}, (250_000,)),
    ),
    "library": (
        Side("dense", {32: 6e-3, 64: 6e-3, 128: 3e-3}, (50_000, 100_000, 200_000, 400_000)),
        Side(SPARSE, {64: 6e-2, 128: 6e-2, 256: 3e-2}, (100_000, 200_000, 400_000)),
    ),
}
COUNTS = {
    "cpu_s": "CPU seconds",
    "executed_gflop": "operations of dense kernels",
    "useful_gflop": "operations with live weights",
}


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; those of one seed one after another, so that seconds are of one time."""
    for corpus, sides in SIDES.items():
        plans = [
            (corpus, side.pressure, width, rate, tokens, seed)
            for seed in SEEDS
            for side in sides
            for (width, rate), tokens in product(side.rates.items(), side.tokens)
        ]
        each_kept(kept, corpus, network, plans)


def network(corpus: str, pressure: str, width: int, rate: float, tokens: int, seed: int) -> dict[str, Any]:
    """What one run reached and took."""
    row = trained(Plan(corpus, width, pressure=pressure, tokens=tokens, seed=seed, lr=rate))
    return {name: value for name, value in row.items() if name != "task losses"}


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for corpus, bar in (("tiny", 2.0), ("library", 5.0)):
        said = {"tiny": "tiny Python", "library": "the standard library"}[corpus]
        for count, name in COUNTS.items():
            what = f"{name} of 1:16 over dense at equal loss, {said}"
            yield what, Bar(bar, False, "{:.2f}×"), "dial_price", multiplier(corpus, count)


def multiplier(corpus: str, count: str) -> Callable[[Result], Measured]:
    """The geometric mean over the sparse envelope's points, with its interval over training runs."""

    def figure(result: Result) -> Measured:
        found = price_of(result, corpus, SPARSE, count)
        if found.overall is None or found.overall.low is None or found.overall.high is None:
            raise KeyError(f"no multiplier for {corpus}: {'; '.join(found.refused)}")
        of = f"{len(found.points)} budgets, {found.runs[0]} dense and {found.runs[1]} sparse runs"
        return Measured(found.overall.value, found.overall.low, found.overall.high, of)

    return figure


def price_of(result: Result, corpus: str, pressure: str, count: str) -> Price:
    """The price of a pressure in one count of compute."""
    return price(result["settings"][corpus]["facts"]["networks"], pressure, count)


def section(result: Result) -> list[str]:
    """Every pressure, count and corpus: the multiplier, its trend, and what was refused."""
    lines = [
        "## The price of weight sparsity",
        "",
        "Compute over that of the dense envelope at equal validation loss; the trend is the slope of log multiplier on log compute "
        "(0: the price does not grow).",
        "",
        "| corpus | pressure | compute in | multiplier | points | losses | trend | dense runs | sparse runs |",
        "|---|---|---|---:|---:|---|---:|---:|---:|",
    ]
    said: list[str] = []
    for corpus, sides in SIDES.items():
        for side, count in product(sides[1:], COUNTS):
            found = price_of(result, corpus, side.pressure, count)
            row, columns = found.row, ("multiplier", "points", "loss", "trend")
            cells = (corpus, side.pressure, COUNTS[count], *(row[name] for name in columns), *found.runs)
            lines.append("| " + " | ".join("–" if cell is None else str(cell) for cell in cells) + " |")
            said += [f"- {corpus}, {side.pressure}, {COUNTS[count]}: {note}" for note in found.notes]
    return [*lines, "", *said, ""]
