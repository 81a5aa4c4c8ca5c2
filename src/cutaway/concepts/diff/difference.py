"""What two networks differ in, as values: one line for each concept, what differs first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from cutaway.concepts.diff.behaviour import Behaviour, Side
from cutaway.concepts.diff.carried import Carried
from cutaway.concepts.diff.compared import LEAST
from cutaway.concepts.match import Match
from cutaway.concepts.rules import near
from cutaway.runs.table import Table

Verdict = Literal["located", "differs", "same", "not testable"]
VERDICTS: tuple[Verdict, ...] = ("located", "differs", "same", "not testable")
NAMED: tuple[Verdict, ...] = ("located", "differs")
SHOWN = ("concept", "verdict", "in A", "in B", "difference", "low", "high", "q", "where", "brought", "taken", "control")


@dataclass(frozen=True)
class Difference:
    """One concept in two networks.

    - located: its decisions are answered otherwise, and a set of parts carries that from one network to the other and back
    - differs: they are answered otherwise, and no set of parts that was searched carries it, or none could be transplanted
    - same: they are not, beyond chance and by as much as counts
    - not testable: too few of its decisions can be asked of both

    `prompts` and `partners` are both sides of its decisions, of which `side` is said (the smaller p), with `q` over all concepts
    and sides. `carried` is the set that is named, or the nearest that is refused. `in_a` and `in_b` are what `match` says of
    each network alone, where its behaviour differs.
    """

    concept: str
    definition: str
    verdict: Verdict
    why: str
    prompts: Behaviour | None = field(repr=False)
    partners: Behaviour | None = field(repr=False)
    side: Side | None
    q: float | None
    carried: Carried | None = field(repr=False)
    in_a: Match | None = field(repr=False)
    in_b: Match | None = field(repr=False)

    @property
    def behaviour(self) -> Behaviour | None:
        """The side of its decisions that is said."""
        return self.partners if self.side == "partners" else self.prompts

    @property
    def named(self) -> bool:
        """Whether it is said that the networks differ in it."""
        return self.verdict in NAMED

    def row(self) -> dict[str, Any]:
        """One line of a table. With the networks exchanged `difference` and its ends have the other sign, and nothing else
        is another than "in A" and "in B", "match A" and "match B" exchanged."""
        seen, set_ = self.behaviour, self.carried if self.verdict == "located" else None
        return {
            "concept": self.concept,
            "verdict": self.verdict,
            "in A": seen and seen.a.value,
            "in B": seen and seen.b.value,
            "difference": seen and seen.difference,
            "low": seen and seen.low,
            "high": seen and seen.high,
            "q": self.q,
            "side": self.side,
            "where": [] if set_ is None else list(set_.parts),
            "brought": set_ and set_.brought.value,
            "taken": set_ and set_.taken.value,
            "control": set_ and set_.control.value,
            "lost": set_ and set_.spare and set_.spare[0].value,
            "match A": self.in_a and self.in_a.verdict,
            "match B": self.in_b and self.in_b.verdict,
            "why": self.why,
        }

    def __str__(self) -> str:
        found = [f"{self.concept}: {self.verdict}: {self.why}"]
        if self.carried is not None:
            found.append(f"  {self.carried}")
        for name, one in (("A", self.in_a), ("B", self.in_b)):
            if one is not None:
                parts = f": {', '.join(one.named.parts)}" if one.named else ""
                found.append(f"  match in {name}: {one.verdict}{parts}")
        return "\n".join(found)


@dataclass(frozen=True)
class Differences:
    """What differs between the networks `a` and `b`: `differences["agents.deceive"]`, `differences.table()`.

    What differs comes first, the largest difference before others. `compared` says in words how: of one shape, of different
    shapes, identical weights. `tasks` has a line for each other task: how many of its prompts are answered otherwise.
    `matrices` and `parts` say how far the weights and what parts do are apart (empty where shapes differ); they prove nothing.
    """

    a: str
    b: str
    compared: str
    found: tuple[Difference, ...]
    tasks: Table = field(repr=False)
    matrices: Table = field(repr=False)
    parts: Table = field(repr=False)
    seed: int

    def __getitem__(self, name: str) -> Difference:
        known = {one.concept: one for one in self.found}
        if name not in known:
            raise KeyError(f"no concept {name!r} was compared; {near(name, known)}; these were: {', '.join(known)}")
        return known[name]

    def __iter__(self) -> Iterator[Difference]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def named(self) -> tuple[Difference, ...]:
        """The concepts in which the networks differ, the first of them first."""
        return tuple(one for one in self.found if one.named)

    @property
    def changed(self) -> tuple[str, ...]:
        """The other tasks that are answered otherwise in more than `LEAST` of the prompts, for certain."""
        return tuple(row["task"] for row in self.tasks if row["low"] > LEAST)

    def table(self) -> Table:
        """A line for each concept."""
        return Table.of(one.row() for one in self.found)

    @property
    def said(self) -> str:
        """What differs, in one sentence."""
        names = [*(one.concept for one in self.named), *(f"the task {task}" for task in self.changed)]
        if names:
            return f"they differ in {', '.join(names)}"
        asked = sum(one.verdict == "same" for one in self.found)
        if not asked:
            return f"nothing can be said: none of {len(self)} concepts could be compared"
        return f"nothing: of {len(self)} concepts {asked} could be compared, and none differs"

    def __str__(self) -> str:
        """The answer, the table, then every concept's reason."""
        whole = self.table()
        head = f"{self.a} (A) and {self.b} (B), {self.compared}: {self.said}"
        shown = str(Table({name: whole[name] for name in SHOWN})) if len(self) else ""
        moved = [row for row in self.tasks if row["otherwise"]]
        others = [
            f"{row['task']}: {row['otherwise']:.1%} of {row['prompts']} prompts are answered otherwise" for row in moved
        ]
        return "\n".join([head, shown, *map(str, self.found), *others])

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()
