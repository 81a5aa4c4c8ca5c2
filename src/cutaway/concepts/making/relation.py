"""Concepts of a relation, such as a country's capital, crossed so that no word gives the answer away.

Subjects are taken in twos, A with a and B with b; the rows are A-a and B-b (true), A-b and B-a (false). Every subject and
every object stands once in a true and once in a false row, so a bag of words is at chance, and each two make minimal pairs
and two decisions, one the other's reference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cutaway.concepts.concept import Concept, Control
from cutaway.concepts.making.raw import order
from cutaway.runs.table import Table

DENIED = "polarity: the same pairing, denied, so that what is said is false"
MENTIONED = "assertion: the same two names side by side, with nothing said of them"
OTHER = "relation: as true, of another relation"
_SHOWN_COUPLES = 60
_CONTROL_COUPLES = 24

Fact = tuple[str, str]


@dataclass(frozen=True)
class Relation:
    """A relation and its facts; `{s}` and `{o}` stand for subject and object, `{a}` for the object's article.

    `judged` decisions ask whether a statement is true; the others ask for the object after `prompt`.
    """

    name: str
    definition: str
    statement: str
    denial: str
    prompt: str
    facts: Sequence[Fact]
    source: str
    licence: str
    judged: bool = False
    apart: Callable[[str, str], bool] = lambda one, other: True

    def couples(self, count: int = _SHOWN_COUPLES) -> list[tuple[Fact, Fact]]:
        """Facts in twos: objects differ and are exclusive, as many words on both sides, the same article."""
        known = set(self.facts)
        objects = dict(self.facts)
        shapes: dict[Any, list[Fact]] = defaultdict(list)
        # A subject of several objects counts once: which of them is meant would be unclear.
        for fact in sorted(objects.items(), key=lambda fact: order(f"{self.name} {fact}")):
            shapes[len(fact[0].split()), len(fact[1].split()), article(fact[1])].append(fact)
        found = []
        for facts in shapes.values():
            while facts:
                one = facts.pop()
                for other in facts:
                    if self._crossable(known, one, other):
                        facts.remove(other)
                        found.append((one, other))
                        break
        return sorted(found, key=lambda couple: order(str(couple)))[:count]

    def rows(self, form: str, couples: Sequence[tuple[Fact, Fact]], *, pairs: bool = True) -> Table:
        """The crossed rows in one form: label 1 where subject and object belong together."""
        rows = []
        for (a, x), (b, y) in couples:
            for subject, right, wrong in ((a, x, y), (b, y, x)):
                for label, answer in ((1, right), (0, wrong)):
                    row = {"text": fill(form, subject, answer), "label": label, "group": f"{a} & {b}"}
                    rows.append({**row, "pair": f"{self.name}: {subject}" if pairs else None})
        return Table.of(rows)

    def decisions(self, couples: Sequence[tuple[Fact, Fact]]) -> Table:
        """Two decisions a couple, each the other's reference."""
        rows = []
        for (a, x), (b, y) in couples:
            group = f"{a} & {b}"
            if self.judged:
                for subject, right, wrong in ((a, x, y), (b, y, x)):
                    true, false = (f"{fill(self.statement, subject, o)} This statement is" for o in (right, wrong))
                    rows += in_both_directions(true, " true", false, " false", group)
            else:
                first, second = (fill(self.prompt, subject, o) for subject, o in ((a, x), (b, y)))
                rows += in_both_directions(first, f" {x}", second, f" {y}", group)
        return Table.of(rows)

    def concept(self, other: Relation) -> Concept:
        """The concept, with three controls: denied, mentioned, another relation."""
        couples = self.couples()
        few = couples[:_CONTROL_COUPLES]
        mention = "Two names side by side: {s}, {o}."
        controls = [
            Control("denied", DENIED, self.rows(self.denial, few)),
            Control("mentioned", MENTIONED, self.rows(mention, few)),
            Control("another-relation", OTHER, _few(other), other.source, other.licence),
        ]
        # Truth holds of another relation as well: what is one factor off there is only the form.
        return Concept(
            self.name,
            self.definition,
            "knowledge",
            self.rows(self.statement, couples),
            tuple(controls[:2] if self.judged else controls),
            decisions=self.decisions(couples[: _SHOWN_COUPLES // (2 if self.judged else 1)]),
            licence=self.licence,
            source=self.source,
        )

    def _crossable(self, known: set[Fact], one: Fact, other: Fact) -> bool:
        (a, x), (b, y) = one, other
        return x != y and (a, y) not in known and (b, x) not in known and self.apart(x, y)


def in_both_directions(
    prompt: str, target: str, reference: str, foil: str, group: str | None = None
) -> list[dict[str, Any]]:
    """A decision and its mirror image: each prompt is the other's reference."""
    there = {"prompt": prompt, "target": target, "foil": foil, "reference": reference, "group": group}
    return [there, {"prompt": reference, "target": foil, "foil": target, "reference": prompt, "group": group}]


def fill(form: str, subject: str, answer: str) -> str:
    """A form filled in, its first letter a capital unless it begins with a subject's own name."""
    text = form.format(s=subject, o=answer, a=article(answer))
    return text if form.startswith("{s}") else text[0].upper() + text[1:]


def article(word: str) -> str:
    """a or an."""
    return "an" if word[0].lower() in "aeiou" else "a"


def _few(relation: Relation) -> Table:
    return relation.rows(relation.statement, relation.couples()[:_CONTROL_COUPLES])
