"""A set of parts that is said to carry a difference, with its proof: transplanted there and back, beside random sets.

Grown on the decisions of two splits, and judged once on the third; only decisions count that the network with the behaviour
answers so and the other does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch

from cutaway.concepts.diff.search import CARRIED, MOST, SPARED, Both, Rest, grown
from cutaway.concepts.diff.transplant import Way
from cutaway.concepts.match.share import Share
from cutaway.concepts.match.trials import Trials
from cutaway.concepts.read.nulls import p_value
from cutaway.network import Site

LEVEL = 0.05
RANDOM = 20  # random sets of as many other parts of the same kinds
FEWEST = 12  # decisions that differ, to search on and to judge on
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Carried:
    """A set of parts and its scores. `refused` says why it is not named; empty: it is what differs.

    `parts` are addresses in the network that has the behaviour, `counterparts` those of the same parts in the other. Of the
    decisions that differ: `brought` are answered by the other network as by the first with its parts, `taken` by the first as
    by the other with that one's; `control` is the mean of `brought` over `RANDOM` sets of as many other parts, and `p` that the
    set brings no more than any of them (by rank, so never below 1/21). `spare`: of all other tasks, in both networks, the
    largest share of answers that change, and the task. `weights`, `activations`: how many parts differ at least as much as the
    first that is named. `searched` parts were looked at.
    """

    parts: tuple[str, ...]
    counterparts: tuple[str, ...]
    brought: Share
    taken: Share
    control: Share
    p: float
    spare: tuple[Share, str] | None
    weights: int | None
    activations: int | None
    searched: int

    @property
    def refused(self) -> tuple[str, ...]:
        """Every reason, in words."""
        why = []
        for share, way in ((self.brought, "brought"), (self.taken, "taken")):
            if not share.value >= CARRIED:
                why.append(f"{way} in {share} decisions only, expected {CARRIED:.0%}")
        if not self.p <= LEVEL:
            why.append(f"chance: random sets bring {self.control}, p = {self.p:.1g}, expected {LEVEL:g}")
        if self.spare is not None and self.spare[0].value > SPARED:
            why.append(f"not sparing: {self.spare[0]} answers to {self.spare[1]!r} change")
        if len(self.parts) > MOST:
            why.append(f"{len(self.parts)} parts, expected {MOST} at most")
        return tuple(why)

    def __str__(self) -> str:
        spare = (
            "no other task asked" if self.spare is None else f"worst other task {self.spare[1]}: {self.spare[0]} change"
        )
        moved = (one if one == other else f"{one} → {other}" for one, other in zip(self.parts, self.counterparts))
        said = f"{', '.join(moved)}: brought {self.brought}, taken {self.taken}"
        said += f"; random sets bring {self.control} (p = {self.p:.1g})"
        return f"{said}; {spare}" + "".join(f"; refused: {why}" for why in self.refused[:1])


def differing(way: Way, rows: Sequence[Row]) -> Both:
    """The decisions of `rows` that the first network answers with the target and the other does not."""
    both = Both.on(way, [row["prompt"] for row in rows])
    targets = Trials.of(way.source.net, rows).targets.cpu()
    return both.take(((both.wanted == targets) & (both.own != targets)).nonzero()[:, 0])


def carried(
    way: Way, searched: tuple[Both, Rest | None], judged: tuple[Both, Rest | None], seed: int = 0
) -> Carried | None:
    """The set that carries what differs, grown on decisions and other prompts, and judged on others; None where no part brings
    the decisions any nearer."""
    names = list(way.places)
    found = grown(*searched, names)
    if not found:
        return None
    both, other = judged
    there, back = both.crossed(found)
    random, brought = _random(both, names, found, seed), Share.of(int(there.sum()), both.rows)
    return Carried(
        found,
        tuple(way.places[name][1] for name in found),
        brought,
        Share.of(int(back.sum()), both.rows),
        Share.of(round(sum(random) / len(random) * both.rows), both.rows),
        p_value(brought.value, torch.tensor([random], dtype=torch.double)),
        None if other is None else other.worst(found),
        None,
        None,
        len(names),
    )


def _random(both: Both, names: Sequence[str], found: Sequence[str], seed: int) -> list[float]:
    """What random sets of as many other parts of the same kinds bring, each."""
    rng, drawn = Random(f"sets {seed}"), [list[str]() for _ in range(RANDOM)]
    for kind, count in Counter(Site.parse(name).point for name in found).items():
        others = [name for name in names if name not in found and Site.parse(name).point == kind]
        for one in drawn:
            one += rng.sample(others, min(count, len(others)))
    return (both.brings.said(drawn) == both.wanted).double().mean(1).tolist()
