"""Rows that make a sound concept, to be broken one rule at a time."""

from __future__ import annotations

from typing import Any

from cutaway.concepts import Concept, Control, Shifted
from cutaway.runs import Table

Row = dict[str, Any]


def plain_rows(per_label: int = 20) -> list[Row]:
    """Half of them like art, half shun it."""
    liked = [{"text": f"I like the art of room {i}", "label": 1} for i in range(per_label)]
    return liked + [{"text": f"I shun the art of room {i}", "label": 0} for i in range(per_label)]


def paired_rows(pairs: int = 20) -> list[Row]:
    """The same, each two of one room a minimal pair."""
    return [{**row, "pair": row["text"].split()[-1]} for row in plain_rows(pairs)]


def control_rows(per_label: int = 20) -> list[Row]:
    """The same stances, taken to something else."""
    return [{**row, "text": row["text"].replace("art", "food")} for row in plain_rows(per_label)]


def decision_rows(couples: int = 10) -> list[Row]:
    """Prompts in twos, each the other's reference."""
    rows = []
    for i in range(couples):
        one, two = f"Room {i} is loved, so I", f"Room {i} is hated, so I"
        rows.append({"prompt": one, "target": " stay", "foil": " go", "reference": two})
        rows.append({"prompt": two, "target": " go", "foil": " stay", "reference": one})
    return rows


def concept(**changed: Any) -> Concept:
    """A concept with everything, but for what is changed."""
    whole: dict[str, Any] = {
        "name": "own.art",
        "definition": "the speaker likes art",
        "kind": "stance",
        "rows": Table.of(paired_rows()),
        "controls": (Control("food", "object: food rather than art", Table.of(control_rows())),),
        "shifted": (Shifted("shouted", "form: in capitals", Table.of(shouted())),),
        "decisions": Table.of(decision_rows()),
        "licence": "CC0-1.0",
        "source": "made here",
    }
    return Concept(**{**whole, **changed})


def shouted() -> list[Row]:
    """Further rows in capitals, of rooms of their own."""
    return [
        {"text": f"I {word} THE ART OF HALL {i}", "label": label}
        for i in range(4)
        for word, label in (("LIKE", 1), ("SHUN", 0))
    ]
