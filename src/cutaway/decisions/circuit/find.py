"""Which edges a decision uses: rank by share, cut one by one in that order, look for what single cuts cannot see.

Screen, then exact, then audit: single edges are cut in the order of their shares until a run of nulls as long as what
was found; a random sample of the others is cut too. Then everything else is cut *at once*, and by random halves (two
missing edges that cancel are split by one half in two): if the decision moves beyond the floor, what moves it is searched
for: edges are added in the order of the shares until it does not, then taken away again where they are not needed, and
what is left is cut down by bisection to a smallest set that moves the decision together. A set of one is an edge that the
ranking missed; of several, a group of which one is enough: invisible to every single cut. The bisection is the delta
debugging of Zeller and Hildebrandt 2002 (doi 10.1109/32.988498).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.decisions.graph.zeros import zeros

T = TypeVar("T")
FEWEST_NULLS = 4  # edges in a row without an effect that end the cutting one by one, and half as many as were found
FEWEST_AUDITS = 4  # random edges of those never looked at, and half as many as were found; joint cuts look at them all
HALVES = 32  # random halves of the rest: two edges that matter only together are both in one with all but 1 in 10,000
LARGEST_GROUP = 6  # edges that move the decision only together; more are called diffuse
MOST_PAIRS = 64  # pairs of opposite effects that are cut together
OPPOSED = 5  # floors that each of a cancelling pair must move the decision by
MOST_GROWN = 32  # edges added at once of which each is looked at; more are called spread
MOST_SPREAD = 6  # rounds of looking for a single edge or group in what is spread
ROUNDS = 8


@dataclass(frozen=True)
class Group:
    """Edges to be seen together only; `together` is the mean |change| of the decision with all of them cut.

    "redundant": without any one nothing changes, without all it does; "backup": so too, but one part only wakes when
    another is gone (waking.py). "cancelling": without one the decision moves, without both it does not.
    """

    kind: Literal["redundant", "backup", "cancelling"]
    edges: tuple[int, ...]
    together: float


@dataclass
class Found:
    """What the search found: single edges and groups; the exact effect of every edge that was cut alone; the runs it took.

    `missed` were found by the joint cuts only, after screening and audit had passed them by. `added` carry something only
    together, more than a small group: the highest ranked. `repaired` are those that a failed check added (repair.py).
    `diffuse` is what the rest still moves the decision by.
    """

    edges: list[int] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    alone: dict[int, Tensor] = field(default_factory=dict)
    missed: list[int] = field(default_factory=list)
    added: list[int] = field(default_factory=list)
    repaired: list[int] = field(default_factory=list)
    diffuse: float = 0.0
    single: int = 0
    joint: int = 0

    @property
    def named(self) -> list[int]:
        """Every edge found, alone or in a group, in the order of the graph."""
        return sorted({*self.edges, *(edge for group in self.groups for edge in group.edges), *self.added})


def find(
    cutter: Cutter, rank: Float[Tensor, "edges"], floor: float, enough: float | None = None, seed: int = 0
) -> Found:
    """The edges whose removal changes the decision beyond `floor`, alone or in small groups.

    `rank` says which edges to try first; edges whose two matrices never meet are not tried, since cutting them changes
    nothing. Where what is left is spread over many edges and still moves the decision by more
    than `enough` (default: the floor), those that rank highest are added until it does not. Every rerun is compared with
    the uncut one example by example.
    """
    order = rank.argsort(descending=True).tolist()
    if cutter.values.kind != "value":  # a given value may be one that the writer cannot write
        nothing = zeros(cutter.net, cutter.graph, cutter.posed.batch)
        order = [edge for edge in order if not nothing[edge]]
    search = _Search(cutter, order, floor, seed, Found())
    search.one_by_one()
    search.audit()
    for _ in range(ROUNDS):
        if not search.look_again():
            break
    else:  # the last round named something: what is left has not been cut yet
        search.found.diffuse = search.moved([search.rest()])[0]
    search.cancelling()
    if search.found.diffuse > (floor if enough is None else enough):
        search.found.added = search.grown(floor if enough is None else enough)
        search.found.diffuse = search.moved([search.rest()])[0]
    return search.found


@dataclass
class _Search:
    """A search in progress."""

    cutter: Cutter
    order: list[int]
    floor: float
    seed: int
    found: Found
    spread: int = 0  # rounds in which many edges had to be added

    def rest(self) -> list[int]:
        """Every edge not named so far, highest ranked first."""
        known = set(self.found.named)
        return [edge for edge in self.order if edge not in known]

    def one_by_one(self) -> None:
        """Cuts edges in the order of their shares until a run of nulls."""
        nulls, at = 0, 0
        while at < len(self.order) and (left := self._enough(FEWEST_NULLS) - nulls) > 0:
            some = self.order[at : at + min(left, 4)]
            for used in self._alone(some):
                nulls = 0 if used else nulls + 1
            at += len(some)

    def _enough(self, fewest: int) -> int:
        """How many edges without an effect are enough: in step with what was found, not with the size of the network."""
        return max(fewest, len(self.found.edges) // 2)

    def audit(self) -> None:
        """Cuts a random sample of the edges that were not looked at."""
        left = [edge for edge in self.order if edge not in self.found.alone]
        count = self._enough(FEWEST_AUDITS)
        drawn = torch.randperm(len(left), generator=torch.Generator().manual_seed(self.seed))[:count].tolist()
        some = [left[i] for i in drawn]
        self.found.missed += [edge for edge, used in zip(some, self._alone(some)) if used]

    def look_again(self) -> bool:
        """Cuts everything else at once and by halves. True if something was found in it, so that it is worth looking again."""
        rest, known = self.rest(), len(self.found.named)
        self.found.diffuse = self.moved([rest])[0]
        far, worst = max(((self.found.diffuse, rest), *self._halves(rest)), key=lambda pair: pair[0])
        if far <= self.floor:
            return False
        if self.found.diffuse <= self.floor:  # what is missed cancels when all of it is cut
            self._add(self._smallest(worst))
            return len(self.found.named) > known
        grown = self.grown(self.floor)
        if len(grown) > MOST_GROWN:  # spread over many edges, or an edge that ranks far too low
            self.spread += 1
            if self.spread > MOST_SPREAD:
                return False
            self._add(self._smallest(rest))
            return len(self.found.named) > known
        for edge in self._needed(grown):
            if not self._alone([edge])[0]:
                self._add(self._smallest(rest, start=[edge]))
            elif edge not in self.found.missed:
                self.found.missed.append(edge)
        return len(self.found.named) > known

    def _halves(self, rest: Sequence[int]) -> list[tuple[float, list[int]]]:
        """Random halves and what they move; few if everything at once moves the decision already, or one of the first does."""
        generator = torch.Generator().manual_seed(self.seed + len(self.found.named))
        found: list[tuple[float, list[int]]] = []
        while len(found) < HALVES and max((far for far, _ in found), default=self.found.diffuse) <= self.floor:
            takes = torch.rand(HALVES // 4, len(rest), generator=generator) < 0.5
            sets = [[edge for edge, take in zip(rest, half) if take] for half in takes.tolist()]
            found += zip(self.moved(sets), sets)
        return found

    def grown(self, enough: float) -> list[int]:
        """The highest ranked edges that must be added until everything else moves the decision by `enough` or less."""
        others = self.rest()
        return others[: fewest(len(others), lambda count: self.moved([others[count:]])[0] <= enough)]

    def _needed(self, grown: Sequence[int]) -> list[int]:
        """Those of a few added edges that cannot be cut again."""
        cut = [edge for edge in self.rest() if edge not in set(grown)]
        needed = []
        for edge in reversed(grown):
            if self.moved([[*cut, edge]])[0] > self.floor:
                needed.append(edge)
            else:
                cut.append(edge)
        return needed

    def _add(self, group: Sequence[int]) -> None:
        """Names a smallest set: one edge, or several that do together what they do not do one by one."""
        if not group:
            return
        used = self._alone([edge for edge in group if edge not in self.found.alone])
        apart = sum(float(self.found.alone[edge].abs().mean()) for edge in group)
        together = self.moved([group])[0]
        if len(group) > 1 and together > apart + self.floor:
            self.found.groups.append(Group("redundant", tuple(sorted(group)), together))
        elif len(group) == 1:
            self.found.missed.append(group[0])
            if not any(used):  # it moves some examples one way and some the other
                self.found.edges.append(group[0])

    def cancelling(self) -> None:
        """Pairs of used edges that undo each other: cut together they change nothing."""
        means = {edge: float(self.found.alone[edge].mean()) for edge in self.found.edges}
        means = {edge: mean for edge, mean in means.items() if abs(mean) > OPPOSED * self.floor}
        pairs = [
            (a, b)
            for a, b in combinations(sorted(means), 2)
            if means[a] * means[b] < 0 and abs(means[a] + means[b]) < 0.5 * max(abs(means[a]), abs(means[b]))
        ][:MOST_PAIRS]
        for pair, moved in zip(pairs, self.moved(pairs) if pairs else []):
            if moved <= self.floor:
                self.found.groups.append(Group("cancelling", pair, moved))

    def _smallest(self, edges: Sequence[int], start: Sequence[int] = ()) -> list[int]:
        """A smallest subset, with `start` in it, that moves the decision beyond the floor; none if it takes more than a few."""
        group = list(start)
        among = [edge for edge in edges if edge not in set(start)]
        if self._moves(group):
            return group
        while len(group) < LARGEST_GROUP and among:
            low, high = 0, len(among)  # group + among[:high] moves it
            if not self._moves([*group, *among]):
                return []
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if self._moves([*group, *among[:middle]]) else (middle, high)
            group.append(among[high - 1])
            among = among[: high - 1]
            if self._moves(group):
                return group
        return []

    def _moves(self, edges: Sequence[int]) -> bool:
        return bool(edges) and self.moved([edges])[0] > self.floor

    def moved(self, sets: Sequence[Iterable[int]]) -> list[float]:
        """Mean |change| of the decision with each of these sets cut at once."""
        self.found.joint += len(sets)
        return over_draws(self.cutter, self.cutter.cuts(sets)).abs().mean((0, 2)).tolist()

    def _alone(self, edges: Sequence[int]) -> list[bool]:
        """Cuts each of these alone; whether it is used."""
        self.found.single += len(edges)
        used = []
        alone = over_draws(self.cutter, self.cutter.cuts([[edge] for edge in edges]))
        for edge, effect in zip(edges, alone.transpose(0, 1)):
            self.found.alone[edge] = effect
            used.append(is_used(estimate(effect), self.floor))
            if used[-1]:
                self.found.edges.append(edge)
        return used


def fewest(most: int, enough: Callable[[int], bool]) -> int:
    """The smallest count of 1 to `most` that is enough, by doubling and bisection; `most` if no smaller one is."""
    low, high = 0, 1
    while high < most and not enough(high):
        low, high = high, 2 * high
    high = min(high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def fewest_of(parts: Sequence[T], enough: Callable[[list[T]], bool]) -> list[T]:
    """Of parts that are enough, without each, the last first, that can be left out."""
    kept = list(parts)
    for part in reversed(parts):
        fewer = [one for one in kept if one != part]
        if fewer and enough(fewer):
            kept = fewer
    return kept


def over_draws(cutter: Cutter, cuts: Float[Tensor, "sets edges"]) -> Float[Tensor, "draws sets batch"]:
    """The effect of each set of cuts with every draw of the stand-ins."""
    return torch.stack([cutter.effects(cuts, draw) for draw in range(cutter.values.draws)])


def is_used(effect: Estimate, floor: float) -> bool:
    """Whether the interval lies beyond the floor; with too few examples for one, the mean."""
    return effect.state(floor) == "used" if effect.known else abs(effect.mean) > floor
