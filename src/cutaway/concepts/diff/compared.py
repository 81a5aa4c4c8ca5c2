"""One concept asked of two networks: its decisions that both can be asked, and what each answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cutaway.concepts.diff.behaviour import Behaviour, behaviours
from cutaway.concepts.diff.carried import FEWEST, Row
from cutaway.concepts.diff.pair import Pair
from cutaway.concepts.match import Questions, Trials
from cutaway.concepts.match.trials import askable

LEVEL = 0.05
LEAST = 0.1  # of the decisions: a difference that is smaller does not count, however sure it is


@dataclass(frozen=True, eq=False)
class Compared:
    """A concept's questions as both networks of a pair can be asked them."""

    pair: Pair
    about: Questions

    @cached_property
    def rows(self) -> Mapping[str, Sequence[Row]]:
        """The decisions of each split that both networks' tokenizers can ask."""
        every = self.about.decisions.items()
        return {split: askable(self.pair.b, askable(self.pair.a, some)) for split, some in every}

    @property
    def count(self) -> int:
        """How many these are."""
        return sum(map(len, self.rows.values()))

    @cached_property
    def seen(self) -> tuple[Behaviour, ...]:
        """Both sides of the decisions, prompts and partners; none where there are too few. No split is kept apart: nothing is
        chosen by what is seen here but whether to look for parts."""
        if self.count < FEWEST:
            return ()
        every = [row for some in self.rows.values() for row in some]
        return behaviours(*(Trials.of(net, every) for net in (self.pair.a, self.pair.b)))

    @property
    def said(self) -> Behaviour | None:
        """The side with the smaller p; of two the larger difference, then the prompts."""
        return min(self.seen, key=lambda one: (one.p, -abs(one.difference)), default=None)

    @property
    def turned(self) -> Mapping[str, Sequence[Row]]:
        """The decisions as they are where the prompts are said, prompts and partners exchanged where the partners are."""
        if self.said is None or self.said.side == "prompts":
            return self.rows
        return {split: [exchanged(row) for row in some] for split, some in self.rows.items()}


def exchanged(row: Row) -> Row:
    """A decision about the partner."""
    return {"prompt": row["reference"], "target": row["foil"], "foil": row["target"], "reference": row["prompt"]}


def differs(seen: Behaviour, q: float) -> bool:
    """Whether a difference is beyond chance, and as large as counts."""
    return q <= LEVEL and abs(seen.difference) >= LEAST
