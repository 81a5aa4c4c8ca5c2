"""The price of a pressure: how many times the compute of the dense curve its networks need to reach the same validation loss.

The dense curve is the lower envelope of all dense settings: at each compute the lowest loss of any width and learning rate that
costs no more. Between measured points log compute is interpolated against loss by a monotone cubic (Fritsch and Carlson 1980,
doi 10.1137/0717021); beyond them nothing is said unless it is asked for, and then it is marked.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from cutaway.dial.resampling import DRAWS, Estimate, estimate, weights
from cutaway.dial.setting import Row, Setting, settings_of
from cutaway.runs import Table

COSTS = {"executed_gflop": "executed operations", "useful_gflop": "useful operations", "cpu_s": "CPU seconds"}
"""What compute is counted in: columns of a sweep."""
LEAST = 3
"""Budgets, and widths on either side, from which on a trend is told."""
FAILED = 0.05
"""The share of draws without a curve from which on there is no interval."""


@dataclass(frozen=True)
class Multiplier:
    """At the loss of one pressed setting: its compute over that of the dense curve."""

    setting: Setting
    value: Estimate
    extrapolated: bool


@dataclass(frozen=True)
class Price:
    """What a pressure costs, in one count of compute.

    `points` are the settings of the pressed envelope, `refused` says of which there is no multiplier and why; `overall` is the
    geometric mean over the points, None where there is none. `trend` is the slope of log multiplier on log compute (0: the price
    does not grow), None with fewer than three budgets or sizes. `runs` and `widths` are of the dense and the pressed side.
    `untuned` says which sides were tried with one learning rate only.
    """

    pressure: str
    cost: str
    points: tuple[Multiplier, ...]
    refused: tuple[str, ...]
    overall: Estimate | None
    trend: Estimate | None
    runs: tuple[int, int]
    widths: tuple[int, int]
    untuned: tuple[str, ...] = ()

    @property
    def extrapolated(self) -> bool:
        """Whether any of it is beyond what was measured."""
        return any(point.extrapolated for point in self.points)

    @property
    def row(self) -> dict[str, object]:
        """It as a row of a table."""
        losses = [point.setting.mean("loss") for point in self.points]
        return {
            "pressure": self.pressure,
            "compute in": COSTS[self.cost],
            "multiplier": ("extrapolated: " if self.extrapolated else "") + str(self.overall) if self.overall else None,
            "points": len(self.points),
            "loss": f"{min(losses):.3f}–{max(losses):.3f}" if losses else None,
            "dense runs": self.runs[0],
            "pressed runs": self.runs[1],
            "trend": None if self.trend is None else str(self.trend),
        }

    @property
    def notes(self) -> list[str]:
        """What its row does not say."""
        said = list(self.refused)
        if self.overall is not None and self.overall.low is None:
            said.append("no interval: each setting has one seed, or the seeds differ too much to order the budgets")
        if self.overall is not None and self.trend is None:
            said.append(
                f"no trend: {len(self.points)} points and {self.widths[0]} dense, {self.widths[1]} pressed widths; expected at "
                f"least {LEAST} of each"
            )
        return said


def price(
    rows: Iterable[Row],
    pressure: str,
    cost: str = "executed_gflop",
    extrapolate: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> Price:
    """The multiplier of `pressure` over the rows of a sweep; intervals (95 %) are of a bootstrap over the seeds of each setting."""
    settings = settings_of(rows)
    sides = [one for one in settings if one.dense], [one for one in settings if one["pressure"] == pressure]
    dense, pressed = (_Drawn.of(side, cost, draws, seed + place) for place, side in enumerate(sides))
    found = _compared(dense, pressed, extrapolate)
    points = tuple(
        Multiplier(setting, found.estimate(found.drawn[:, place]).factor, beyond)
        for place, (setting, beyond) in enumerate(found.settings)
    )
    widths = dense.different("width"), pressed.different("width")
    overall = trend = None
    if points:
        overall = found.estimate(found.drawn.mean(1)).factor
    if min(len(points), *widths) >= LEAST:
        compute = np.array([log(point.setting.mean(cost)) for point in points])
        along = compute - compute.mean()
        trend = found.estimate(found.drawn @ along / (along @ along))
    runs = sum(map(len, sides[0])), sum(map(len, sides[1]))
    untuned = tuple(each for each, side in (("dense", dense), (pressure, pressed)) if side.different("lr") == 1)
    return Price(pressure, cost, points, found.refused, overall, trend, runs, widths, untuned)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Settings with their mean loss and the log of their mean compute as measured (row 0) and in each draw of seeds."""

    settings: tuple[Setting, ...]
    loss: Float[ndarray, "draw setting"]
    compute: Float[ndarray, "draw setting"]

    @classmethod
    def of(cls, settings: Sequence[Setting], cost: str, draws: int, seed: int) -> _Drawn:
        generator = np.random.default_rng((seed, draws))
        loss, compute = np.empty((draws + 1, len(settings))), np.empty((draws + 1, len(settings)))
        for place, setting in enumerate(settings):
            drawn = weights(len(setting), draws, generator)
            counted = np.vstack([np.full((1, len(setting)), 1 / len(setting)), drawn])
            loss[:, place] = counted @ setting.column("loss")
            compute[:, place] = counted @ np.log(setting.column(cost))
        return cls(tuple(settings), loss, compute)

    @property
    def moved(self) -> Float[ndarray, "draw setting part"]:
        """Both together."""
        return np.stack([self.loss, self.compute], 2)

    def different(self, name: str) -> int:
        """How many different widths or learning rates there are."""
        return len({setting[name] for setting in self.settings})

    def front(self, draw: int = 0) -> list[int]:
        """The settings that no cheaper one equals in loss, the cheap ones first."""
        found, lowest = [], float("inf")
        for _, loss, place in sorted(
            zip(self.compute[draw].tolist(), self.loss[draw].tolist(), range(len(self.settings)))
        ):
            if loss < lowest:
                found.append(place)
                lowest = loss
        return found

    def curve(self, draw: int) -> _Curve | None:
        """The envelope in one draw; None of fewer than two points."""
        front = self.front(draw)[::-1]
        return _Curve(self.loss[draw, front].tolist(), self.compute[draw, front].tolist()) if len(front) > 1 else None


@dataclass(frozen=True)
class _Curve:
    """Log compute against loss, which rises from point to point."""

    loss: list[float]
    compute: list[float]

    def holds(self, loss: float) -> bool:
        """Whether a loss lies between measured ones."""
        return self.loss[0] <= loss <= self.loss[-1]

    def at(self, loss: float) -> float:
        """The log compute at a loss; beyond the ends along the last chord."""
        place = min(max(bisect(self.loss, loss) - 1, 0), len(self.loss) - 2)
        step, slope = self._step(place), self._slope(place)
        along = (loss - self.loss[place]) / step
        if not self.holds(loss):
            return self.compute[place] + slope * (loss - self.loss[place])
        first, last = self._tangent(place) * step, self._tangent(place + 1) * step
        rise = self.compute[place + 1] - self.compute[place]
        return self.compute[place] + along * (
            first + along * (3 * rise - 2 * first - last + along * (first + last - 2 * rise))
        )

    def _step(self, place: int) -> float:
        return self.loss[place + 1] - self.loss[place]

    def _slope(self, place: int) -> float:
        return (self.compute[place + 1] - self.compute[place]) / self._step(place)

    def _tangent(self, point: int) -> float:
        """The slope at a point: a weighted harmonic mean of those beside it, at an end that of a parabola, kept monotone."""
        last = len(self.loss) - 1
        if last == 1:
            return self._slope(0)
        if point in (0, last):
            near, far = (0, 1) if point == 0 else (last - 1, last - 2)
            wide, wider = self._step(near), self._step(far)
            parabola = ((2 * wide + wider) * self._slope(near) - wide * self._slope(far)) / (wide + wider)
            return min(0.0, max(parabola, 3 * self._slope(near)))
        before, after = self._step(point - 1), self._step(point)
        of_before, of_after = 2 * after + before, after + 2 * before
        return (of_before + of_after) / (of_before / self._slope(point - 1) + of_after / self._slope(point))


@dataclass(frozen=True, eq=False)
class _Found:
    """The logarithms of the multipliers, as measured (row 0) and in each draw that has a dense curve.

    `settings` are the pressed ones, with whether they are beyond the dense curve; `failed` is the share of draws left out.
    """

    refused: tuple[str, ...]
    settings: tuple[tuple[Setting, bool], ...] = ()
    drawn: Float[ndarray, "draw point"] = field(default_factory=lambda: np.empty((0, 0)))
    moved: Float[ndarray, "draw setting part"] = field(default_factory=lambda: np.empty((0, 0, 0)))
    units: tuple[int, ...] = ()
    failed: float = 0.0

    def estimate(self, figures: Float[ndarray, "draw"]) -> Estimate:
        """A figure made of the logarithms, as measured and in each draw."""
        if self.failed > FAILED:
            return Estimate(float(figures[0]))
        return estimate(float(figures[0]), figures[1:], self.moved[1:], self.units)


def _compared(dense: _Drawn, pressed: _Drawn, extrapolate: bool) -> _Found:
    """The pressed envelope, point by point, against the dense curve."""
    curve, front = dense.curve(0), pressed.front()
    if curve is None or len(front) < 2:
        return _Found((_too_short(len(dense.front()), len(front)),))
    told = [place for place in front if extrapolate or curve.holds(pressed.loss[0, place])]
    refused = tuple(_outside(pressed, place, curve) for place in front if place not in told)
    curves = {draw: each for draw in range(len(dense.loss)) if (each := dense.curve(draw)) is not None}
    drawn = np.array(
        [
            [pressed.compute[draw, place] - each.at(pressed.loss[draw, place]) for place in told]
            for draw, each in curves.items()
        ]
    )
    moved = np.hstack([dense.moved, pressed.moved[:, told]])[list(curves)]
    units = [*map(len, dense.settings), *(len(pressed.settings[place]) for place in told)]
    settings = tuple((pressed.settings[place], not curve.holds(pressed.loss[0, place])) for place in told)
    return _Found(refused, settings, drawn, moved, tuple(units), 1 - len(curves) / len(dense.loss))


def _too_short(dense: int, pressed: int) -> str:
    short = [f"the {name} curve has {n}" for name, n in (("dense", dense), ("pressed", pressed)) if n < 2]
    return f"no multiplier: {' and '.join(short)} of the two points that it needs; sweep more --tokens or other --width too"


def _outside(pressed: _Drawn, place: int, curve: _Curve) -> str:
    loss = pressed.loss[0, place]
    more = "more" if loss < curve.loss[0] else "less"
    return (
        f"no multiplier of {pressed.settings[place]}: its loss {loss:.3f} is outside the dense curve, {curve.loss[0]:.3f} to "
        f"{curve.loss[-1]:.3f}; sweep dense networks with {more} compute, or ask to extrapolate"
    )


def prices(rows: Iterable[Row], extrapolate: bool = False, seed: int = 0) -> list[Price]:
    """The price of every pressure among the rows, in every count of compute."""
    rows = list(rows)
    shares = {one["pressure"]: one.share for one in settings_of(rows) if not one.dense}
    pressures = sorted(shares, key=lambda pressure: (-shares[pressure], pressure))
    return [price(rows, pressure, cost, extrapolate, seed=seed) for pressure in pressures for cost in COSTS]


def table_of(found: Iterable[Price]) -> Table:
    """A row for every price."""
    return Table.of(each.row for each in found)


def points_of(found: Iterable[Price]) -> Table:
    """A row for every point of every price."""
    return Table.of(
        {
            "pressure": each.pressure,
            "compute in": COSTS[each.cost],
            "width": point.setting["width"],
            "tokens": point.setting["tokens"],
            "lr": point.setting["lr"],
            "loss": point.setting.mean("loss"),
            "multiplier": point.value.value,
            "low": point.value.low,
            "high": point.value.high,
            "runs": len(point.setting),
            "extrapolated": point.extrapolated,
        }
        for each in found
        for point in each.points
    )


def notes_of(found: Iterable[Price]) -> list[str]:
    """What the table does not say, once for all counts of compute of which it holds."""
    said: dict[tuple[str, str], list[str]] = {}
    for each in found:
        for note in each.notes:
            said.setdefault((each.pressure, note), []).append(COSTS[each.cost])
    return [
        f"{pressure}, in {'every count of compute' if len(counts) == len(COSTS) else ' and '.join(counts)}: {note}"
        for (pressure, note), counts in said.items()
    ]
