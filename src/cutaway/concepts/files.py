"""A table from a csv, tsv, jsonl or parquet file, refusing by name what a hand-made file gets wrong.

A file is measured before it is read: a concept is a few hundred texts, and one of 100 MB is something else.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from cutaway.concepts.rules import ConceptError
from cutaway.runs.parquet import load_parquet
from cutaway.runs.table import Table

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
LARGEST = 32_000_000  # bytes
_NUMBERS = ("label",)
_LISTS = ("spans",)


def read_table(path: Path) -> Table:
    """The rows of a file: `label` as numbers, `spans` as lists, empty cells as None, the rest as text.

    Raises ConceptError for a file that is missing, too large, of another kind, not UTF-8, or not a table.
    """
    check_size(path)
    if path.suffix == ".parquet":
        try:
            return load_parquet(path)
        except ValueError as error:
            raise ConceptError(f"{error}; expected a parquet table; write it again, or give a csv file") from error
    if path.suffix not in SUFFIXES:
        raise ConceptError(
            f"{path}: given a {path.suffix or 'nameless'} file; expected one of {', '.join(SUFFIXES)}; convert it"
        )
    text = read_text(path)
    return _from_jsonl(path, text) if path.suffix == ".jsonl" else _from_csv(path, text)


def read_text(path: Path) -> str:
    """The text of a UTF-8 file. Raises ConceptError naming the first byte that is not."""
    check_size(path)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConceptError(
            f"{path}: byte {error.start} is not UTF-8; expected UTF-8 text; try: iconv -f LATIN1 -t UTF-8 {path.name}"
        ) from error


def check_size(path: Path) -> None:
    """Raises ConceptError for a file that is not there, or larger than any concept."""
    if not path.is_file():
        raise ConceptError(
            f"{path}: no such file; expected a concept's folder or a table of text and label; check the path"
        )
    size = path.stat().st_size
    if size > LARGEST:
        raise ConceptError(
            f"{path}: given {size / 1e6:.0f} MB; expected at most {LARGEST / 1e6:.0f} MB; a concept needs a few hundred rows: "
            "give a sample, balanced by label"
        )


def _from_jsonl(path: Path, text: str) -> Table:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConceptError(
                f"{path}, line {number}: not JSON ({error}); expected one object a line; mend the line"
            ) from error
        if not isinstance(row, dict):
            raise ConceptError(
                f'{path}, line {number}: given {type(row).__name__}; expected an object; write {{"text": …}}'
            )
        rows.append(row)
    return Table.of(rows)


def _from_csv(path: Path, text: str) -> Table:
    # Texts may be longer than the module's limit of 131,072 characters a cell; the file's size is checked already.
    csv.field_size_limit(LARGEST)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
    try:
        names = next(lines, [])
        if len(set(names)) < len(names):
            raise ConceptError(f"{path}: given the columns {', '.join(names)}; expected each once; rename or drop one")
        rows = [_row(f"{path}, line {lines.line_num}", names, cells) for cells in lines if cells]
    except csv.Error as error:
        raise ConceptError(
            f"{path}, line {lines.line_num}: {error}; expected quoted cells as a spreadsheet writes them"
        ) from error
    return Table.of(rows, columns=names)


def _row(where: str, names: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(names):
        raise ConceptError(
            f"{where}: given {len(cells)} cells for {len(names)} columns; expected one each; put texts with commas into quotes"
        )
    return {name: _value(where, name, cell) for name, cell in zip(names, cells)}


def _value(where: str, name: str, cell: str) -> Any:
    if cell == "":
        return None
    if name not in (*_NUMBERS, *_LISTS):
        return cell
    try:
        return int(cell) if name in _NUMBERS else json.loads(cell)
    except ValueError as error:
        expected = "a whole number" if name in _NUMBERS else "lists such as [[0, 4]]"
        raise ConceptError(f"{where}: given {cell!r} as {name}; expected {expected}; number or rewrite it") from error
