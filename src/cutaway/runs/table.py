"""A table as a value: named columns of equal length that print, sort, filter and become a list of rows.

The only container of rows in the package: nodes of a trace, catalogues, benchmarks. Parquet is in `parquet.py`.
"""

from __future__ import annotations

import html
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

_SHOWN_ROWS = 60
_SHOWN_CELL = 60
_SHOWN_WIDTH = 200
_SHOWN_ITEMS = 6


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Cells are None, bool, int, float, str or lists of these; NumPy and torch scalars and arrays are turned into plain
    Python when the table is made, so that a table never holds on to a tensor.

    >>> table = Table.of([{"site": "z.0", "effect": 0.51234}, {"site": "z.1", "effect": -2.0}])
    >>> len(table), table["effect"]
    (2, [0.51234, -2.0])
    >>> table.sort("effect").head(1).rows()
    [{'site': 'z.1', 'effect': -2.0}]

    Raises ValueError if the columns differ in length.
    """

    columns: dict[str, list[Any]]

    def __post_init__(self) -> None:
        columns = {name: [_plain(cell) for cell in cells] for name, cells in self.columns.items()}
        lengths = {name: len(cells) for name, cells in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"a table was given columns of lengths {lengths}; expected one length: try Table.of(rows)")
        object.__setattr__(self, "columns", columns)

    @staticmethod
    def of(rows: Iterable[Row], columns: Sequence[str] = ()) -> Table:
        """The table of these rows: `columns` come first, then others as they first appear; what a row lacks is None."""
        rows = list(rows)
        names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
        return Table({name: [row.get(name) for row in rows] for name in names})

    def __len__(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values()), []))

    def __iter__(self) -> Iterator[Row]:
        """The rows, one after another."""
        return iter(self.rows())

    def __contains__(self, column: object) -> bool:
        """Whether there is a column of this name."""
        return column in self.columns

    def __getitem__(self, column: str) -> list[Any]:
        """The cells of one column. Raises KeyError naming the columns there are."""
        if column not in self.columns:
            raise KeyError(f"no column {column!r}: this table has {', '.join(self.columns) or 'no columns'}")
        return self.columns[column]

    def rows(self) -> list[Row]:
        """The rows as dictionaries."""
        return [dict(zip(self.columns, cells)) for cells in zip(*self.columns.values())]

    def where(self, predicate: Callable[[Row], bool]) -> Table:
        """The rows for which `predicate(row)` is true, in their order."""
        return self._take([index for index, row in enumerate(self.rows()) if predicate(row)])

    def sort(self, column: str, *, descending: bool = False) -> Table:
        """The rows ordered by one column; equal rows keep their order, None and NaN come last either way."""
        cells = self[column]
        known = [index for index, cell in enumerate(cells) if not _unknown(cell)]
        unknown = [index for index, cell in enumerate(cells) if _unknown(cell)]
        return self._take(sorted(known, key=lambda index: cells[index], reverse=descending) + unknown)

    def head(self, n: int) -> Table:
        """The first `n` rows. Raises ValueError for a negative `n`."""
        if n < 0:
            raise ValueError(f"head was given {n}; expected 0 or more rows")
        return self._take(range(min(n, len(self))))

    def with_column(self, name: str, values: Iterable[Any]) -> Table:
        """This table with one column added, or replaced where it stood."""
        return Table({**self.columns, name: list(values)})

    def to_json(self) -> str:
        """The rows as a JSON array of objects; JSON has no NaN or infinity, so these become null."""
        return json.dumps([_finite(row) for row in self.rows()], ensure_ascii=False, allow_nan=False)

    def to_markdown(self) -> str:
        """All rows as a GitHub-flavoured Markdown table; text cannot break out of its cell or become HTML."""
        lines = [list(self.columns), ["---:" if self._numeric(name) else "---" for name in self.columns]]
        lines += [[_shown(cell) for cell in cells] for cells in zip(*self.columns.values())]
        return "\n".join("| " + " | ".join(_markdown(cell) for cell in line) + " |" for line in lines)

    def __str__(self) -> str:
        """Compact text without colour codes: 3 significant figures, None as "–", long tables cut with a count."""
        from rich import box
        from rich.console import Console
        from rich.table import Table as Drawn
        from rich.text import Text

        drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for name in self.columns:
            side = "right" if self._numeric(name) else "left"
            drawn.add_column(Text(_shown(name)), justify=side, no_wrap=True, overflow="ellipsis")
        for row in self.head(_SHOWN_ROWS).rows():
            drawn.add_row(*(Text(_clipped(_shown(cell))) for cell in row.values()))
        out = io.StringIO()
        Console(file=out, color_system=None, force_terminal=False, width=_SHOWN_WIDTH).print(drawn)
        lines = [line.rstrip() for line in out.getvalue().splitlines()]
        return "\n".join([*lines, *self._cut()])

    def _repr_html_(self) -> str:
        """The table for a notebook, every cell escaped."""
        head = "".join(f"<th>{html.escape(_shown(name))}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_shown(cell))}</td>" for cell in row.values()) + "</tr>"
            for row in self.head(_SHOWN_ROWS).rows()
        )
        cut = "".join(f"<caption>{html.escape(line)}</caption>" for line in self._cut())
        return f"<table>{cut}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _take(self, indices: Iterable[int]) -> Table:
        indices = list(indices)
        return Table({name: [cells[index] for index in indices] for name, cells in self.columns.items()})

    def _numeric(self, column: str) -> bool:
        cells = [cell for cell in self.columns[column] if cell is not None]
        return bool(cells) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells)

    def _cut(self) -> list[str]:
        return [f"… {len(self) - _SHOWN_ROWS} more rows"] if len(self) > _SHOWN_ROWS else []


def _plain(cell: Any) -> Any:
    if hasattr(cell, "tolist"):
        return cell.tolist()
    return [_plain(item) for item in cell] if isinstance(cell, list | tuple) else cell


def _unknown(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shown(cell: Any) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return _three_figures(cell)
    if isinstance(cell, list):
        more = f", … {len(cell)} in all" if len(cell) > _SHOWN_ITEMS else ""
        return "[" + ", ".join(_shown(item) for item in cell[:_SHOWN_ITEMS]) + more + "]"
    # Control characters would move the cursor or colour the terminal of whoever prints a prompt.
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(cell))


def _three_figures(number: float) -> str:
    short = f"{number:.3g}"
    # Whole thousands read better than powers of ten: 12300, not 1.23e+04.
    return f"{float(short):.0f}" if 1e3 <= abs(number) < 999_500 else short


def _clipped(text: str) -> str:
    return text if len(text) <= _SHOWN_CELL else text[: _SHOWN_CELL - 1] + "…"


def _markdown(text: str) -> str:
    # "\|" is itself ambiguous after a backslash, so the bar is written as an entity.
    return html.escape(text, quote=False).replace("|", "&#124;")
