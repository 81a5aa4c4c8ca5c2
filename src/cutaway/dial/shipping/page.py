"""The shipped pair's circuits on one page of HTML: the small one as a wiring picture, the large one as a sketch."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from cutaway.dial.reading.picture import COLOURS, STYLE, WORDS, drawing
from cutaway.dial.reading.sketch import sketch
from cutaway.dial.shipping.beside import Beside, Side
from cutaway.runs import Table, write_text

DOTS = "The same drawing without words: each dot is a node."
ALSO = """
h2{font-size:16px;font-weight:600;margin:26px 0 2px}table{border-collapse:collapse;margin:4px 0 10px}
th,td{padding:3px 22px 3px 0;text-align:right;border-top:1px solid var(--rule);font-weight:400}
thead th{border-top:0;font-weight:600}th:first-child{text-align:left}
.thin{stroke-opacity:.55;stroke-dasharray:none}.joined.thin{stroke-width:.8}.dot{fill:var(--ink)}
code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.93em;color:var(--ink)}
"""


def page(found: Beside) -> str:
    """The page, as text."""
    small, large = found.sides
    picture = drawing(small.saved.circuit, small.stored.network, found.reading)
    title = f"{found.task.name}: the same task in two networks"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}{ALSO}</style>'
        f"<h1>{escape(title)}</h1>"
        f"<p>{_coded(found.task.about)} Both networks came to about the same loss on tiny Python, small programs over a closed "
        "vocabulary; of one, one weight in 32 lives. A circuit works by itself, everything else at its mean, and with the rest "
        "live at random.</p>"
        f"{_table(found.compared)}<p>{escape(found.ratios)}. <code>{escape(found.found_by)}</code> finds the first anew; "
        "its claims were run again when this page was made, on fresh examples.</p>"
        f"{_section(small, f'{COLOURS} {WORDS}', picture)}"
        f"{_section(large, DOTS, sketch(large.saved.circuit, large.stored.network))}"
        "</html>\n"
    )


def write(found: Beside, path: Path) -> Path:
    """Writes the page."""
    return write_text(path, page(found))


def _coded(about: str) -> str:
    """Words of the network between backticks, as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(about))


def _section(side: Side, about: str, drawn: str) -> str:
    row = side.numbers()
    title = f"{row['network']}: {row['edges']} edges between {row['nodes']} nodes"
    return f'<h2>{escape(title)}</h2><p>{escape(about)}</p><div class="wiring">{drawn}</div>'


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(what)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for what, *cells in zip(*table.columns.values())
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
