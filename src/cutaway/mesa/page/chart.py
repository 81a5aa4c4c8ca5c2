"""Curves by layer as SVG: the loss, the degree, what is kept of a write; one panel a chart, names at the ends of the curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10

WIDE, HIGH = 560, 300
"""Pixels of a chart."""
LEFT, RIGHT, HEAD, FOOT = 52, 150, 30, 38
"""Pixels around its inside, for a title, the axes' labels and the curves' names."""
LETTER = 13
"""The least distance between two names."""


@dataclass(frozen=True)
class Curve:
    """One value for each of some layers, the first at layer `first`; `kind` is a class of the page's style."""

    name: str
    values: tuple[float, ...]
    kind: str = "optimizer"
    first: int = 0

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"the curve {self.name!r} has no values; expected one for each layer")


@dataclass(frozen=True)
class Chart:
    """Curves over layers, which the axis calls `along`; `log` shows powers of ten, of values above 0."""

    title: str
    up: str
    curves: Sequence[Curve]
    log: bool = False
    along: str = "layers run"

    def __post_init__(self) -> None:
        if not self.curves:
            raise ValueError(f"the chart {self.title!r} has no curves; expected at least one")

    def svg(self) -> str:
        """The drawing, as an element of a page."""
        return f'<svg viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}" role="img">{self.drawn()}</svg>'

    def drawn(self) -> str:
        """What is in it."""
        panel = _Panel.over(self)
        parts = [f'<text class="name" x="{LEFT}" y="18">{escape(self.title)}</text>', *panel.axes(self.up, self.along)]
        ends = []
        for curve in self.curves:
            points = [panel.at(curve.first + place, value) for place, value in enumerate(curve.values)]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(
                f'<polyline class="curve {curve.kind}" points="{path}"><title>{escape(curve.name)}</title></polyline>'
            )
            parts += [f'<circle class="dot {curve.kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in points]
            ends.append((points[-1], curve))
        return "".join([*parts, *_names(ends)])


@dataclass(frozen=True)
class _Panel:
    """Where a layer and a value stand, in pixels."""

    layers: tuple[int, int]
    values: tuple[float, float]
    log: bool

    @classmethod
    def over(cls, chart: Chart) -> _Panel:
        first = min(curve.first for curve in chart.curves)
        last = max(curve.first + len(curve.values) - 1 for curve in chart.curves)
        seen = [_scaled(value, chart.log) for curve in chart.curves for value in curve.values]
        low, high = min(seen), max(seen)
        room = 0.06 * (high - low) or 0.5
        return cls((first, max(last, first + 1)), (low - room, high + room), chart.log)

    def x(self, layer: float) -> float:
        first, last = self.layers
        return LEFT + (WIDE - LEFT - RIGHT) * (layer - first) / (last - first)

    def y(self, scaled: float) -> float:
        low, high = self.values
        return HIGH - FOOT - (HIGH - FOOT - HEAD) * (scaled - low) / (high - low)

    def at(self, layer: int, value: float) -> tuple[float, float]:
        return self.x(layer), self.y(_scaled(value, self.log))

    def axes(self, up: str, along: str) -> list[str]:
        """Ticks at whole layers and at round values."""
        first, last = self.layers
        step = max(1, (last - first) // 8)
        parts = [
            f'<text class="tick" x="{self.x(layer):.1f}" y="{HIGH - FOOT + 16}" text-anchor="middle">{layer}</text>'
            for layer in range(first, last + 1, step)
        ]
        for value in _round(*self.values, self.log):
            y, shown = self.y(value), f"{10**value:g}" if self.log else f"{value:g}"
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>')
        middle = (LEFT + WIDE - RIGHT) / 2
        parts.append(f'<text class="tick" x="{middle}" y="{HIGH - 6}" text-anchor="middle">{escape(along)}</text>')
        parts.append(f'<text class="tick" x="{WIDE - RIGHT + 8}" y="18">{escape(up)}</text>')
        return parts


def _names(ends: list[tuple[tuple[float, float], Curve]]) -> list[str]:
    """Names beside the ends of their curves, moved apart where they would lie on each other."""
    parts, lowest = [], float(HEAD)
    for (x, y), curve in sorted(ends, key=lambda end: end[0][1]):
        lowest = max(lowest + LETTER, y + 4)
        parts.append(f'<text class="{curve.kind}" x="{x + 8:.1f}" y="{lowest:.1f}">{escape(curve.name)}</text>')
    return parts


def _scaled(value: float, log: bool) -> float:
    return log10(max(value, 1e-12)) if log else value


def _round(low: float, high: float, log: bool) -> list[float]:
    """Round values between two: powers of ten of a logarithm, else about four."""
    if log:
        step = max(1, round((high - low) / 4))
        return [float(value) for value in range(-30, 31) if low <= value <= high and value % step == 0]
    raw = (high - low) / 4
    unit = 10.0 ** (len(str(int(raw))) - 1) if raw >= 1 else 10.0 ** -next(n for n in range(1, 15) if raw * 10**n >= 1)
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= raw)
    start = int(low / step) - 1
    return [round(step * each, 12) for each in range(start, start + 12) if low <= step * each <= high]
