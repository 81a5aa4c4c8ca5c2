"""Compare traces: saved runs side by side, read from their parquet files by DuckDB."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cutaway.runs import RunError, Table, open_run

NODES = "nodes.parquet"


def compare(folders: Sequence[str | os.PathLike[str]]) -> Table:
    """Saved traces side by side, one row a part.

    Columns: part, layer, kind; the exact effect in each run (`effect NAME`) and its state (`state NAME`), NAME being the
    folder's; `difference`, the last run's effect less the first's; `changed`, whether the states differ (a part that a
    run does not have counts as differing). Largest difference first. Effects are in the units of each run's own decision:
    where the decisions differ, so may their scales.

    Raises RunError for runs that are not traces, ValueError for fewer than two.
    """
    paths = [Path(folder) for folder in folders] if not isinstance(folders, str | os.PathLike) else [Path(folders)]
    if len(paths) < 2:
        raise ValueError(f"given {len(paths)} run to compare; expected two or more folders: compare([first, second])")
    for path in paths:
        _check(path)
    return _joined(paths, _names(paths))


def _check(path: Path) -> None:
    run = open_run(path)
    if run.kind != "trace":
        raise RunError(
            f"{path}: is a run of kind {run.kind!r}; compare takes traces, as cw.save(trace, folder) writes them"
        )


def _names(paths: Sequence[Path]) -> list[str]:
    """The folders' names; numbered where two are alike (column names must differ by more than case)."""
    names = [path.resolve().name for path in paths]
    if len({name.lower() for name in names}) == len(names):
        return names
    return [f"{name} ({index})" for index, name in enumerate(names, 1)]


def _joined(paths: Sequence[Path], names: Sequence[str]) -> Table:
    import duckdb

    numbers = range(len(paths))
    each = " UNION ALL ".join(_nodes(index) for index in numbers)
    effects = ", ".join(f"max(exact) FILTER (run = {i}) AS {_quoted(f'effect {name}')}" for i, name in enumerate(names))
    states = ", ".join(f"max(state) FILTER (run = {i}) AS {_quoted(f'state {name}')}" for i, name in enumerate(names))
    last = len(paths) - 1
    query = f"""
        SELECT part, any_value(layer) AS layer, any_value(kind) AS kind, {effects},
            max(exact) FILTER (run = {last}) - max(exact) FILTER (run = 0) AS difference,
            count(DISTINCT state) > 1 OR count(DISTINCT run) < {len(paths)} AS changed,
            {states}
        FROM ({each}) GROUP BY part ORDER BY abs(difference) DESC NULLS LAST, part
    """
    with duckdb.connect() as base:
        found = base.execute(query, [str(path / NODES) for path in paths])
        columns = [column[0] for column in found.description or []]
        return Table.of([dict(zip(columns, row)) for row in found.fetchall()], columns=columns)


def _nodes(run: int) -> str:
    # A folder called "head=6" must not turn into a column.
    source = f"read_parquet(${run + 1}, hive_partitioning=false)"
    return f"SELECT {run} AS run, part, layer::BIGINT AS layer, kind, exact::DOUBLE AS exact, state FROM {source}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
