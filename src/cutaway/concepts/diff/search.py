"""Which parts carry a difference: the fewest whose transplanting brings the behaviour there, takes it here, and spares the rest.

A set is grown part by part, as in concepts/match/search.py. What each next part is taken for is how little then lacks of
three things at once: the network that lacks the behaviour answers with the other's parts as the other does; the other, with
parts of the first, answers as the first; and both answer everything else as before. Then what can be left out is put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.concepts.diff.transplant import Grafts, Way
from cutaway.concepts.match.share import Share
from cutaway.decisions.circuit.find import fewest_of

CARRIED = 0.9  # of the decisions that differ must go over, each way
SPARED = 0.05  # of the other answers to a task may change, at most
FULL = 0.98  # of the decisions: then a set has grown enough
SLACK = 1.0  # nats: answers that go over, or stay, by less than this still lack something
DEAR = 10.0  # how much what other tasks lose counts against what the decisions lack
HARD = 32  # decisions that lack most are asked what part they lack
LOOKED_AT = 5  # of the parts that serve these best are asked what they cost others
POOL = 512  # parts that can join a set that is begun: those that serve best alone
MOST = 24  # parts of a set


@dataclass(frozen=True, eq=False)
class Both:
    """Prompts into which parts are transplanted both ways: from the network that has a behaviour, and into it.

    `wanted` are the answers to come of the first, `own` those of the second. Names are addresses in the network that has it.
    """

    brings: Grafts
    takes: Grafts
    wanted: Int[Tensor, "rows"]
    own: Int[Tensor, "rows"]

    @classmethod
    def on(cls, way: Way, prompts: Sequence[str]) -> Both:
        """Prompts that each network should answer as the other does with all parts transplanted."""
        brings, takes = way.on(prompts), way.turned.on(prompts)
        return cls(brings, takes, takes.clean, brings.clean)

    @property
    def rows(self) -> int:
        """How many prompts there are."""
        return self.brings.rows

    def take(self, rows: Int[Tensor, "some"]) -> Both:
        """Some of the prompts."""
        return Both(self.brings.take(rows), self.takes.take(rows), self.wanted[rows], self.own[rows])

    def lacking(self, sets: Sequence[Sequence[str]]) -> Float[Tensor, "sets rows"]:
        """How far (nats) each prompt is from being answered as the other network does, there and back."""
        there, back = self.brings.odds(sets, self.wanted), self.takes.odds(sets, self.own)
        return (SLACK - there).clamp(min=0) + (SLACK - back).clamp(min=0)

    def crossed(self, names: Sequence[str]) -> tuple[Bool[Tensor, "rows"], Bool[Tensor, "rows"]]:
        """Which prompts are answered as the other network does, there and back."""
        return self.brings.said([names])[0] == self.wanted, self.takes.said([names])[0] == self.own

    def carried(self, names: Sequence[str]) -> tuple[float, float]:
        """The share of the prompts that are so."""
        there, back = self.crossed(names)
        return float(there.float().mean()), float(back.float().mean())


@dataclass(frozen=True, eq=False)
class Rest:
    """Other prompts by task, whose answers should stay in both networks."""

    both: Both
    task: tuple[str, ...]

    @property
    def tasks(self) -> dict[str, Int[Tensor, "some"]]:
        """The rows of each task."""
        names = dict.fromkeys(self.task)
        return {name: torch.tensor([row for row, one in enumerate(self.task) if one == name]) for name in names}

    def lack(self, sets: Sequence[Sequence[str]]) -> Float[Tensor, "sets"]:
        """How far (nats) the answers of the worst task are from what they were, in the mean over its prompts, both ways added."""
        ways = ((self.both.brings, self.both.own), (self.both.takes, self.both.wanted))
        lost = torch.stack([(-grafts.odds(sets, clean)).clamp(min=0) for grafts, clean in ways]).sum(0)
        return torch.stack([lost[:, rows].mean(1) for rows in self.tasks.values()], 1).amax(1)

    def worst(self, names: Sequence[str]) -> tuple[Share, str]:
        """The largest share of the answers of a task that change, in either network, and the task."""
        ways = ((self.both.brings, self.both.own), (self.both.takes, self.both.wanted))
        found = []
        for grafts, clean in ways:
            changed = grafts.said([names])[0] != clean
            found += [(Share.of(int(changed[rows].sum()), len(rows)), task) for task, rows in self.tasks.items()]
        return max(found, key=lambda one: one[0].value)


def grown(both: Both, rest: Rest | None, names: Sequence[str]) -> tuple[str, ...]:
    """A set of parts that carries what differs in these decisions, without what can be left out; or what came nearest."""
    few = both.take(torch.arange(min(HARD, both.rows)))
    order = few.lacking([(name,) for name in names]).mean(1).argsort().tolist()
    pool, kept, lack = [names[i] for i in order[:POOL]], tuple[str, ...](), float("inf")
    while not (kept and min(both.carried(kept)) >= FULL) and len(kept) < min(MOST, len(pool)):
        part, then = _next(both, rest, kept, pool)
        if then >= lack:
            break
        kept, lack = (*kept, part), then
    return cut_down(both, kept)


def cut_down(both: Both, parts: Sequence[str]) -> tuple[str, ...]:
    """The set without what can be left out: as many of these decisions go over, each way, or as many as are enough."""
    if not parts:
        return ()
    bars = [min(one, FULL) for one in both.carried(parts)]

    def enough(some: Sequence[str]) -> bool:
        return all(one >= bar for one, bar in zip(both.carried(some), bars))

    return tuple(fewest_of(parts, enough))


def _next(both: Both, rest: Rest | None, kept: Sequence[str], pool: Sequence[str]) -> tuple[str, float]:
    """The part after which least is lacking, and how much that is: first of the decisions that lack most, then of all."""
    free = [part for part in pool if part not in kept]
    lacking = both.lacking([kept])[0] if kept else torch.zeros(both.rows)
    hard = lacking.argsort(descending=True, stable=True)[:HARD]
    best = both.take(hard).lacking([(*kept, part) for part in free]).mean(1).argsort()[:LOOKED_AT].tolist()
    sets = [(*kept, free[i]) for i in best]
    total = both.lacking(sets).mean(1) + (0 if rest is None else DEAR * rest.lack(sets))
    return free[best[int(total.argmin())]], float(total.min())
