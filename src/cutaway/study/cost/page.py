"""The costs of a study as one HTML page with nothing from elsewhere: ratios and reference lines on one axis, and tables."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from html import escape
from pathlib import Path

from cutaway.ledger.reference import LINES
from cutaway.mesa.page.page import STYLE
from cutaway.runs import Table, write_text
from cutaway.study.cost.report import Costs
from cutaway.study.cost.show import WITH, dominated, headline, marked, per_named, plainly, reference

WIDE, LEFT, RIGHT, ROW, TOP = 900, 110, 30, 34, 46
OWN = """
.line{stroke:var(--soft);stroke-dasharray:4 4}.even{stroke:var(--ink)}.ratio{fill:var(--optimizer)}
.spread{stroke:var(--optimizer);stroke-width:5;opacity:.35}svg{max-width:100%;height:auto}ul{padding-left:18px;max-width:118ch}
p.ratio-line{color:var(--ink)}
"""


def page(found: Costs, file: str | os.PathLike[str]) -> Path:
    """Writes the page, in the place of an older one; gives its path."""
    return write_text(file, html(found))


def html(found: Costs) -> str:
    """The page as text."""
    ratios = "".join(f'<p class="ratio-line">{escape(line)}</p>' for line in headline(found))
    tables = [
        ("By phase", found.phases),
        ("By module", found.modules),
        ("By run, and for each sub-model that it names", found.runs),
        ("What moves the ratio in money, each input alone (ᵃ rests on what is assumed)", marked(found.sensitivity)),
        ("Adjustments", found.money.table() if found.money else Table({})),
    ]
    parts = [
        f"<h1>What it cost to understand</h1>{ratios}{_items(found.missing)}",
        axis(found) if found.ratios else "",
        f"<p>{escape(per_named(found))}</p><p>{escape(dominated(found)) if found.money else ''}</p>",
        *(f'<h2>{name}</h2><div class="wide">{table._repr_html_()}</div>' for name, table in tables if len(table)),
        f"<h2>The reference lines: estimates, none of them measured</h2>{_items(line.strip() for line in reference(found))}",
        _titled("What keeps the figures from being exact", found.caveats),
        _titled("What could not be read", found.unread),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>What it cost to understand</title><style>{STYLE}{OWN}</style>{''.join(parts)}</html>\n"
    )


def axis(found: Costs) -> str:
    """The ratios and the reference lines on one logarithmic axis of understanding ÷ training, as SVG."""
    ratios = {name: one.ratio.value for name, one in found.ratios.items()}
    labels = {name: plainly(one.ratio) for name, one in found.ratios.items()}
    spread = found.spread
    ends = [] if spread is None else [spread.low, spread.high]
    values = [value for value in (1.0, *ratios.values(), *ends, *(line.ratio for line in LINES)) if value > 0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 0.2)
    bottom = TOP + ROW * len(ratios)

    def at(value: float) -> float:
        share = (math.log10(max(value, 10.0**low)) - low) / (high - low)
        return LEFT + share * (WIDE - LEFT - RIGHT)

    drawn = [_tick(at(10.0**power), bottom, power) for power in range(low, high + 1)]
    drawn += [_line(at(line.ratio), f"{line.ratio:,}×", bottom, high_up=place % 2) for place, line in enumerate(LINES)]
    drawn.append(f'<line class="even" x1="{at(1):.1f}" x2="{at(1):.1f}" y1="{TOP - 8}" y2="{bottom}"/>')
    for place, (name, value) in enumerate(ratios.items()):
        y = TOP + ROW * place + ROW / 2
        if name == "money" and spread is not None:
            ends_at = f'x1="{at(spread.low):.1f}" x2="{at(spread.high):.1f}"'
            drawn.append(f'<line class="spread" {ends_at} y1="{y}" y2="{y}"/>')
        title = f"<title>{escape(WITH[name])}</title>"
        drawn.append(f'<circle class="ratio" cx="{at(value):.1f}" cy="{y}" r="5">{title}</circle>')
        drawn.append(f'<text class="name" x="0" y="{y + 4}">{escape(name)}</text>')
        drawn.append(f'<text x="{at(value) + 9:.1f}" y="{y - 6}">{labels[name]}</text>')
    label = "understanding ÷ training, on a logarithmic axis, beside the estimates that others have named"
    return (
        f'<svg viewBox="0 0 {WIDE} {bottom + 34}" width="{WIDE}" role="img" aria-label="{label}">{"".join(drawn)}</svg>'
    )


def _tick(x: float, bottom: int, power: int) -> str:
    name = f"{10**power:,}×" if power >= 0 else f"1/{10**-power:,}"
    grid = f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
    return f'{grid}<text class="tick" text-anchor="middle" x="{x:.1f}" y="{bottom + 18}">{name}</text>'


def _line(x: float, name: str, bottom: int, high_up: int) -> str:
    y = 14 if high_up else 30
    drawn = f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 4}" y2="{bottom}"/>'
    return f'{drawn}<text text-anchor="middle" x="{x:.1f}" y="{y}">{name}</text>'


def _items(said: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(one)}</li>" for one in said)
    return f"<ul>{items}</ul>" if items else ""


def _titled(title: str, said: Iterable[str]) -> str:
    items = _items(said)
    return f"<h2>{title}</h2>{items}" if items else ""
