"""How far a figure could be off: each input moved alone, and all at once (log-normal Monte Carlo).

An input known within a factor f is log-normal with its value as the median and 95 % of it between value / f and value · f.
Inputs are taken to be independent. What was measured is not varied unless it says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cutaway.ledger.figure import Figure, shown
from cutaway.runs import Table

Z95 = 1.959963984540054
DRAWS = 20_000
MOVES = 1.001
"""A smaller factor is rounding."""


@dataclass(frozen=True)
class Swing:
    """What a figure would be with one input at the low and at the high end of what is known of it."""

    input: Figure
    low: float
    high: float

    @property
    def size(self) -> float:
        """The ratio of the two, 1 or more: by how much this input moves the figure."""
        low, high = sorted((abs(self.low), abs(self.high)))
        return high / low if low else (math.inf if high else 1.0)


@dataclass(frozen=True)
class Interval:
    """Where a figure lies if its inputs are as well known as they say.

    shares: for each input its part of the variance of the logarithm (squared correlation), the largest first.
    """

    figure: Figure
    low: float
    median: float
    high: float
    level: float
    shares: tuple[tuple[str, float], ...]
    draws: int
    seed: int

    def __str__(self) -> str:
        """`50,000× [8,900×, 281,000×] (95 %; assumed: …)`; its mark goes with it."""
        unit = f" {self.figure.unit}" if self.figure.unit else "×"
        mark = self.figure.mark.strip(" ()")
        said = f"{self.level:.0%}" + f"; {mark}" * bool(mark)
        return f"{shown(self.figure.value)}{unit} [{shown(self.low)}{unit}, {shown(self.high)}{unit}] ({said})"


def sensitivity(figure: Figure) -> tuple[Swing, ...]:
    """Each input moved alone to both ends of what is known of it, the one that matters most first."""
    swings = [
        Swing(
            one,
            float(figure.computed({one.name: one.value / one.within})),
            float(figure.computed({one.name: one.value * one.within})),
        )
        for one in figure.inputs
        if one.name
    ]
    return tuple(sorted(swings, key=lambda swing: -swing.size))


def dominant(figure: Figure) -> Figure | None:
    """The declared or assumed input that moves the figure most; None where none does: a price that both sides share does not."""
    for swing in sensitivity(figure):
        if swing.input.provenance in ("declared", "assumed") and swing.size > MOVES:
            return swing.input
    return None


def table(figure: Figure) -> Table:
    """The sensitivity as a table; a figure that is made from an assumed input is marked in every cell."""
    rows = [
        {
            "input": swing.input.name,
            "value": str(swing.input),
            "known": swing.input.provenance,
            "within": f"{swing.input.within:g}×",
            "at its low end": _marked(swing.low, figure),
            "at its high end": _marked(swing.high, figure),
            "moves it": f"{shown(swing.size)}×",
        }
        for swing in sensitivity(figure)
    ]
    return Table.of(rows, ("input", "value", "known", "within", "at its low end", "at its high end", "moves it"))


def interval(figure: Figure, seed: int, draws: int = DRAWS, level: float = 0.95) -> Interval:
    """All inputs drawn at once. The same seed gives the same interval, whatever the order of the inputs.

    Raises ValueError for an input that is varied but not positive: a logarithm of it does not exist.
    """
    import numpy as np

    varied = sorted((one for one in figure.inputs if one.name and one.within > 1), key=lambda one: one.name)
    for one in varied:
        if one.value <= 0:
            raise ValueError(
                f"the input {one.name!r} is {one.value}; expected more than 0 to vary it by a factor; try within=1"
            )
    normal = np.random.default_rng(seed).standard_normal((len(varied), draws))
    drawn = {one.name: one.value * one.within ** (row / Z95) for one, row in zip(varied, normal)}
    found = np.broadcast_to(figure.computed(drawn), (draws,))
    tail = (1 - level) / 2
    low, median, high = np.quantile(found, [tail, 0.5, 1 - tail]).tolist()
    return Interval(figure, low, median, high, level, _shares([one.name for one in varied], normal, found), draws, seed)


def _shares(names: Sequence[str], normal, found) -> tuple[tuple[str, float], ...]:
    import numpy as np

    logs = np.log(np.maximum(np.abs(found), np.finfo(float).tiny))
    spread = logs.std()
    parts = [(name, float(np.corrcoef(row, logs)[0, 1] ** 2) if spread else 0.0) for name, row in zip(names, normal)]
    return tuple(sorted(parts, key=lambda part: -part[1]))


def _marked(value: float, figure: Figure) -> str:
    return f"{shown(value)}{' ' + figure.unit if figure.unit else '×'}{figure.mark}"
