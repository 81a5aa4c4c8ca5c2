"""A page of charts and tables: one HTML file with nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cutaway.mesa.page.chart import HIGH, WIDE, Chart
from cutaway.runs import Table

STYLE = """
:root{--paper:#fffef9;--ink:#1d1d1b;--soft:#6b6a64;--rule:#e2dfd4;--optimizer:#1f6fb2;--control:#c25a00;--trained:#2e7d4f;
--this:#1d1d1b}
@media (prefers-color-scheme:dark){:root{--paper:#16171a;--ink:#e9e7e0;--soft:#9d9b93;--rule:#33343a;--optimizer:#62b0ee;
--control:#f0964a;--trained:#6cc08b;--this:#e9e7e0}}
body{margin:0;padding:18px 20px;background:var(--paper);color:var(--ink);font:14px/1.45 system-ui,"Segoe UI",sans-serif}
h1{font-size:20px;font-weight:600;margin:0 0 2px}h2{font-size:16px;font-weight:600;margin:22px 0 4px}
p{margin:0 0 12px;color:var(--soft);max-width:118ch}.charts{display:flex;flex-wrap:wrap;gap:8px 20px}
text{font-size:12px;fill:var(--ink)}.tick{fill:var(--soft);font-size:11px}.name{font-weight:600}.grid{stroke:var(--rule)}
.curve{fill:none;stroke-width:1.8}.curve.optimizer{stroke:var(--optimizer)}
.curve.control{stroke:var(--control);stroke-dasharray:5 3}.curve.trained{stroke:var(--trained)}
.curve.this{stroke:var(--this);stroke-width:2.6}.dot{stroke:none}
.dot.optimizer,text.optimizer{fill:var(--optimizer)}.dot.control,text.control{fill:var(--control)}
.dot.trained,text.trained{fill:var(--trained)}.dot.this,text.this{fill:var(--this)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:12.5px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:3px 12px 3px 0;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:500;color:var(--soft)}
"""


def page(title: str, about: str, charts: Sequence[Chart], tables: Sequence[tuple[str, Table]] = ()) -> str:
    """The page as text."""
    drawn = "".join(chart.svg() for chart in charts)
    below = "".join(f"<h2>{escape(name)}</h2>{_table(table)}" for name, table in tables if len(table))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}</h1><p>{escape(about)}</p>"
        f'<div class="charts">{drawn}</div>{below}</html>\n'
    )


def sheet(charts: Sequence[Chart], columns: int = 2) -> str:
    """The charts as one SVG file that stands alone, in rows of so many."""
    rows = -(-len(charts) // columns)
    places = [(WIDE * (place % columns), HIGH * (place // columns)) for place in range(len(charts))]
    drawn = "".join(f'<g transform="translate({x} {y})">{chart.drawn()}</g>' for (x, y), chart in zip(places, charts))
    wide, high = WIDE * min(columns, len(charts)), HIGH * rows
    paper = f'<rect width="{wide}" height="{high}" fill="var(--paper)"/>'
    font = 'font-family="system-ui, sans-serif"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" {font}>'
    return f"{head}<style>{STYLE}</style>{paper}{drawn}</svg>\n"


def _table(table: Table) -> str:
    return f'<div class="wide">{table._repr_html_()}</div>'
