"""A frontier as a picture: a page of HTML with one SVG drawing and the tables in it, and nothing from elsewhere.

Validation loss goes to the right, the size of circuits up, on a logarithmic scale. A solid line joins settings of one compute
budget, a dashed one a dense and a pressed setting of equal loss, with how many times smaller the pressed circuits are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from cutaway.dial.frontier.frontier import LIKE, Compared, Frontier, Point
from cutaway.dial.frontier.rows import compared_row, point_row
from cutaway.dial.price import points_of, table_of
from cutaway.dial.resampling import Estimate, figures
from cutaway.runs import Table, write_text

WIDE = 1160
"""Pixels that the drawing takes: what fits a window of 1,200."""
LEFT, RIGHT, HEAD, FOOT, LEGEND = 58, 96, 34, 40, 34
"""Pixels around the inside of a panel, for the labels of its axes and curves, and of the legend above all."""
PANELS = (("edges", 0, 0, WIDE, 460), ("nodes", 0, 460, WIDE // 2, 320), ("over_null", WIDE // 2, 460, WIDE // 2, 320))
"""What each panel shows, and where: left, top, width, height."""
NAMES = {
    "edges": "edges of a circuit",
    "nodes": "nodes of a circuit",
    "over_null": "edges ÷ those of the counting null",
}
COLOURS = 6
DOT, SMALL, LINE = 5.5, 3.5, 14
"""The radius of a dot, of one that is not the best of its pressure in its budget, and the height of a label."""
LETTER = 6.4
STYLE = """
:root{--paper:#fffef9;--ink:#1d1d1b;--soft:#6b6a64;--rule:#e2dfd4;--panel:#f6f4ec;--c0:#1d1d1b;--c1:#c25a00;--c2:#1f6fb2;
--c3:#2e7d4f;--c4:#8a4fa3;--c5:#a8324a}
@media (prefers-color-scheme:dark){:root{--paper:#16171a;--ink:#e9e7e0;--soft:#9d9b93;--rule:#33343a;--panel:#1f2025;
--c0:#e9e7e0;--c1:#f0964a;--c2:#62b0ee;--c3:#6cc08b;--c4:#c493dc;--c5:#ee8398}}
body{margin:0;padding:18px 20px;background:var(--paper);color:var(--ink);font:14px/1.45 system-ui,"Segoe UI",sans-serif}
h1{font-size:20px;font-weight:600;margin:0 0 2px}h2{font-size:16px;font-weight:600;margin:22px 0 4px}
p{margin:0 0 12px;color:var(--soft);max-width:118ch}svg{display:block}text{font-size:12px;fill:var(--ink)}
.tick{fill:var(--soft);font-size:11px}.name{font-weight:600}.grid{stroke:var(--rule)}.frame{fill:none;stroke:var(--rule)}
.curve{fill:none;stroke:var(--soft);stroke-width:1.4}.equal{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:5 4}
.budget,.times{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}.budget{fill:var(--soft)}
.times{font-weight:600}.whisker{stroke-opacity:.3;stroke-width:1.2}.dot{stroke-width:2}.other{opacity:.55}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:12.5px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:3px 12px 3px 0;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:500;color:var(--soft)}.number{text-align:right}li{max-width:118ch}
"""
COLOUR = "".join(
    f".s{one}{{stroke:var(--c{one})}}.f{one}{{fill:var(--c{one})}}.h{one}{{fill:var(--paper);stroke:var(--c{one})}}"
    for one in range(COLOURS)
)


@dataclass(frozen=True)
class Panel:
    """Where a loss and a size stand in one panel, in pixels; what lies outside stands at its edge."""

    left: float
    top: float
    right: float
    foot: float
    losses: tuple[float, float]
    sizes: tuple[float, float]

    @classmethod
    def over(cls, points: Sequence[tuple[float, float]], x: float, y: float, wide: float, high: float) -> Panel:
        """A panel that shows all of these losses and sizes."""
        losses, sizes = [loss for loss, _ in points] or [0.0, 1.0], [size for _, size in points] or [1.0, 10.0]
        room = max(0.12 * (max(losses) - min(losses)), LIKE)
        return cls(
            x + LEFT,
            y + HEAD,
            x + wide - RIGHT,
            y + high - FOOT,
            (min(losses) - room, max(losses) + room),
            (log10(min(sizes)) - 0.2, log10(max(sizes)) + 0.2),
        )

    def x(self, loss: float) -> float:
        """From the left."""
        return self.left + (self.right - self.left) * _between(loss, *self.losses)

    def y(self, size: float) -> float:
        """From the top."""
        return self.foot - (self.foot - self.top) * _between(log10(max(size, 1e-9)), *self.sizes)

    def at(self, point: Point, measure: str) -> tuple[float, float]:
        """Where a setting stands."""
        return self.x(point.loss.value), self.y(_value(point, measure))


def picture(frontier: Frontier) -> str:
    """The page of a frontier, as text."""
    tasks = f"{len(frontier.tasks)} tasks ({', '.join(frontier.tasks)})" if frontier.tasks else "no task"
    about = (
        f"Circuits of {tasks}, found at a loss of {frontier.target:g} nats. To the right: validation loss. Up: geometric mean over "
        "tasks and runs. A solid line has one compute budget (operations of dense kernels), a dashed one equal loss, with how many "
        "times smaller the pressed circuits are. Bars: 95 % intervals, cut at the frame. Hollow: some tasks have no circuit. Small "
        "and faint: not the lowest loss of its pressure in its budget."
    )
    tables = [("Settings", Table.of(map(point_row, frontier.points)))]
    tables += [("Dense ÷ pressed, over the tasks that both have", Table.of(map(compared_row, frontier.compared)))]
    tables += [("Compute at equal validation loss, pressed ÷ dense", table_of(frontier.prices))]
    tables += [("The same at each point of the pressed curve", points_of(frontier.prices))]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>Frontier</title><style>{STYLE}{COLOUR}</style><h1>Loss, readability, compute</h1><p>{escape(about)}</p>"
        f"{_drawing(frontier)}{''.join(_table(name, table) for name, table in tables if len(table))}"
        f"{_said([*frontier.published, *frontier.notes])}</html>\n"
    )


def write(frontier: Frontier, path: Path | str) -> Path:
    """Writes the page, in the place of an older one; a write that is cut short leaves that as it was."""
    return write_text(path, picture(frontier))


def _drawing(frontier: Frontier) -> str:
    pressures = list(dict.fromkeys(point.setting["pressure"] for point in frontier.points))
    colours = {name: place % COLOURS for place, name in enumerate(sorted(pressures, key=lambda name: name != "dense"))}
    high = LEGEND + max(top + tall for _, _, top, _, tall in PANELS)
    parts = [_legend(colours)]
    for measure, left, top, wide, tall in PANELS:
        drawn = [point for point in frontier.points if point.means[measure] is not None]
        panel = Panel.over([(p.loss.value, _value(p, measure)) for p in drawn], left, LEGEND + top, wide, tall)
        parts += [_axes(panel, measure, bool(drawn)), *_curves(panel, drawn, measure)]
        parts += [_whiskers(panel, point, measure, colours) for point in drawn]
        parts += [_equal(panel, each, measure) for each in frontier.compared if each.at == "loss" and each.tasks]
        parts += _labels(panel, drawn, measure)
        parts += [_dot(panel, point, measure, colours) for point in drawn]
        parts += [_times(panel, each, measure) for each in frontier.compared if each.at == "loss" and each.tasks]
    label = "validation loss against the size of circuits"
    return (
        f'<svg role="img" aria-label="{label}" width="{WIDE}" height="{high}" viewBox="0 0 {WIDE} {high}">'
        f"{''.join(parts)}</svg>"
    )


def _legend(colours: dict[str, int]) -> str:
    found, x = "", float(LEFT)
    for name, colour in colours.items():
        found += f'<circle class="dot f{colour} s{colour}" cx="{x:.0f}" cy="14" r="{DOT}"/>'
        found += f'<text x="{x + 12:.0f}" y="18">{escape(name)}</text>'
        x += 36 + LETTER * len(name)
    return found


def _axes(panel: Panel, measure: str, drawn: bool) -> str:
    """Frame, lines of equal loss and of equal size with their figures."""
    found = f'<text class="name" x="{panel.left:.0f}" y="{panel.top - 10:.0f}">{NAMES[measure]}</text>'
    if not drawn:
        return (
            f'{found}<text class="tick" x="{panel.left:.0f}" y="{panel.top + 12:.0f}">no setting has a circuit</text>'
        )
    for loss in _ticks(*panel.losses):
        x = panel.x(loss)
        found += f'<path class="grid" d="M{x:.1f},{panel.top:.0f}V{panel.foot:.0f}"/>'
        found += f'<text class="tick" x="{x:.0f}" y="{panel.foot + 15:.0f}" text-anchor="middle">{loss:.4g}</text>'
    for size in _decades(*panel.sizes):
        y = panel.y(size)
        found += f'<path class="grid" d="M{panel.left:.0f},{y:.1f}H{panel.right:.0f}"/>'
        found += f'<text class="tick" x="{panel.left - 7:.0f}" y="{y + 4:.0f}" text-anchor="end">{size:g}</text>'
    middle = (panel.left + panel.right) / 2
    found += f'<text class="tick" x="{middle:.0f}" y="{panel.foot + 31:.0f}" text-anchor="middle">validation loss, nats</text>'
    wide, high = panel.right - panel.left, panel.foot - panel.top
    return (
        f'{found}<rect class="frame" x="{panel.left:.0f}" y="{panel.top:.0f}" width="{wide:.0f}" height="{high:.0f}"/>'
    )


def _curves(panel: Panel, points: Sequence[Point], measure: str) -> list[str]:
    """A line through the best setting of each pressure, for every budget that has two."""
    lines = (_line(points, budget) for budget in dict.fromkeys(point.budget for point in points))
    return [
        '<path class="curve" d="M' + "L".join("{:.1f},{:.1f}".format(*panel.at(each, measure)) for each in line) + '"/>'
        for line in lines
        if len(line) > 1
    ]


def _line(points: Sequence[Point], budget: int) -> list[Point]:
    return [point for point in points if point.budget == budget and point.best]


def _whiskers(panel: Panel, point: Point, measure: str, colours: dict[str, int]) -> str:
    (x, y), size = panel.at(point, measure), point.means[measure]
    side, ways = f"whisker s{colours[point.setting['pressure']]}", []
    if point.loss.low is not None and point.loss.high is not None:
        ways.append(f"M{panel.x(point.loss.low):.1f},{y:.1f}H{panel.x(point.loss.high):.1f}")
    if size is not None and size.low is not None and size.high is not None:
        ways.append(f"M{x:.1f},{panel.y(size.low):.1f}V{panel.y(size.high):.1f}")
    return f'<path class="{side}" d="{"".join(ways)}"/>' if ways else ""


def _dot(panel: Panel, point: Point, measure: str, colours: dict[str, int]) -> str:
    (x, y), colour = panel.at(point, measure), colours[point.setting["pressure"]]
    fill = f"h{colour}" if point.sizes.lacking else f"f{colour} s{colour}"
    told = f"{point.setting}: loss {point.loss.said(4)}, {NAMES[measure]} {point.means[measure]}, {len(point.setting)} runs, "
    told += f"{len(point.sizes.tasks)} tasks"
    return (
        f'<circle class="dot {fill}{"" if point.best else " other"}" cx="{x:.1f}" cy="{y:.1f}" r="{DOT if point.best else SMALL}">'
        f"<title>{escape(told)}</title></circle>"
    )


def _labels(panel: Panel, points: Sequence[Point], measure: str) -> list[str]:
    """The compute of each budget, beside the largest circuits of its curve; those that would overlap move apart."""
    found: list[tuple[float, float, str]] = []
    for budget in dict.fromkeys(point.budget for point in points):
        first = max(_line(points, budget), key=lambda point: _value(point, measure), default=None)
        if first is not None:
            x, y = panel.at(first, measure)
            found.append((x + 10, y - 6, f"{figures(first.compute)} GFLOP"))
    placed: list[tuple[float, float, str]] = []
    for x, y, text in sorted(found, key=lambda label: label[1]):
        near = [
            down for left, down, other in placed if left < x + LETTER * len(text) and x < left + LETTER * len(other)
        ]
        placed.append((x, max([y, *(down + LINE for down in near)]), text))
    return [f'<text class="budget" x="{x:.0f}" y="{y:.0f}">{text}</text>' for x, y, text in placed]


def _equal(panel: Panel, each: Compared, measure: str) -> str:
    """From the dense setting to the pressed one of equal loss."""
    (x, y), (to, down) = panel.at(each.dense, measure), panel.at(each.pressed, measure)
    return f'<path class="equal" d="M{x:.1f},{y:.1f}L{to:.1f},{down:.1f}"/>'


def _times(panel: Panel, each: Compared, measure: str) -> str:
    (x, y), (to, down) = panel.at(each.dense, measure), panel.at(each.pressed, measure)
    times = each.ratios[measure]
    at = (x + to) / 2 - 8, (y + down) / 2 + 4
    said = "" if times is None else f"÷ {times.value:.2g}"
    return f'<text class="times" x="{at[0]:.0f}" y="{at[1]:.0f}" text-anchor="end">{said}</text>'


def _table(name: str, table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join("<tr>" + "".join(map(_cell, row.values())) + "</tr>" for row in table)
    return f'<h2>{escape(name)}</h2><div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return (
            f'<td class="number">{figures(value)}</td>'
            if isinstance(value, float)
            else f'<td class="number">{value}</td>'
        )
    return f"<td>{'–' if value is None else escape(str(value))}</td>"


def _said(sentences: Sequence[str]) -> str:
    each = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<h2>What to know</h2><ul>{each}</ul>" if each else ""


def _value(point: Point, measure: str) -> float:
    size: Estimate | None = point.means[measure]
    return float("nan") if size is None else size.value


def _between(number: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (number - low) / (high - low)))


def _ticks(low: float, high: float) -> list[float]:
    """Four to ten round numbers."""
    step = 10 ** floor(log10((high - low) / 4))
    step = next(step * each for each in (1, 2, 5, 10) if (high - low) / (step * each) <= 10)
    return [round(step * place, 10) for place in range(ceil(low / step), floor(high / step) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten."""
    every = [each * 10.0**power for power in range(floor(low), ceil(high) + 1) for each in (1, 2, 5)]
    return [each for each in every if low <= log10(each) <= high]
