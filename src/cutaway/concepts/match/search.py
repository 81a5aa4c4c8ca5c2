"""Which parts carry what a concept's decisions show: the fewest heads and neurons without which the rest goes on as before.

A set is grown part by part. What each next part is taken for is how little then lacks of three things at once: prompts are
answered like their partners with the partners' values, they are so with the set deleted, and everything else (other tasks
without the set, pairs in which only the cue or the answer differs) is answered as before. Then parts that are not needed are
put back. A part is judged beside those that are there already, in a set one can hide what another does; alone it only has to
be among the `POOL` that serve best. Where a network has no answer to fall
back on (there is no honest answer behind knowledge that is deleted), it is enough that the target is no longer given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.concepts.match.share import Share
from cutaway.concepts.match.trials import DELETED, Trials, said, several
from cutaway.decisions.circuit.find import fewest_of
from cutaway.network import Batch, LogitDifference, Network, Variant, sweep
from cutaway.submodels import SubModel, take_away
from cutaway.submodels.slices import slices

NEEDED, GONE = (
    0.95,
    1.0,
)  # of the decisions flip with the partners' values, with the set deleted: then it has grown enough
LEAST = 0.6  # of the decisions must flip with the partners' values, after what can be left out was put back
ALMOST = 0.98  # of the decisions must lose the target, for a set to be looked for no further
SPARED = 0.05  # of the answers of a task may change, at most
CARRIES = 0.5  # of the pairs of another role flip: then that is its role
SLACK = 1.0  # nats: answers that are flipped, or stay, by less than this still lack something
DEAR = 10.0  # how much what other tasks lose counts against what the decisions lack
HARD = 32  # decisions that lack most are asked what part they lack
LOOKED_AT = 5  # of the parts that serve these best are asked what they cost others
POOL = 512  # parts that can join a set that is begun: those that serve best alone
MOST = 24  # parts of a set
STARTS = 2  # sets that are grown, each without the first part of those before
Aim = Literal["returned", "gone"]  # deleted, the set leaves the partner's answer, or at least no longer the target
AIMS: tuple[Aim, ...] = ("returned", "gone")


@dataclass(frozen=True, eq=False)
class Tasks:
    """Other prompts by task, and their answers, which should stay when a part is deleted."""

    net: Network
    batch: Batch
    task: tuple[str, ...]

    @classmethod
    def of(cls, net: Network, tasks: Mapping[str, Sequence[str]]) -> Tasks | None:
        """From prompts by name; None where there are none."""
        prompts = [prompt for some in tasks.values() for prompt in some]
        names = tuple(name for name, some in tasks.items() for _ in some)
        return cls(net, net.batch(prompts), names) if prompts else None

    @cached_property
    def clean(self) -> Int[Tensor, "rows"]:
        """What is answered with nothing deleted."""
        return said(self.net, self.batch)

    @cached_property
    def _rows(self) -> dict[str, Tensor]:
        return {name: torch.tensor([one == name for one in self.task]) for name in dict.fromkeys(self.task)}

    def changed(self, sets: Sequence[SubModel]) -> Float[Tensor, "sets tasks"]:
        """The share of each task's answers that change without each set."""
        moved = (said(self.net, self.batch, sets, DELETED) != self.clean).float()
        return torch.stack([moved[:, some].mean(1) for some in self._rows.values()], 1)

    def lack(self, sets: Sequence[SubModel]) -> Float[Tensor, "sets"]:
        """How far (nats) the answers of the worst task are from what they were, in the mean over its prompts."""
        variants = [Variant(take_away(self.net, one, DELETED), one.name) for one in sets]
        odds = sweep(self.net, self.batch, variants, LogitDifference(self.clean)).value.cpu().float()
        return torch.stack([(-odds[:, some]).clamp(min=0).mean(1) for some in self._rows.values()], 1).amax(1)

    def worst(self, one: SubModel) -> tuple[Share, str]:
        """The largest share of answers that change, and the task."""
        shares = self.changed([one])[0]
        worst = int(shares.argmax())
        name, rows = list(self._rows.items())[worst]
        count = int(rows.sum())
        return Share.of(round(float(shares[worst]) * count), count), name


@dataclass(frozen=True)
class Candidate:
    """A set of parts, as it was found, and what was aimed at: decisions that flip with the partners' values, and that do as
    was aimed at with the set deleted, answers of the worst task that change, pairs of the worst other role that flip."""

    parts: tuple[str, ...]
    aim: Aim
    need: float
    gone: float
    lost: float
    role: float

    @property
    def carries(self) -> bool:
        """Whether the decisions are not made without it."""
        return self.need >= LEAST and self.gone >= ALMOST

    @property
    def clean(self) -> bool:
        """Whether it is needed, spares other tasks and carries neither cue nor answer."""
        return self.carries and self.lost <= SPARED and self.role < CARRIES


@dataclass(frozen=True)
class Searched:
    """What was found, in the order in which it should be believed; how many parts were looked at, of which classes."""

    found: tuple[Candidate, ...]
    looked_at: int
    classes: tuple[str, ...]


def search(
    trials: Trials,
    crossed: Mapping[str, Trials],
    tasks: Tasks | None,
    kinds: Sequence[str] = ("heads", "neurons"),
) -> Searched:
    """Sets of parts that carry what tells the prompts of `trials` from their partners: first one that spares the rest.

    A set that carries them, but not only them, is grown again without the part that it began with. One that is aimed at
    the weaker thing is grown where the stronger cannot be reached; where neither can, there is no second start.
    """
    names = candidates(trials.net, kinds)
    growths = [_Growth(trials, crossed, tasks, aim) for aim in AIMS]
    best = growths[0].ranked(names)[:POOL]
    found: list[Candidate] = []
    for _ in range(STARTS):
        firsts = {one.parts[0] for one in found}
        if not (pool := [part for part in best if part not in firsts]):
            break
        for growth in growths:
            found.append(growth.candidate(pruned(trials, growth.grown(pool), growth.aim)))
            if found[-1].carries:
                break
        if found[-1].clean or not found[-1].carries:
            break
    found.sort(key=lambda one: (not one.clean, len(one.parts)))
    return Searched(tuple(found), len(names), tuple(kinds))


@dataclass(frozen=True, eq=False)
class _Growth:
    """Grows a set, and says what it lacks."""

    trials: Trials
    crossed: Mapping[str, Trials]
    tasks: Tasks | None
    aim: Aim

    def ranked(self, names: Sequence[str]) -> list[str]:
        """The parts, those first that serve the decisions best alone."""
        some = self.trials.take(torch.arange(min(HARD, self.trials.rows)))
        return [names[i] for i in self.lacking(some, [(name,) for name in names]).mean(1).argsort().tolist()]

    def lack(self, sets: Sequence[Sequence[str]]) -> Float[Tensor, "sets"]:
        """All that is lacking: of the decisions in the mean, of the worst of other tasks (`DEAR`), of the worst of other roles."""
        models, lack = [several(one) for one in sets], self.lacking(self.trials, sets).mean(1)
        if self.tasks is not None:
            lack = lack + DEAR * self.tasks.lack(models)
        roles = [pairs.odds(models).float().clamp(min=0).mean(1) for pairs in self.crossed.values()]
        return lack + torch.stack(roles).amax(0) if roles else lack

    def next(self, kept: Sequence[str], pool: Sequence[str]) -> tuple[str, float]:
        """The part after which least is lacking, and how much that is: first of the decisions that lack most, then of all."""
        free = [part for part in pool if part not in kept]
        hard = self.lacking(self.trials, [kept])[0].argsort(descending=True)[:HARD]
        lack = self.lacking(self.trials.take(hard), [(*kept, part) for part in free]).mean(1)
        best = [free[i] for i in lack.argsort()[:LOOKED_AT].tolist()]
        total = self.lack([(*kept, part) for part in best])
        return best[int(total.argmin())], float(total.min())

    def lacking(self, trials: Trials, sets: Sequence[Sequence[str]]) -> Float[Tensor, "sets rows"]:
        """How far (nats) each prompt is from being answered like its partner, with its values and with the set deleted."""
        models = [several(one) for one in sets]
        values = trials.odds(models).float()
        deleted = (
            trials.odds(models, values=DELETED) if self.aim == "returned" else -trials.odds(models, "target", DELETED)
        )
        return (SLACK - values).clamp(min=0) + (SLACK - deleted.float()).clamp(min=0)

    def grown(self, pool: Sequence[str]) -> tuple[str, ...]:
        """Parts are added while less is lacking, until the decisions flip."""
        kept, lack = tuple[str, ...](), float("inf")
        while not (kept and carries(self.trials, kept, self.aim)) and len(kept) < min(MOST, len(pool)):
            part, then = self.next(kept, pool)
            if then >= lack:
                break
            kept, lack = (*kept, part), then
        return kept

    def candidate(self, parts: tuple[str, ...]) -> Candidate:
        """The set with its shares."""
        lost = 0.0 if self.tasks is None else self.tasks.worst(several(parts))[0].value
        role = max(
            (float(pairs.flips([several(parts)]).float().mean()) for pairs in self.crossed.values()), default=0.0
        )
        need, gone, returned = without(self.trials, parts)
        return Candidate(parts, self.aim, need, returned if self.aim == "returned" else gone, lost, role)


def candidates(net: Network, kinds: Sequence[str]) -> list[str]:
    """The addresses of every part of these kinds."""
    return [address for one in slices(net, kinds) for address in one.parts]


def without(trials: Trials, parts: Sequence[str] | SubModel) -> tuple[float, float, float]:
    """The share of decisions that flip with the partners' values; with the set deleted, of those in which the target is no
    longer given, and of those that are answered like the partner."""
    model = several(parts)
    flips, said_then = trials.flips([model]), trials.deleted([model])
    shares = (flips, said_then != trials.targets.cpu(), said_then == trials.foils.cpu())
    need, gone, returned = (float(one.float().mean()) for one in shares)
    return need, gone, returned


def carries(trials: Trials, parts: Sequence[str], aim: Aim, need: float = NEEDED, gone: float = GONE) -> bool:
    """Whether as many decisions as this flip without a set."""
    flipped, silent, returned = without(trials, parts)
    return flipped >= need and (returned if aim == "returned" else silent) >= gone


def pruned(trials: Trials, parts: Sequence[str], aim: Aim) -> tuple[str, ...]:
    """The set without what can be left out of it: the target goes as often as without all of it, and the decisions flip as
    often with the partners' values, or as often as they must."""
    need, silent, returned = without(trials, parts)
    bars = min(need, LEAST), min(returned if aim == "returned" else silent, GONE)
    return tuple(fewest_of(parts, lambda some: carries(trials, some, aim, *bars)))


def dealt(batch: Batch, seed: int) -> Int[Tensor, "rows"]:
    """Another row for each, of as many tokens: itself where there is no other."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.full((batch.rows,), batch.positions or 0) if batch.real is None else batch.real.sum(1).cpu()
    found = torch.arange(batch.rows)
    for length in lengths.unique().tolist():
        rows = (lengths == length).nonzero()[:, 0]
        order = rows[torch.randperm(len(rows), generator=generator)]
        found[order] = order.roll(1)
    return found
