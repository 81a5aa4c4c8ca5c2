"""A concept: what a sub-model could be about, as labelled texts with the contrasts that keep a look-alike from passing.

A probe that tells two heaps of text apart has found *a* difference between them, seldom the one meant: an untrained network
reaches an AUROC of 0.94 to 1.00 on most such data. So a concept carries more than two heaps: controls, each one factor off;
minimal pairs; test sets that are shifted; decisions in which the concept is used. What it lacks caps the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from cutaway.concepts.rules import NOT_STATED, ConceptError, check_concept, near
from cutaway.concepts.splitting import SPLITS, Placed, deal, plain_text
from cutaway.runs.table import Table

ROW_COLUMNS = ("text", "label", "split", "group", "pair", "spans")
DECISION_COLUMNS = ("prompt", "target", "foil", "reference", "split", "group")
NO_CONTROL = "topic only (no control given)"
NO_DECISION = "can be read, never used (no decisions given)"


@dataclass(frozen=True)
class Control:
    """Rows that differ from the concept's in ONE factor, named in words; in those of label 1 the concept does not hold.

    Label 1 is what a positive becomes when the factor is changed, label 0 what a negative becomes (these may be missing).
    A reading of the concept puts the concept's positives above the control's label 1; a reading of what merely goes along
    with it (a stance, a word, a negation) does not, and puts the control's label 1 above its label 0.

    `source` and `licence` are given where they are not the concept's.
    """

    name: str
    factor: str
    rows: Table
    source: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Shifted:
    """A further test set of the same concept, with what was changed in words: another language, form or topic."""

    name: str
    change: str
    rows: Table
    source: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Concept:
    """A natural abstraction as labelled data, checked and split when it is made.

    `rows` needs the columns text and label (1 where the concept holds, 0 where it does not; further classes 2, 3, …) and may
    have split (train, val, test), group and pair (split as one) and spans (lists of [start, end] in characters: the label
    holds for these). `decisions` has prompt, target, foil and reference: the prompt's minimal-pair partner, whose right
    answer is the foil. Splits that are missing are dealt by `splitting.deal`, over rows, controls and decisions together.

    >>> rows = [{"text": f"I like art no. {i}", "label": 1} for i in range(20)]
    >>> rows += [{"text": f"I shun art no. {i}", "label": 0} for i in range(20)]
    >>> concept = Concept("own.art", "the speaker likes art", "stance", Table.of(rows))
    >>> len(concept.texts("train", 1)), len(concept.texts("test", 1)), concept.cap
    (12, 4, 'topic only (no control given); can be read, never used (no decisions given)')

    Raises ConceptError, saying what was given, what is expected and what to try.
    """

    name: str
    definition: str
    kind: str
    rows: Table
    controls: tuple[Control, ...] = ()
    shifted: tuple[Shifted, ...] = ()
    decisions: Table | None = None
    licence: str = NOT_STATED
    source: str = NOT_STATED

    def __post_init__(self) -> None:
        rows, controls, decisions = _placed(self)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "controls", controls)
        object.__setattr__(self, "decisions", decisions)
        object.__setattr__(self, "shifted", tuple(_all_test(shifted) for shifted in self.shifted))
        check_concept(self)

    def texts(self, split: str, label: int | None = None) -> list[str]:
        """The texts of one split, of one label or of all."""
        return [row["text"] for row in self.rows if row["split"] == split and label in (None, row["label"])]

    def decided(self, split: str) -> list[dict[str, Any]]:
        """The decisions of one split, as dictionaries of prompt, target, foil and reference; none where none were given."""
        return [] if self.decisions is None else self.decisions.where(lambda row: row["split"] == split).rows()

    @property
    def pairs(self) -> Table:
        """The minimal pairs: pair, split, `with_it` (of the higher label, so 1 against 0) and `without_it`."""
        members: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows:
            if row["pair"] is not None:
                members.setdefault(row["pair"], []).append(row)
        both = {pair: sorted(rows, key=lambda row: -row["label"]) for pair, rows in members.items()}
        made = [
            {"pair": pair, "split": high["split"], "with_it": high["text"], "without_it": low["text"]}
            for pair, (high, low) in both.items()
        ]
        return Table.of(made, columns=("pair", "split", "with_it", "without_it"))

    @property
    def cap(self) -> str:
        """The most that a verdict can say of this concept, in words; empty if nothing caps it."""
        return "; ".join(self.caps)

    @property
    def caps(self) -> tuple[str, ...]:
        """What caps the verdict, one by one."""
        lacks_control = () if self.controls else (NO_CONTROL,)
        return lacks_control if self.decisions is not None else (*lacks_control, NO_DECISION)

    @property
    def licences(self) -> tuple[str, ...]:
        """Every licence under which some of the rows stand, the concept's own first."""
        parts = [part.licence for part in (*self.controls, *self.shifted)]
        return tuple(dict.fromkeys([self.licence, *filter(None, parts)]))

    def table(self) -> Table:
        """What there is: a line for the rows, each control, each shifted set and the decisions, counted by split."""
        lines = [{"set": "rows", "what": self.definition, **_counts(self.rows)}]
        lines += [{"set": f"control {c.name}", "what": c.factor, **_counts(c.rows)} for c in self.controls]
        lines += [{"set": f"shifted {s.name}", "what": s.change, **_counts(s.rows)} for s in self.shifted]
        if self.decisions is not None:
            one = self.decisions.rows()[0]
            lines.append({"set": "decisions", "what": f"{one['prompt']} … {one['target']}", **_counts(self.decisions)})
        return Table.of(lines)

    def __str__(self) -> str:
        """The name, the table and what caps the verdict."""
        head = f"{self.name} ({self.kind}; {self.licence}; {len(self.pairs)} minimal pairs)"
        return "\n".join([head, str(self.table()), f"at most: {self.cap}" if self.cap else "nothing caps the verdict"])

    def _repr_html_(self) -> str:
        """The table for a notebook."""
        return self.table()._repr_html_()

    def __hash__(self) -> int:
        """By name: tables have no hash."""
        return hash(self.name)


def _counts(rows: Table) -> dict[str, Any]:
    """Rows by split; by label within it, highest label first, where there are labels."""
    if "label" not in rows:
        return {split: str(rows["split"].count(split)) for split in SPLITS}
    labels = sorted(set(rows["label"]), reverse=True)
    both = list(zip(rows["split"], rows["label"]))
    return {split: " + ".join(str(both.count((split, label))) for label in labels) for split in SPLITS}


def _placed(concept: Concept) -> tuple[Table, tuple[Control, ...], Table | None]:
    """Rows, controls and decisions with all their columns and a split each, dealt together."""
    where = concept.name
    rows = _filled(concept.rows, ROW_COLUMNS, 2, where)
    controls = [
        replace(c, rows=_filled(c.rows, ROW_COLUMNS, 2, f"{where}, control {c.name}")) for c in concept.controls
    ]
    decisions = None
    if concept.decisions is not None:
        decisions = _filled(concept.decisions, DECISION_COLUMNS, 4, f"{where}, decisions")
    tables = [rows, *(control.rows for control in controls), *([] if decisions is None else [decisions])]
    items = [[_item(number, row) for row in table] for number, table in enumerate(tables)]
    splits = iter(deal([item for some in items for item in some]))
    full = [table.with_column("split", [next(splits) for _ in range(len(table))]) for table in tables]
    controls = [replace(control, rows=table) for control, table in zip(controls, full[1:])]
    return full[0], tuple(controls), None if decisions is None else full[-1]


def _filled(table: Table, columns: tuple[str, ...], needed: int, where: str) -> Table:
    """A table with exactly these columns; those after the first `needed` may be missing, and empty cells are None."""
    for name in columns[:needed]:
        if name not in table:
            given = ", ".join(table.columns) or "none"
            raise ConceptError(
                f"{where}: given the columns {given}; expected {', '.join(columns[:needed])}; add {name!r}"
            )
    for name in table.columns:
        if name not in columns:
            raise ConceptError(
                f"{where}: unknown column {name!r}; expected {', '.join(columns)}; {near(name, columns)}"
            )
    cells = {name: table.columns.get(name, [None] * len(table)) for name in columns}
    return Table({name: [_cell(name, cell) for cell in some] for name, some in cells.items()})


def _cell(name: str, cell: Any) -> Any:
    if cell in ("", []):
        return None
    return str(cell) if name in ("group", "pair") and cell is not None else cell


def _item(number: int, row: dict[str, Any]) -> Placed:
    """A row as something to place: tied to its group, its pair within its table, and its texts."""
    texts: Iterable[Any] = (row["prompt"], row["reference"]) if "prompt" in row else (row["text"],)
    ties: list[Any] = [("text", plain_text(text)) for text in texts if isinstance(text, str)]
    if row["group"] is not None:
        ties.append(("group", row["group"]))
    if row.get("pair") is not None:
        ties.append(("pair", number, row["pair"]))
    return Placed((number, str(row.get("label"))), tuple(ties), row["split"])


def _all_test(shifted: Shifted) -> Shifted:
    rows = _filled(shifted.rows, ROW_COLUMNS, 2, f"shifted set {shifted.name}")
    return replace(shifted, rows=rows.with_column("split", ["test"] * len(rows)))
