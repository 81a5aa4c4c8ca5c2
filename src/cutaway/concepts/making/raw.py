"""The raw rows that the library is chosen from, one parquet table a family, and how some are chosen: by a hash of the row.

Columns used: concept, label, label_name, text, pair_id, group, source, path, commit, licence, meta, row.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutaway.runs.parquet import load_parquet
from cutaway.runs.table import Table

SEED = 7005
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")

Row = dict[str, Any]


@dataclass(frozen=True)
class Raw:
    """All raw rows by concept."""

    concepts: Mapping[str, tuple[Row, ...]]

    def rows(self, concept: str) -> list[Row]:
        """The rows of a concept in the order of their hash, each text once, without a text that stands on both sides."""
        return list(self.concepts[concept])

    def names(self, family: str) -> list[str]:
        """The concepts of a family."""
        return [name for name in self.concepts if name.startswith(f"{family}.")]

    def source(self, concept: str) -> str:
        """Repository, commit and paths of a concept's rows."""
        rows = self.concepts[concept]
        return f"{rows[0]['source']}@{rows[0]['commit'][:12]}: {', '.join(sorted({row['path'] for row in rows}))}"

    def licence(self, concept: str) -> str:
        """The licence of a concept's rows."""
        return str(self.concepts[concept][0]["licence"])


def load_raw(folder: Path) -> Raw:
    """Every family in a folder of parquet tables."""
    found: dict[str, list[Row]] = defaultdict(list)
    for path in sorted(folder.glob("*.parquet")):
        for row in load_parquet(path):
            row["text"] = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), row["text"]).strip()
            found[row["concept"]].append(row)
    return Raw({name: tuple(_once(rows)) for name, rows in sorted(found.items())})


def shuffled(rows: Iterable[Row]) -> list[Row]:
    """Rows in the order of a hash of seed and row: the same whatever the order of the file."""
    return sorted(rows, key=lambda row: order(row["row"]))


def order(key: str) -> str:
    """What to sort by for an order that is random, and the same each time."""
    return hashlib.sha256(f"{SEED} {key}".encode()).hexdigest()


def balanced(rows: Iterable[Row], per_label: int) -> Table:
    """As many rows of each label, at most `per_label`, as a concept's rows."""
    by_label: dict[int, list[Row]] = defaultdict(list)
    for row in shuffled(rows):
        by_label[row["label"]].append(row)
    count = min(per_label, *(len(some) for some in by_label.values()))
    return Table.of(
        [{"text": row["text"], "label": row["label"]} for some in by_label.values() for row in some[:count]]
    )


def paired(rows: Iterable[Row], pairs: int, *, swap: bool = False) -> Table:
    """Whole minimal pairs, at most `pairs`; `swap` turns the labels round."""
    both: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        both[row["pair_id"]].append(row)
    whole = {
        pair: some for pair, some in both.items() if pair and Counter(row["label"] for row in some) == {0: 1, 1: 1}
    }
    chosen = sorted(whole, key=order)[:pairs]
    return Table.of(
        [
            {"text": row["text"], "label": 1 - row["label"] if swap else row["label"], "pair": pair, "group": pair}
            for pair in chosen
            for row in sorted(whole[pair], key=lambda row: row["label"])
        ]
    )


def _once(rows: list[Row]) -> list[Row]:
    """Each text once, case and punctuation aside; none that stands under two labels."""
    from cutaway.concepts.splitting import plain_text

    labels: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        labels[plain_text(row["text"])].add(row["label"])
    # Pairs may differ in punctuation alone; those keep both of their rows.
    kept: dict[tuple[str, str], Row] = {}
    for row in shuffled(rows):
        plain = plain_text(row["text"])
        if len(labels[plain]) == 1 or row["pair_id"]:
            kept.setdefault((row["text"] if row["pair_id"] else plain, str(row["label"])), row)
    return shuffled(kept.values())
