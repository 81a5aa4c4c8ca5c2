"""Tables to and from parquet, through DuckDB (so no pandas or pyarrow is needed).

Types are inferred per column: bool, int (64 bits), float, str, and lists of these to any depth; None stands anywhere.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cutaway.runs.table import Table

_TYPES = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}
# What a column without a single known value is stored as; it reads back as None (or, in a list, as no items).
_UNKNOWN = "INTEGER"


def save_parquet(table: Table, path: str | os.PathLike[str]) -> None:
    """Write a table as one parquet file, under another name first and then renamed.

    Whole numbers in a column that also holds floats come back as floats. Raises ValueError for a table without
    columns, for names that DuckDB cannot tell apart, and for cells that are not None, bool, int, float, str or lists.
    """
    import duckdb

    path = Path(path)
    _check_names(table, path)
    types = {name: _type(name, cells) for name, cells in table.columns.items()}
    parts = [f"unnest(${index}::{kind}[]) AS {_quoted(name)}" for index, (name, kind) in enumerate(types.items(), 1)]
    beside = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        with duckdb.connect() as base:
            base.execute(f"CREATE TABLE saved AS SELECT {', '.join(parts)}", list(table.columns.values()))
            base.execute(f"COPY saved TO {_literal(str(beside))} (FORMAT parquet)")
        os.replace(beside, path)
    except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
        raise ValueError(f"{path}: a cell does not fit parquet ({str(error).splitlines()[0]})") from error
    finally:
        beside.unlink(missing_ok=True)


def load_parquet(path: str | os.PathLike[str]) -> Table:
    """Read a table from one parquet file. Raises FileNotFoundError, or ValueError if it is not parquet."""
    import duckdb

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such parquet file")
    try:
        with duckdb.connect() as base:
            # A folder called "head=6" must not turn into a column.
            found = base.execute("SELECT * FROM read_parquet($1, hive_partitioning=false)", [str(path)])
            names = [column[0] for column in found.description or []]
            rows = found.fetchall()
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        raise ValueError(f"{path}: not a readable parquet file ({str(error).splitlines()[0]})") from error
    return Table({name: [row[index] for row in rows] for index, name in enumerate(names)})


def _check_names(table: Table, path: Path) -> None:
    if not table.columns:
        raise ValueError(f"{path}: given a table without columns; name them: Table.of(rows, columns=[…])")
    alike = [name for name, count in Counter(name.lower() for name in table.columns).items() if count > 1]
    if alike or "" in table.columns:
        given = [name for name in table.columns if name == "" or name.lower() in alike]
        raise ValueError(f"{path}: given column names {given}; expected names that differ by more than case, not empty")


def _type(column: str, cells: Iterable[Any]) -> str:
    known = [cell for cell in cells if cell is not None]
    kinds = {type(cell) for cell in known}
    if kinds <= {list} and known:
        return _type(column, [item for cell in known for item in cell]) + "[]"
    if kinds == {int, float}:
        return "DOUBLE"
    if len(kinds) > 1 or not kinds <= _TYPES.keys():
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(f"column {column!r} holds {names}; expected one of bool, int, float, str or lists of one")
    return _TYPES[kinds.pop()] if kinds else _UNKNOWN


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
