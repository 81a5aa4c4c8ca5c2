"""What one source offers to each structure: positives, negatives, controls and decisions, a few of each.

The order is shuffled by a hash of the source with its names blanked out, so that renaming variables chooses the same places.
Tokens that stand on both sides come first: then the last token alone does not tell them apart.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from cutaway.concepts.code.exchanges import EXCHANGES, Exchange
from cutaway.concepts.code.marks import Mark, Source
from cutaway.concepts.code.structure import CODE, NUMBERS, OPERATORS, SAME, STRINGS, Look, Structure

UNKNOWABLE = "statement_start"
KINDS = {CODE: "name", NUMBERS: "number", STRINGS: "string", OPERATORS: "operator"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prompt that ends in `token`, from the file with this `group`."""

    text: str
    token: str
    group: str

    def row(self, label: int) -> dict[str, Any]:
        """The row of a concept; its span is the token."""
        spans = [[len(self.text) - len(self.token), len(self.text)]]
        return {"text": self.text, "label": label, "group": self.group, "spans": spans}


@dataclass(frozen=True, slots=True)
class Couple:
    """A prompt and its partner, with the right answer to each, from the file with this `group`."""

    prompt: str
    reference: str
    target: str
    foil: str
    group: str

    def rows(self) -> list[dict[str, Any]]:
        """Two decisions, each the other's reference."""
        one = {"prompt": self.prompt, "target": self.target, "foil": self.foil, "reference": self.reference}
        two = {"prompt": self.reference, "target": self.foil, "foil": self.target, "reference": self.prompt}
        return [{**one, "group": self.group}, {**two, "group": self.group}]


@dataclass(frozen=True)
class Offer:
    """Candidates of one structure from one source, best first; `controls` by name."""

    positives: list[Candidate] = field(default_factory=list)
    negatives: list[Candidate] = field(default_factory=list)
    controls: dict[str, list[Candidate]] = field(default_factory=dict)
    couples: list[Couple] = field(default_factory=list)


Marks = dict[int, Mark]  # by where they start


class Roles:
    """The marks of a source by role, in a shuffled order; each role is looked up once."""

    def __init__(self, source: Source, key: str) -> None:
        self.source, self.key = source, key
        self._places = {mark.start: place for place, mark in enumerate((*source.code, *source.words))}
        places = list(range(len(self._places)))
        random.Random(key).shuffle(places)
        self._places = dict(zip(self._places, places))
        self._found: dict[tuple[str, tuple[str, ...]], Marks] = {}

    def of(self, roles: Sequence[str], kinds: tuple[str, ...]) -> Marks:
        """The tokens of these kinds, and the words, in any of these roles."""
        parts = [self._one(role, kinds) for role in roles]
        return parts[0] if len(parts) == 1 else {start: mark for part in parts for start, mark in part.items()}

    def shuffled(self, some: Iterable[Exchange]) -> list[Exchange]:
        """Exchanges, in an order that the key shuffles them to."""
        found = list(some)
        random.Random(f"{self.key} couples").shuffle(found)
        return found

    def _one(self, role: str, kinds: tuple[str, ...]) -> Marks:
        if (role, kinds) not in self._found:
            marks = sorted(self._marks(role, kinds), key=lambda mark: self._places[mark.start])
            self._found[role, kinds] = {mark.start: mark for mark in marks}
        return self._found[role, kinds]

    def _marks(self, role: str, kinds: tuple[str, ...]) -> Iterator[Mark]:
        source = self.source
        if role in KINDS:
            yield from (mark for mark in source.code if mark.kind == KINDS[role])
        for first, last in source.ranges.get(role, ()):
            yield from (mark for mark in source.code[first : last + 1] if mark.kind in kinds)
        yield from (source.words[index] for index in source.roles.get(role, ()))


@dataclass(frozen=True)
class Sides:
    """The marks on each side of a structure in one source; `controls` by name. Those in `barred` are on no other side."""

    positive: Marks
    against: Marks
    controls: dict[str, Marks]
    holding: Marks
    barred: Marks

    @property
    def negative(self) -> Iterator[Mark]:
        """The marks without the structure."""
        return (mark for start, mark in self.against.items() if start not in self.barred)

    def control(self, look: Look) -> Iterator[Mark]:
        """The marks of one control: in a role that looks alike, or names that are positive elsewhere in the source."""
        marks = self.controls[look.name].items()
        if look.roles != (SAME,):
            return (mark for start, mark in marks if start not in self.holding)
        names = {mark.string for mark in self.positive.values()}
        return (mark for start, mark in marks if mark.string in names and start not in self.barred)

    @cached_property
    def shared(self) -> set[str]:
        """Tokens that stand on both sides."""
        names = {mark.string for mark in self.positive.values()}
        return {mark.string for mark in self.negative if mark.string in names} if names else names


def sides(roles: Roles, structure: Structure) -> Sides:
    """The positive and the negative marks of a structure, and those of each control."""
    kinds = structure.kinds
    positive = holding = roles.of(structure.holds, kinds)
    if UNKNOWABLE in structure.neither:  # then of no name at the start of a statement
        start_of = roles.of((UNKNOWABLE,), kinds)
        positive = {start: mark for start, mark in holding.items() if start not in start_of}
    barred = holding | roles.of(structure.neither, kinds) if structure.neither else holding
    controls = {
        look.name: roles.of((CODE,) if look.roles == (SAME,) else look.roles, kinds) for look in structure.looks
    }
    return Sides(positive, roles.of(structure.against, kinds), controls, holding, barred)


def shape(source: Source) -> str:
    """A hash of a source in which every name counts alike."""
    parts = ["name" if mark.kind == "name" else mark.string for mark in source.code if mark.kind != "string"]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def offer(roles: Roles, structure: Structure, group: str, at_most: int) -> Offer:
    """At most so many candidates of each side, of each control and for decisions; tokens that are on both sides first."""
    source, found = roles.source, sides(roles, structure)

    def chosen(marks: Iterable[Mark]) -> list[Candidate]:
        some = list(marks) if found.shared else marks
        best = (mark for on in (True, False) for mark in some if (mark.string in found.shared) == on)
        made = (_candidate(source, mark, structure.above, group) for mark in (best if found.shared else some))
        return list(islice(filter(None, made), at_most))

    exchanges = roles.shuffled(EXCHANGES[structure.name](source)) if structure.name in EXCHANGES else []
    couples = (_couple(source, one, group) for one in exchanges)
    return Offer(
        chosen(found.positive.values()),
        chosen(found.negative),
        {look.name: chosen(found.control(look)) for look in structure.looks},
        list(islice(filter(None, couples), at_most)),
    )


def _candidate(source: Source, mark: Mark, above: int, group: str) -> Candidate | None:
    begin = source.begin(mark.end, mark.line, above)
    return None if begin is None or begin > mark.start else Candidate(source.text[begin : mark.end], mark.string, group)


def _couple(source: Source, one: Exchange, group: str) -> Couple | None:
    """The two prompts; None where one is too long or they do not differ."""
    begin = source.begin(one.cut, one.line)
    if begin is None or begin > one.start:
        return None
    prompt = source.text[begin : one.cut]
    reference = source.text[begin : one.start] + one.by + source.text[one.end : one.cut]
    fit = prompt.strip() != reference.strip() and reference.strip() and one.target != one.foil
    return Couple(prompt, reference, one.target, one.foil, group) if fit else None
