"""Concepts on disk: a folder with `concept.toml` and tables, or at its simplest one table of text and label.

    concept.toml       name, definition, kind, licence, source; [controls.NAME] factor; [shifted.NAME] change
    rows.parquet       text, label; and set (which control or shifted set a row is of), split, group, pair, spans
    decisions.parquet  prompt, target, foil, reference; and split, group

Tables may as well be csv, tsv or jsonl. Nothing in such a folder is ever executed.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cutaway.concepts.concept import DECISION_COLUMNS, ROW_COLUMNS, Concept, Control, Shifted
from cutaway.concepts.files import SUFFIXES, read_table, read_text
from cutaway.concepts.rules import ConceptError, check_kind, check_licence, near
from cutaway.runs.folder import writing
from cutaway.runs.parquet import save_parquet
from cutaway.runs.table import Table

TOML = "concept.toml"
_REQUIRED = ("name", "definition", "kind", "licence")
_WORDS = (*_REQUIRED, "source")
_PARTS = {"controls": "factor", "shifted": "change"}
_OPTIONAL = ("source", "licence")
_MAIN = "rows"


def read_concept(path: str | os.PathLike[str]) -> Concept:
    """The concept in a folder, or in a bare table of text and label (csv, tsv, jsonl or parquet).

    A bare table is called after its file: `deceit.csv` is `own.deceit`, `ethics.deceit.csv` is `ethics.deceit`. Raises
    ConceptError for what is missing, misspelt or breaks a rule of concepts.
    """
    path = Path(path)
    return _from_folder(path) if path.is_dir() else _from_table(path)


def read_head(path: Path) -> dict[str, Any]:
    """What `concept.toml` in a folder says, checked; the tables are not read."""
    text = read_text(path / TOML)
    try:
        head = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConceptError(
            f'{path / TOML}: not TOML ({error}); expected lines such as name = "family.name"; mend it'
        ) from error
    _check_keys(path / TOML, head, _REQUIRED, (*_WORDS, *_PARTS))
    for part, words in _PARTS.items():
        sets = head.get(part, {})
        if not isinstance(sets, dict) or not all(isinstance(one, dict) for one in sets.values()):
            raise ConceptError(
                f'{path / TOML}: {part} is no table of tables; expected [{part}.NAME] and {words} = "…" below it'
            )
        for name, one in sets.items():
            _check_keys(path / TOML, one, (), (words, *_OPTIONAL), f" in [{part}.{name}]")
    return head


def write_concept(concept: Concept, folder: str | os.PathLike[str]) -> None:
    """Write a concept as a folder, beside its name first and then renamed. Raises RunError if something is there."""
    with writing(folder) as beside:
        (beside / TOML).write_text(_toml(concept), encoding="utf-8")
        sets = [(None, concept.rows)]
        sets += [(part.name, part.rows) for part in (*concept.controls, *concept.shifted)]
        rows = [{"set": name, **row} for name, table in sets for row in table]
        save_parquet(_without_empty(Table.of(rows, columns=("set", *ROW_COLUMNS))), beside / "rows.parquet")
        if concept.decisions is not None:
            save_parquet(_without_empty(concept.decisions), beside / "decisions.parquet")


def name_of(path: Path) -> str:
    """The name of the concept at a path: what `concept.toml` says, or for a bare table its file's name."""
    if path.is_dir():
        return read_head(path)["name"]
    parts = [re.sub(r"[^A-Za-z0-9_-]+", "-", part).strip("-_") for part in path.stem.split(".")]
    return ".".join(filter(None, parts if len(parts) > 1 else ["own", *parts]))


def _from_table(path: Path) -> Concept:
    table = read_table(path)
    _check_columns(path, table, ROW_COLUMNS, ("text", "label"))
    return Concept(name_of(path), f"what the rows labelled 1 in {path.name} share", "topic", table, source=path.name)


def _from_folder(path: Path) -> Concept:
    if not (path / TOML).is_file():
        raise ConceptError(
            f"{path}: has no {TOML}; expected one, with rows.parquet beside it; write it, or give a bare table"
        )
    head = read_head(path)
    # Before the tables: a word misspelt here may be why they do not fit.
    check_kind(head["kind"], str(path / TOML))
    check_licence(head["licence"], str(path / TOML))
    sets = _sets(path, head)
    kept = {key: str(head[key]) for key in _OPTIONAL if key in head}
    return Concept(
        name=head["name"],
        definition=head["definition"],
        kind=head["kind"],
        rows=sets[_MAIN],
        controls=tuple(
            Control(name, one.get("factor", ""), sets[name], **_given(one))
            for name, one in head.get("controls", {}).items()
        ),
        shifted=tuple(
            Shifted(name, one.get("change", ""), sets[name], **_given(one))
            for name, one in head.get("shifted", {}).items()
        ),
        decisions=_decisions(path),
        **kept,
    )


def _given(one: dict[str, str]) -> dict[str, str]:
    return {key: one[key] for key in _OPTIONAL if key in one}


def _sets(path: Path, head: dict[str, Any]) -> dict[str, Table]:
    """The rows of the concept itself, and of each control and shifted set, by name."""
    file = _table_file(path, "rows")
    if file is None:
        raise ConceptError(
            f"{path}: has no rows; expected rows.parquet (or {', '.join(SUFFIXES[:-1])}) beside {TOML}; add it"
        )
    table = read_table(file)
    _check_columns(file, table, ("set", *ROW_COLUMNS), ("text", "label"))
    known = [_MAIN, *head.get("controls", {}), *head.get("shifted", {})]
    of = [cell or _MAIN for cell in table.columns.get("set", [None] * len(table))]
    for name in dict.fromkeys(of):
        if name not in known:
            raise ConceptError(
                f"{file}: rows of the set {name!r}, which {TOML} does not name; expected [controls.{name}] with its factor, or "
                f"[shifted.{name}]; {near(str(name), known)}"
            )
    for name in known[1:]:
        if name not in of:
            raise ConceptError(
                f"{path / TOML}: names the set {name!r}; expected rows of it in {file.name}; add them or drop it"
            )
    columns = {name: cells for name, cells in table.columns.items() if name != "set"}
    return {
        name: Table(
            {column: [cell for cell, one in zip(cells, of) if one == name] for column, cells in columns.items()}
        )
        for name in known
    }


def _decisions(path: Path) -> Table | None:
    file = _table_file(path, "decisions")
    if file is None:
        return None
    table = read_table(file)
    _check_columns(file, table, DECISION_COLUMNS, DECISION_COLUMNS[:4])
    return table


def _table_file(path: Path, stem: str) -> Path | None:
    found = [path / f"{stem}{suffix}" for suffix in SUFFIXES if (path / f"{stem}{suffix}").is_file()]
    if len(found) > 1:
        raise ConceptError(
            f"{path}: has {' and '.join(file.name for file in found)}; expected one of them; remove the others"
        )
    return found[0] if found else None


def _check_columns(file: Path, table: Table, known: Iterable[str], needed: Iterable[str]) -> None:
    for name in table.columns:
        if name not in known:
            raise ConceptError(f"{file}: unknown column {name!r}; expected {', '.join(known)}; {near(name, known)}")
    for name in needed:
        if name not in table:
            given = ", ".join(table.columns) or "none"
            raise ConceptError(
                f"{file}: given the columns {given}; expected {', '.join(needed)} at least; add {name!r}"
            )


def _check_keys(
    file: Path, given: dict[str, Any], needed: Iterable[str], known: Iterable[str], place: str = ""
) -> None:
    for key, value in given.items():
        if key not in known:
            raise ConceptError(f"{file}: unknown key {key!r}{place}; expected {', '.join(known)}; {near(key, known)}")
        if key not in _PARTS and not isinstance(value, str):
            raise ConceptError(f"{file}: {key} is {value!r}{place}; expected text; put it into quotes")
    for key in needed:
        if key not in given:
            raise ConceptError(f'{file}: lacks {key}{place}; expected {", ".join(needed)} at least; add {key} = "…"')


def _toml(concept: Concept) -> str:
    lines = [f"{key} = {_quoted(getattr(concept, key))}" for key in _WORDS]
    for part, words in _PARTS.items():
        for one in getattr(concept, part):
            given = {words: getattr(one, words), **{key: getattr(one, key) for key in _OPTIONAL if getattr(one, key)}}
            lines += ["", f"[{part}.{one.name}]", *(f"{key} = {_quoted(value)}" for key, value in given.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _without_empty(table: Table) -> Table:
    """The table without the columns in which nothing is known."""
    return Table({name: cells for name, cells in table.columns.items() if any(cell is not None for cell in cells)})
