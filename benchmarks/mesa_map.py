"""Draws the blind zoo's map, the picture `docs/mesa_zoo.svg`: `python -m benchmarks.mesa_map`, after `run.py mesa_zoo`.

Every network by two pairs of the four grounds that an optimizer needs; dashed lines are the limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.kept import RESULTS, read
from benchmarks.mesa_limits import rows_of
from cutaway.mesa.page.page import STYLE
from cutaway.mesa.verdict.limits import Limits
from cutaway.runs import write_text

WIDE, HIGH, EDGE = 560, 400, 48
"""Pixels of a panel, and around its inside."""
PANELS = (
    ("composition", "degrees beyond what layers have alone", "adapting", "share of novel problems solved"),
    ("leap", "log₁₀ of the share beyond one leap", "improving", "layers that improve"),
)
PICTURE = Path(__file__).parents[1] / "docs" / "mesa_zoo.svg"


def drawn(rows: Sequence[dict[str, Any]], across: str, below: str, up: str, beside: str) -> str:
    """One panel: a dot a network, those of a whole number moved a little apart."""
    dice, limits = Random(0), Limits.shipped()
    low = {
        name: max(min(row["evidence"][name] for row in rows), -1.2 if name == "adapting" else -12)
        for name in (across, up)
    }
    high = {name: max(row["evidence"][name] for row in rows) for name in (across, up)}

    def x(value: float) -> float:
        return EDGE + (WIDE - 2 * EDGE) * (value - low[across]) / (high[across] - low[across])

    def y(value: float) -> float:
        return HIGH - EDGE - (HIGH - 2 * EDGE) * (max(value, low[up]) - low[up]) / (high[up] - low[up])

    parts = [
        f'<text class="tick" x="{WIDE / 2}" y="{HIGH - 8}" text-anchor="middle">{escape(below)}</text>',
        f'<text class="tick" x="{EDGE}" y="20">{escape(beside)}</text>',
    ]
    for value in range(round(low[across]), round(high[across]) + 1, 2):
        parts.append(
            f'<text class="tick" x="{x(value):.1f}" y="{HIGH - EDGE + 20}" text-anchor="middle">{value}</text>'
        )
    step = 0.5 if up == "adapting" else 2.0
    for place in range(round(low[up] / step), round(high[up] / step) + 1):
        parts.append(
            f'<text class="tick" x="{EDGE - 12}" y="{y(place * step) + 4:.1f}" text-anchor="end">{place * step:g}</text>'
        )
    line = 'stroke="var(--soft)" stroke-dasharray="4 4"'
    at, over = x(getattr(limits, across)), y(getattr(limits, up))
    parts.append(f'<line {line} x1="{at:.1f}" x2="{at:.1f}" y1="{EDGE - 14}" y2="{HIGH - EDGE + 6}"/>')
    parts.append(f'<line {line} x1="{EDGE - 8}" x2="{WIDE - EDGE + 8}" y1="{over:.1f}" y2="{over:.1f}"/>')
    for row in sorted(rows, key=lambda row: row["truth"] == "iterative optimizer"):
        optimizer = row["truth"] == "iterative optimizer"
        left = x(row["evidence"][across] + (dice.uniform(-0.3, 0.3) if across == "composition" else 0))
        dot = f'class="dot {"optimizer" if optimizer else "control"}" fill-opacity=".65" r="3.2"'
        parts.append(
            f'<circle {dot} cx="{left:.1f}" cy="{y(row["evidence"][up]):.1f}"><title>{escape(row["family"])}</title></circle>'
        )
    return "".join(parts)


def picture(rows: Sequence[dict[str, Any]]) -> str:
    """Both panels with a key, as one SVG file that stands alone."""
    wide = WIDE * len(PANELS)
    panels = "".join(
        f'<g transform="translate({WIDE * place} 0)">{drawn(rows, *panel)}</g>' for place, panel in enumerate(PANELS)
    )
    key = "".join(
        f'<text class="{kind}" x="{wide - left}" y="20">{word}</text>'
        for kind, word, left in (("optimizer", "optimizers", 190), ("control", "look-alikes", 110))
    )
    size = f'viewBox="0 0 {wide} {HIGH}" width="{wide}" height="{HIGH}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif">'
    paper = f'<rect width="{wide}" height="{HIGH}" fill="var(--paper)"/>'
    return f"{head}<style>{STYLE}</style>{paper}{panels}{key}</svg>\n"


def main() -> None:
    """Writes the picture."""
    result = read(RESULTS / "mesa_zoo.json")
    if result is None:
        raise SystemExit("there is no result to draw; run: python benchmarks/run.py mesa_zoo")
    print(write_text(PICTURE, picture(rows_of(result))))


if __name__ == "__main__":
    main()
