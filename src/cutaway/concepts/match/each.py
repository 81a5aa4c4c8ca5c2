"""For every decision: was a concept's sub-model used, overdetermined, active but not needed, overruled, or idle?

What is asked is what caused this answer *here*, by the modified definition of actual causes (Halpern 2015, arXiv 1505.00162):
sets of parts are a cause if the answer changes once they take the partner's values, while some others may be held at the
values they have; and no fewer do. Each named set is so at the partner's values, held, or free, in every combination:

- *used*: it is a cause alone. Of two that are both needed (AND) both are. Of a first that silences its backup, the first is
  (with the backup held silent the answer changes) and the backup is idle: pre-emption is no overdetermination;
- *overdetermined*: it is a cause only together with others (OR: each alone is enough), which are named; or it is enough
  alone (the partner gets the answer with its values) and what else is, is not among the named;
- *active but not needed*: it pushes where the answer goes, and is neither needed nor enough: others hold the answer;
- *active but overruled*: it pushes for the target, and another answer wins;
- *idle*: it does not push, even if it is computed. Of an AND with one input off the other one pushes nothing.

All is relative to the partner, in which the concept must not be at stake: what is the same in both is not seen (causes are
contrasts: Schaffer 2005, doi 10.1215/00318108-114-3-327). Nor is one of several that are needed together while others, which
are not named either, could replace it: name them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from statistics import median
from typing import Any, Literal

from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.match.trials import Trials, several, values_on
from cutaway.network import Batch, Network, Variant, logits_of, sweep
from cutaway.network.metric import at_least_single
from cutaway.submodels import Baseline, SubModel, take_away
from cutaway.submodels.submodel import sites_of

State = Literal["used", "overdetermined", "active but not needed", "active but overruled", "idle"]
STATES: tuple[State, ...] = ("used", "overdetermined", "active but not needed", "active but overruled", "idle")
ACTIVE = 0.25
"""Of the usual push: below that it is idle. Values of another prompt in which the concept is not at stake move the lead by less
than a tenth of it as a rule, and by more than this in few."""
MOST = 4  # sets: 65 reruns of every decision, and as many of its partner
Place = Literal["other", "held", "free"]
PLACES: tuple[Place, ...] = ("other", "held", "free")
"""Where a set is in a rerun: at the other prompt's values, held at its own, or computed anew."""
Way = tuple[Place, ...]
Group = frozenset[int]


@dataclass(frozen=True)
class Decided:
    """What is said of one decision.

    `state` is that of the concept: the first in the order of `STATES` of its `sets`, which are in the order given. `groups`:
    the fewest sets (by number) that must be taken away together for the answer to change; none: taking away all does not
    change it. `used` with a group of two: the other is a backup. `lead`: logits by which the target is ahead of the best
    other answer, and `partner` the same there: above 0 the partner is answered with the target too, and *idle* can mean that
    the concept is at stake in both. `push`: how much of the lead the cause is worth, in the prompt or put into the partner;
    where none of the sets is a cause, the most that any of them are.
    """

    state: State
    sets: tuple[State, ...]
    groups: tuple[tuple[int, ...], ...]
    lead: float
    partner: float
    push: float

    def __str__(self) -> str:
        together = " or ".join("+".join(str(number + 1) for number in group) for group in self.groups)
        sets = f"; sets: {', '.join(self.sets)}" if len(self.sets) > 1 else ""
        gone = f"; goes without {together}" if len(self.sets) > 1 and together else ""
        same = "; the partner is answered alike" if self.partner > 0 else ""
        return f"{self.state} (lead {self.lead:+.2f}, push {self.push:+.2f} logits{sets}{gone}{same})"


def each_decision(
    net: Network, sets: Sequence[Sequence[str]], rows: Sequence[Any], usual: float | None = None
) -> list[State]:
    """The state of a concept's sub-model in each decision; `decided` says more."""
    return [one.state for one in decided(net, sets, rows, usual)]


def decided(
    net: Network, sets: Sequence[Sequence[str]], rows: Sequence[Any], usual: float | None = None
) -> list[Decided]:
    """What is so of a concept's sub-model in each decision (prompt, target, foil, reference).

    `target` is what the concept would have answered, also where the network answers otherwise; `reference` is the partner,
    in which it is not at stake. `sets` are the sets of parts that do it, without a part in common. `usual` is the push
    (logits) where it is used: the median over `rows` where it is, if not given. A push is active from `ACTIVE` of it on.

    Raises ValueError for no sets or too many, for sets with a common part, and where nothing says what is usual.

    >>> decided(net, [["z.1[head=0]"], ["z.2[head=3]"]], rows)[0]  # doctest: +SKIP
    Decided(state='overdetermined', sets=('overdetermined', 'overdetermined'), groups=((0, 1),), …)
    """
    _check(sets, usual)
    if not rows:
        return []
    ways: list[Way] = [way for way in product(PLACES, repeat=len(sets)) if "other" in way]
    trials, models = Trials.of(net, rows), [several(one) for one in sets]
    prompts = _reruns(trials, trials.prompts.batch, trials.partners.batch, models, ways)
    partners = _reruns(trials, trials.partners.batch, trials.prompts.batch, models, ways)
    found = [_One(tuple(ways), *prompts(row), *partners(row)) for row in range(len(rows))]
    if usual is None and any(None in one.causal for one in found):
        usual = _usual(found)
    return [one.decided(ACTIVE * (usual or 0.0)) for one in found]


@dataclass(frozen=True)
class _One:
    """One decision: by how much its target leads in the prompt and in the partner, and after each way of rerunning them."""

    ways: tuple[Way, ...]
    lead: float
    without: list[float]
    partner: float
    given: list[float]

    def smallest(self, happens: Iterable[bool], held: bool = True) -> list[Group]:
        """The groups that, at the other's values, make something happen in some way, while no smaller one in them does.

        Without `held` only ways count in which no set is held.
        """
        found = {_moved(way) for way, yes in zip(self.ways, happens) if yes and (held or "held" not in way)}
        return [group for group in found if not any(fewer < group for fewer in found)]

    @cached_property
    def needed(self) -> list[Group]:
        """Without which the target is no longer what is answered."""
        return self.smallest(after <= 0 for after in self.without) if self.lead > 0 else []

    @cached_property
    def enough(self) -> list[Group]:
        """With which the partner is answered with the target too; none where the prompt, or the partner alone, says otherwise."""
        return self.smallest(after > 0 for after in self.given) if self.lead > 0 >= self.partner else []

    @cached_property
    def causal(self) -> tuple[State | None, ...]:
        """What the answers of the reruns say of each set; None where it takes how hard it pushes."""
        numbers = range(len(self.ways[0]))
        together = {number for group in self.needed for number in group} | {
            number for number in numbers if frozenset([number]) in self.enough
        }
        return tuple(
            "used" if frozenset([number]) in self.needed else "overdetermined" if number in together else None
            for number in numbers
        )

    @cached_property
    def push(self) -> float:
        """What the causes are worth; without one, any group."""
        causes = [group for group in (*self.needed, *self.enough) if any(self.causal[number] for number in group)]
        worth = [max(self.lead - a, b - self.partner) for a, b in zip(self.without, self.given)]
        return max(one for one, way in zip(worth, self.ways) if not causes or _moved(way) in causes)

    def decided(self, least: float) -> Decided:
        """The states, for pushes that count from `least` on."""
        falls = self.smallest(self.lead - after >= least for after in self.without)
        rises = self.smallest(after - self.partner >= least for after in self.given)
        pushing = {number for group in (*falls, *rises) for number in group}
        active: State = "active but not needed" if self.lead > 0 else "active but overruled"
        states = tuple(known or (active if number in pushing else "idle") for number, known in enumerate(self.causal))
        gone = self.smallest((after <= 0 for after in self.without), held=False) if self.lead > 0 else []
        groups = tuple(sorted(tuple(sorted(group)) for group in gone))
        return Decided(min(states, key=STATES.index), states, groups, self.lead, self.partner, self.push)


def _moved(way: Way) -> Group:
    """The sets that are at the other's values."""
    return frozenset(number for number, at in enumerate(way) if at == "other")


def _usual(found: Sequence[_One]) -> float:
    """The median push where any set is a cause."""
    pushes = [one.push for one in found if any(one.causal)]
    if not pushes:
        raise ValueError(
            f"in none of the {len(found)} decisions given is it used, so how hard it pushes where it is used is not known; "
            "expected some in which it is, or usual=, the push in logits of other decisions (`decided(…)[i].push`)"
        )
    return median(pushes)


def _reruns(
    trials: Trials, batch: Batch, other: Batch, models: Sequence[SubModel], ways: Sequence[Way]
) -> Callable[[int], tuple[float, list[float]]]:
    """Of each row the lead of the prompt's target, and that lead in each way."""
    net = trials.net
    sites = list(dict.fromkeys(site for one in models for site in sites_of(net, one)))
    values: dict[Place, Baseline] = {"other": values_on(net, other, sites), "held": values_on(net, batch, sites)}
    variants = [
        Variant(tuple(e for one, at in zip(models, way) if at != "free" for e in take_away(net, one, values[at])))
        for way in ways
    ]
    swept = sweep(net, batch, variants, Lead(trials.turned.foils))
    clean, after = swept.clean.tolist(), (swept.clean + swept.effect).T.tolist()
    return lambda row: (clean[row], after[row])


@dataclass(frozen=True)
class Lead:
    """A metric: by how many logits each row's answer is ahead of the best other; above 0 it is what is answered."""

    answer: Int[Tensor, "batch"]
    last: bool = True
    columns: None = None

    def narrowed(self) -> Lead:
        """Nothing to narrow: any other answer may be the best."""
        return self

    def __call__(self, output: Any, rows: Tensor) -> Float[Tensor, "rows"]:
        logits = logits_of(output)
        logits = at_least_single(logits[:, -1] if logits.ndim == 3 else logits)
        own = self.answer.to(logits.device)[rows.to(logits.device)][:, None]
        return logits.gather(1, own)[:, 0] - logits.scatter(1, own, float("-inf")).amax(1)


def _check(sets: Sequence[Sequence[str]], usual: float | None) -> None:
    """Raises ValueError for what cannot be asked."""
    if not 1 <= len(sets) <= MOST or not all(sets):
        raise ValueError(
            f"given {len(sets)} sets of {', '.join(str(len(one)) for one in sets) or 'no'} parts; expected 1 to {MOST}, none "
            "empty; where nothing is named the state of every decision is what READ says of the network"
        )
    parts = [part for one in sets for part in dict.fromkeys(one)]
    if twice := [part for part in parts if parts.count(part) > 1]:
        raise ValueError(f"{twice[0]} is in two sets, which cannot be rerun apart; give it to one of them")
    if usual is not None and not usual > 0:
        raise ValueError(
            f"given the usual push {usual}; expected logits above 0, or None to take it from these decisions"
        )
