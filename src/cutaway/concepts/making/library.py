"""The shipped library from the raw tables: the choice is by a hash with a fixed seed, so the same tables give the same rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from cutaway.concepts.concept import Concept
from cutaway.concepts.making.grammar import grammar
from cutaway.concepts.making.knowledge import knowledge
from cutaway.concepts.making.personas import personas
from cutaway.concepts.making.raw import SEED, Raw, load_raw
from cutaway.concepts.making.topics import choices, emotions, entities, labels
from cutaway.concepts.making.truth import made_up, truth
from cutaway.concepts.reading import write_concept
from cutaway.runs.folder import writing

_HERE = Path(__file__).parent
COMMAND = "python -m cutaway.concepts.making RAW_FOLDER NEW_FOLDER"


def concepts(raw: Raw) -> Iterator[Concept]:
    """Every shipped concept. Prompts of harmful instructions are left out: their two sides differ in style alone."""
    for family in (personas, truth, knowledge, grammar, emotions, entities, choices, labels):
        yield from family(raw)
    yield made_up(raw)


def make(raw_folder: Path, new_folder: Path) -> None:
    """Write every concept, one folder each, and README.md with where they come from."""
    raw = load_raw(raw_folder)
    with writing(new_folder) as beside:
        lines = []
        for concept in sorted(concepts(raw), key=lambda concept: concept.name):
            folder = beside / concept.name
            write_concept(concept, folder)
            for table in folder.glob("*.parquet"):
                _compress(table)
            lines.append(_line(concept))
        (beside / "README.md").write_text(_readme(raw_folder, beside, lines), encoding="utf-8")


def fingerprint(library: Path) -> str:
    """One SHA-256 for all files of a library but its README: of the lines `sha256 path`, in the order of the paths."""
    files = sorted(path for path in library.rglob("*") if path.is_file() and path.name != "README.md")
    lines = [f"{_sha256(path)} {path.relative_to(library).as_posix()}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _line(concept: Concept) -> str:
    cells = (
        concept.name,
        concept.kind,
        concept.definition,
        len(concept.rows),
        ", ".join(control.name for control in concept.controls) or "–",
        ", ".join(shifted.name for shifted in concept.shifted) or "–",
        len(concept.pairs),
        len(concept.decisions or ()),
        ", ".join(concept.licences),
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _readme(raw_folder: Path, made: Path, lines: list[str]) -> str:
    head = (_HERE / "about.txt").read_text(encoding="utf-8")
    given = [f"{_sha256(path)}  {path.name}" for path in sorted(raw_folder.glob("*.parquet"))]
    columns = "| concept | kind | label 1 means | rows | controls | shifted | pairs | decisions | licences |"
    table = "\n".join([columns, "|---|---|---|---:|---|---|---:|---:|---|", *lines])
    return head.format(
        table=table, command=COMMAND, seed=SEED, raw="\n".join(given), whole=fingerprint(made), count=len(lines)
    )


def _compress(path: Path) -> None:
    """The same table with zstd, which is half of the size here."""
    import duckdb

    beside = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    with duckdb.connect() as base:
        base.execute(
            f"COPY (SELECT * FROM read_parquet($1, hive_partitioning=false)) TO '{str(beside).replace(chr(39), chr(39) * 2)}' "
            "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19)",
            [str(path)],
        )
    os.replace(beside, path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
