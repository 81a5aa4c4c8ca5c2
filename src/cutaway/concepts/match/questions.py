"""What a network is asked about a concept: decisions by split, pairs that cross cue and answer, and the tasks to be spared.

A part that *reads the cue* flips decisions as surely as the part that acts on it, and so does one that *writes the answer*.
Pairs tell them apart: in those that cross the cue, only the cue differs and another question is asked about it; in those
that cross the answer, only the answer differs and the concept is not at stake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cutaway.concepts.concept import Concept
from cutaway.concepts.rules import ConceptError
from cutaway.concepts.splitting import SPLITS

Role = Literal["cue", "answer"]
ROLES: tuple[Role, ...] = ("cue", "answer")
Row = Mapping[str, Any]
COLUMNS = ("prompt", "target", "foil", "reference")


@dataclass(frozen=True)
class Questions:
    """What is asked about one concept; rows are mappings of prompt, target, foil and reference (the partner).

    `decisions` by split: sets are searched on "train", chosen on "val" and judged on "test". `crossed` are pairs by role;
    `tasks` other prompts by name, whose answers should not change. `complete`: whether the behaviour, if it were there,
    would show in these decisions by the concept's own definition (its triggers are among them); only then may a network
    that never shows it be called without it. Pairs and tasks are dealt to the splits in turn.

    Raises ConceptError for a split, a role or a column that is not known or not there.
    """

    name: str
    decisions: Mapping[str, Sequence[Row]]
    crossed: Mapping[Role, Sequence[Row]] = field(default_factory=dict)
    tasks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    complete: bool = False

    def __post_init__(self) -> None:
        for what, given, known in (("split", self.decisions, SPLITS), ("role", self.crossed, ROLES)):
            if strange := [one for one in given if one not in known]:
                raise ConceptError(
                    f"{self.name}: given the {what} {strange[0]!r}; expected {', '.join(known)}; rename it"
                )
        if missing := [split for split in SPLITS if not self.decisions.get(split)]:
            raise ConceptError(
                f"{self.name}: no decisions in the split {missing[0]!r}; expected some in each of {', '.join(SPLITS)}; "
                "give more, or let a Concept deal them"
            )
        for rows in (*self.decisions.values(), *self.crossed.values()):
            for row in rows:
                if lacking := [name for name in COLUMNS if not isinstance(row.get(name), str)]:
                    raise ConceptError(
                        f"{self.name}: a decision without the text {lacking[0]!r}; expected {', '.join(COLUMNS)}; add it"
                    )

    @classmethod
    def of(cls, concept: Concept, others: Sequence[Concept] = ()) -> Questions:
        """A concept's own decisions; those of `others` are the tasks to be spared. Raises ConceptError without decisions."""
        if concept.decisions is None:
            raise ConceptError(f"{concept.name}: {concept.cap}; give decisions, or only READ it")
        rows = {one.name: zip(*(one.decided(split) for split in SPLITS)) for one in others if one.name != concept.name}
        tasks = {name: [row["prompt"] for three in some for row in three] for name, some in rows.items()}
        return cls(
            concept.name,
            {split: concept.decided(split) for split in SPLITS},
            tasks={name: prompts for name, prompts in tasks.items() if prompts},
        )

    def part(self, split: str) -> tuple[Mapping[Role, Sequence[Row]], Mapping[str, Sequence[str]]]:
        """The pairs and the tasks of one split: every third."""
        place = SPLITS.index(split)
        return (
            {role: rows[place :: len(SPLITS)] for role, rows in self.crossed.items()},
            {name: prompts[place :: len(SPLITS)] for name, prompts in self.tasks.items()},
        )
