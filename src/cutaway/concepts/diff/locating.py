"""Where a difference lies: which parts carry it when they are transplanted, and what each network alone has of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch

from cutaway.concepts.diff.carried import FEWEST, Carried, carried, differing
from cutaway.concepts.diff.compared import Compared
from cutaway.concepts.diff.counterparts import counterparts
from cutaway.concepts.diff.pair import Pair
from cutaway.concepts.diff.search import MOST, Both, Rest
from cutaway.concepts.diff.transplant import Parts, Way
from cutaway.concepts.diff.weights import of_parts, place
from cutaway.concepts.match import Match, match
from cutaway.runs.table import Table

SEARCHED, JUDGED = (
    ("train", "val"),
    ("test",),
)  # a single set is grown, so that none has to be chosen on a split of its own
ALIKE = "its own other side"  # prompts of the side that is not said, as a task to be spared


@dataclass(frozen=True)
class Located:
    """What was found of a difference: the set that carries it or came nearest, why, and what `match` names in each network."""

    carried: Carried | None
    why: str
    in_a: Match | None
    in_b: Match | None


@dataclass(frozen=True, eq=False)
class Locator:
    """Looks for differences of one pair. `compared` says in words how the two can be, `graftable` whether by transplanting.

    `probes` are prompts on which parts are paired.
    """

    pair: Pair
    compared: str
    graftable: bool
    kinds: tuple[str, ...]
    catalogue: bool
    probes: Sequence[str]
    seed: int
    _ways: dict[bool, Way] = field(default_factory=dict, init=False, repr=False)

    def located(self, one: Compared) -> Located:
        """One concept that differs."""
        found, why = self._carried(one) if self.graftable else (None, self.compared)
        if not self.catalogue:
            return Located(found, why, None, None)
        alone = (match(net, one.about, self.kinds, self.seed) for net in (self.pair.a, self.pair.b))
        return Located(found, why, *alone)

    def way(self, from_a: bool) -> Way:
        """From one network into the other."""
        if from_a not in self._ways:
            nets = (self.pair.a, self.pair.b) if from_a else (self.pair.b, self.pair.a)
            self._ways[from_a] = counterparts(*(Parts.there(net, self.kinds) for net in nets), self.probes)
        return self._ways[from_a]

    def _carried(self, one: Compared) -> tuple[Carried | None, str]:
        assert one.said is not None
        from_a = one.said.difference > 0
        way = self.way(from_a)
        looked, kept = (
            differing(way, [row for split in some for row in one.turned[split]]) for some in (SEARCHED, JUDGED)
        )
        if min(looked.rows, kept.rows) < FEWEST:
            counts = f"{looked.rows} to search on, {kept.rows} to judge on; expected {FEWEST} of each"
            return None, f"too few decisions differ to look for parts ({counts})"
        found = carried(way, (looked, _rest(way, one, SEARCHED)), (kept, _rest(way, one, JUDGED)), self.seed)
        kinds = " and ".join(self.kinds)
        if found is None or found.refused:
            why = f"no set of at most {MOST} {kinds} that was searched carries it"
            return found, why if found is None else f"{why}: {found.refused[0]}"
        apart = self.parts_from_a if from_a else of_parts(way, self.probes)
        ranks = {column: place(apart, column, found.parts[0]) for column in ("weights", "activations")}
        has = "A" if from_a else "B"
        why = f"{len(found.parts)} of {found.searched} {kinds} of {has} carry it: brought {found.brought}, taken {found.taken}"
        return replace(found, **ranks), why

    @cached_property
    def parts_from_a(self) -> Table:
        """How far the parts of the two networks are apart, by the addresses in the first."""
        return of_parts(self.way(True), self.probes)


def _rest(way: Way, one: Compared, splits: Sequence[str]) -> Rest | None:
    """Other prompts of these splits: the tasks, and the decisions' other side where both networks answer alike."""
    asked = []
    for split in splits:
        _, tasks = one.about.part(split)
        asked += [(task, prompt) for task, prompts in tasks.items() for prompt in prompts]
        asked += [(ALIKE, row["reference"]) for row in one.turned[split]]
    both = Both.on(way, [prompt for _, prompt in asked])
    kept = [i for i, (task, _) in enumerate(asked) if task != ALIKE or both.wanted[i] == both.own[i]]
    return Rest(both.take(torch.tensor(kept)), tuple(asked[i][0] for i in kept)) if kept else None
