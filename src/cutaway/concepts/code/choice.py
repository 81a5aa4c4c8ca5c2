"""What is taken of all that a corpus offers to one structure: so much for each split, from files in turn, no text twice.

Every file has one split. A text that stands in two files belongs to the first: otherwise it would tie both into one split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

from cutaway.concepts.code.candidates import Candidate, Couple, Offer
from cutaway.concepts.splitting import MINIMUM, SPLITS, plain_text
from cutaway.runs.table import Table

LEAST = sum(MINIMUM.values())
_TURNS = (
    "train",
    "val",
    "test",
    "train",
    "train",
)  # so files are dealt: 60/20/20, and each split gets one of the first three
Of = Callable[[Offer], list[Candidate]]


class TooFew(ValueError):
    """A corpus has too few rows for a concept, a control or decisions: how many there are, and how many are needed."""


@dataclass
class Choice:
    """The choice from what the files offer, in order; `room` is how many rows a split takes, `splits` has each file's."""

    offers: Sequence[Offer]
    room: Mapping[str, int]
    splits: Mapping[str, str]
    unclear: frozenset[str]
    owners: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, offers: Sequence[Offer], per: int) -> Choice:
        """A choice of at most `per` rows of a kind; files are dealt to the splits, those with the structure first."""
        held = max(MINIMUM["test"], per // 5)
        room = {"train": per - 2 * held, "val": held, "test": held}
        with_it = dict.fromkeys(one.group for each in offers for one in each.positives)
        others = dict.fromkeys(
            one.group for each in offers for one in chain(each.negatives, *each.controls.values(), each.couples)
        )
        splits = dict[str, str]()
        for files in (list(with_it), [group for group in others if group not in with_it]):
            splits |= {group: _TURNS[number % len(_TURNS)] for number, group in enumerate(files)}
        positive = {one.text.strip() for each in offers for one in each.positives}
        negative = {one.text.strip() for each in offers for one in chain(each.negatives, *each.controls.values())}
        return cls(offers, room, splits, frozenset(positive & negative))

    def some(self, of: Of) -> list[Candidate]:
        """Candidates of one kind, as many as there is room for; a text that stands for both sides is on none."""
        found, room = list[Candidate](), Counter(self.room)
        for one in _in_turn([of(each) for each in self.offers]):
            split = self.splits[one.group]
            if room[split] and one.text.strip() not in self.unclear and self._take(one.group, one.text):
                room[split] -= 1
                found.append(one)
        return found

    def like(self, these: Sequence[Candidate], of: Of) -> list[Candidate]:
        """Candidates that end in the tokens of these, in each split as often as they do, as far as there are any; then others."""
        wanted = Counter((self.splits[one.group], one.token) for one in these)
        candidates = [of(each) for each in self.offers]
        first, rest = list[Candidate](), list[Candidate]()
        for one in _in_turn(candidates):
            key = (self.splits[one.group], one.token)
            free = one.text.strip() not in self.unclear
            if wanted[key] and free and self._take(one.group, one.text):
                wanted[key] -= 1
                first.append(one)
            elif free:
                rest.append(one)
        room = Counter(self.room) - Counter(self.splits[one.group] for one in first)
        for one in rest:
            if room[self.splits[one.group]] and self._take(one.group, one.text):
                room[self.splits[one.group]] -= 1
                first.append(one)
        return first

    def table(self, rows: Iterable[tuple[Candidate, int]]) -> Table:
        """Rows with their labels."""
        return Table.of({**one.row(label), "split": self.splits[one.group]} for one, label in rows)

    def decisions(self) -> Table:
        """Decisions in twos, half as many twos as there is room for rows. Raises TooFew."""
        self.used.clear()  # a prompt may be a row too, of the same file
        found, room = list[Couple](), {split: count // 2 for split, count in self.room.items()}
        for one in _in_turn([each.couples for each in self.offers]):
            split = self.splits[one.group]
            if room[split] and self._take(one.group, one.prompt, one.reference):
                room[split] -= 1
                found.append(one)
        rows = [{**row, "split": self.splits[one.group]} for one in found for row in one.rows()]
        _check(Counter(row["split"] for row in rows), "decisions")
        return Table.of(rows)

    def enough(self, rows: list[Candidate]) -> list[Candidate]:
        """The same rows. Raises TooFew."""
        _check(Counter(self.splits[one.group] for one in rows), "rows")
        return rows

    def _take(self, group: str, *texts: str) -> bool:
        """Whether these texts are free for this file; then they are taken."""
        plain = [plain_text(text) for text in texts]
        if any(one in self.used or self.owners.get(one, group) != group for one in plain):
            return False
        self.used.update(plain)
        self.owners.update(dict.fromkeys(plain, group))
        return True


def _check(count: Counter[str], what: str) -> None:
    if any(count[split] < least for split, least in MINIMUM.items()):
        given, least = (", ".join(f"{some[split]} {split}" for split in SPLITS) for some in (count, MINIMUM))
        raise TooFew(f"{count.total()} {what} ({given}); expected at least {LEAST} ({least}), from files of their own")


def _in_turn(offered: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """The first of every file, then the second of every file, and so on."""
    return (one for some in zip_longest(*offered) for one in some if one is not None)
