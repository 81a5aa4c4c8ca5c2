"""Which few heads and neurons a decision rests on: learned, checked where they were not learned, and what that took.

A decision is what a network says comes next at a random place of held-out text. A set of parts explains it if the network
says the same (in nats of KL) with everything else at its mean, also at the mean over inputs that the search never saw, and
also with a random half of everything else left as it is. The search is one gradient at first, then masks over parts learned
by descent, with a sparsity penalty; whoever is explained drops out. So what it costs to explain 10, 30 or 60 % is one curve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.ledger import Meter, meter
from cutaway.network import Batch, Network
from cutaway.study.growth.masked import LogProbabilities, Means, Parts, answers, means

AT_ONCE = 32
"""Decisions in one pass: the numbers of one fit into a processor's cache."""


class NothingToExplainError(ValueError):
    """A network that says the same with all of its parts at their means."""


@dataclass(frozen=True)
class Search:
    """How decisions are explained: everything that the cost and the share depend on.

    decisions: how many are asked. kl: the most nats by which the network may differ. most: the largest set, as a share of all
    parts; fractions: the sizes tried, as shares of it. steps: after how many steps sets are formed and checked. penalty:
    on the mean share of parts that are kept; rate: of Adam. reference: inputs that means are over, each for search and check.
    halves: random halves in the check. until: the share of decisions at which the search ends.
    """

    decisions: int = 128
    kl: float = 0.1
    most: float = 0.1
    fractions: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0)
    steps: tuple[int, ...] = (0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
    penalty: float = 20.0
    rate: float = 0.3
    reference: int = 256
    halves: int = 4
    until: float = 0.6

    def __post_init__(self) -> None:
        for name in ("decisions", "kl", "most", "penalty", "rate", "reference", "halves", "until"):
            if getattr(self, name) <= 0:
                raise ValueError(f"Search.{name} is {getattr(self, name)}; expected a number above 0")
        if self.most > 1 or self.until > 1 or not all(0 < one <= 1 for one in self.fractions):
            raise ValueError(
                f"most={self.most}, until={self.until}, fractions={self.fractions}; expected shares from 0 to 1"
            )
        if list(self.steps) != sorted(set(self.steps)) or not self.steps or self.steps[0] < 0:
            raise ValueError(f"Search.steps is {self.steps}; expected rising numbers from 0 on")


@dataclass(frozen=True)
class Reached:
    """How far the search was after so many steps: operations until then, by phase too, and the share of decisions explained."""

    steps: int
    flops: int
    share: float
    phases: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Explained:
    """What a search found and took.

    curve: one `Reached` a check. sets: the parts of each decision that is explained, as places
    in `Parts.names`; None for the others. asked: how many decisions; nothing: of those drawn, the share with nothing to explain
    (left out).
    """

    curve: tuple[Reached, ...]
    sets: tuple[tuple[int, ...] | None, ...]
    asked: int
    nothing: float

    @property
    def flops(self) -> int:
        """All operations."""
        return self.curve[-1].flops

    @property
    def phases(self) -> Mapping[str, int]:
        """All operations, by phase."""
        return self.curve[-1].phases

    @property
    def share(self) -> float:
        """The share of decisions that is explained in the end."""
        return self.curve[-1].share

    def until(self, share: float) -> tuple[int, bool]:
        """Operations until that share was explained, and whether it was: if not, all of them, a lower bound."""
        return next(((at.flops, True) for at in self.curve if at.share >= share), (self.flops, False))


@dataclass(eq=False)
class Explainer:
    """A search of a network, one at a time.

    Once it is asked: `rows` of what was drawn are the decisions of `batch`, `seen` the means to search with, `fresh` those to
    check with, `wanted` what each decision should say, `masks` the logits of how much of each part it keeps.
    """

    net: Network
    parts: Parts
    search: Search
    seed: int
    phases: dict[str, int] = field(default_factory=dict)
    rows: Int[Tensor, "decision"] = field(init=False)
    batch: Batch = field(init=False)
    seen: Means = field(init=False)
    fresh: Means = field(init=False)
    wanted: LogProbabilities = field(init=False)
    masks: list[nn.Parameter] = field(init=False)
    descent: torch.optim.Optimizer = field(init=False)
    metering: Meter = field(init=False)

    def of(
        self,
        drawn: Batch,
        reference: Sequence[Batch],
        start: Float[Tensor, "rows part"] | None = None,
        shuffled: bool = False,
    ) -> Explained:
        """Explains decisions of those drawn. `start` is added to what the search begins from (a row of what is drawn).

        `reference`: two batches, for means to search and to check with. `shuffled`: each decision is held to what the network
        says in the next one (a control: no part of it says that). Raises NothingToExplainError where no decision has anything
        to explain.
        """
        nothing = self.prepare(drawn, reference)
        self.wanted = self.wanted.roll(1, 0) if shuffled else self.wanted
        begun = self.attributed() + (0 if start is None else start[self.rows])
        self.masks = [nn.Parameter(row.clone()) for row in begun]
        self.descent = torch.optim.Adam(self.masks, lr=self.search.rate)
        return self.searched(len(self.rows), nothing)

    def prepare(self, drawn: Batch, reference: Sequence[Batch]) -> float:
        """What search and check both need: means, which decisions are asked, what is said in each. Gives the share of those drawn
        that have nothing to explain; raises NothingToExplainError if all of them."""
        self.seen, self.fresh = (
            self.paid("means", lambda one=one: means(self.net, self.parts, one)) for one in reference
        )
        self.rows, nothing = self.asked(drawn)
        self.batch = drawn.take(self.rows)
        self.wanted = self.paid(
            "decisions", lambda: self.chunked(lambda at: answers(self.net, self.parts, self.take(at)))
        )
        return nothing

    def searched(self, count: int, nothing: float) -> Explained:
        """Learns and checks until enough is explained."""
        open_, done, curve = torch.arange(count), 0, []
        sets: list[tuple[int, ...] | None] = [None] * count
        for steps in self.search.steps:
            if steps > done:
                self.paid("masks", lambda n=steps - done, rows=open_: self.learn(rows, n))
                done = steps
            found, good = self.formed(open_)
            good[good.clone()] = self.checked(open_[good], found[good])
            for row, one in zip(open_[good].tolist(), found[good]):
                sets[row] = tuple(one.nonzero()[:, 0].tolist())
            open_ = open_[~good]
            curve.append(Reached(steps, self.flops, 1 - len(open_) / count, dict(self.phases)))
            if curve[-1].share >= self.search.until or not len(open_):
                break
        return Explained(tuple(curve), tuple(sets), count, nothing)

    @property
    def flops(self) -> int:
        """Operations so far."""
        return sum(self.phases.values())

    def paid(self, phase: str, work: Callable[[], Any]) -> Any:
        """What `work` gives; its operations are booked under the phase."""
        with meter(phase, flops=True) as running:
            self.metering = running
            found = work()
        self.phases[phase] = self.phases.get(phase, 0) + (running.cost.flops or 0)
        return found

    def take(self, rows: Tensor) -> Batch:
        """These decisions."""
        return self.batch.take(rows)

    def chunked(self, work: Callable[[Tensor], Tensor], rows: Tensor | None = None) -> Tensor:
        """`work` on some decisions at a time, without gradients."""
        rows = torch.arange(self.batch.rows) if rows is None else rows
        found = []
        with torch.no_grad():
            for at in rows.split(AT_ONCE):
                with self.metering.step(at):
                    found.append(work(at))
        return torch.cat(found) if found else torch.zeros(0)

    def asked(self, drawn: Batch) -> tuple[Tensor, float]:
        """The first decisions of those drawn that have something to explain; the share that has nothing."""
        self.batch = drawn
        none = torch.zeros(1, self.parts.count)

        def moved() -> Tensor:
            whole = self.chunked(lambda at: answers(self.net, self.parts, self.take(at)))
            bare = self.chunked(
                lambda at: answers(self.net, self.parts, self.take(at), none.expand(len(at), -1), self.seen)
            )
            return apart(bare, whole)

        has = self.paid("decisions", moved) > self.search.kl
        if not has.any():
            raise NothingToExplainError(
                f"{drawn.rows} decisions of {self.net.name} are the same within {self.search.kl:g} nats with every head and "
                "neuron at its mean; expected some that are not: is the network trained?"
            )
        return has.nonzero()[: self.search.decisions, 0], 1 - float(has.float().mean())

    def moved(self, rows: Tensor, masks: Float[Tensor, "rows part"], instead: Means) -> Float[Tensor, "rows"]:
        """The nats by which these decisions change with the parts kept by these masks."""
        return apart(answers(self.net, self.parts, self.take(rows), masks, instead), self.wanted[rows])

    def attributed(self) -> Float[Tensor, "rows part"]:
        """What half of each part is worth to each decision, by one gradient; in units of its mean size, at most 2."""

        def slopes() -> Tensor:
            found = []
            for rows in torch.arange(self.batch.rows).split(AT_ONCE):
                with self.metering.step(rows), torch.enable_grad():
                    half = torch.full((len(rows), self.parts.count), 0.5, requires_grad=True)
                    found.append(-torch.autograd.grad(self.moved(rows, half, self.seen).sum(), half)[0])
            return torch.cat(found)

        worth = self.paid("attribution", slopes)
        return (worth / worth.abs().mean(1, keepdim=True).clamp(min=1e-30)).clamp(-2, 2)

    def learn(self, open_: Tensor, steps: int) -> None:
        """Moves the masks of decisions down their change and their number of parts."""
        for _ in range(steps):
            self.descent.zero_grad(set_to_none=True)
            for rows in open_.split(AT_ONCE):
                with self.metering.step(rows), torch.enable_grad():
                    masks = torch.stack([self.masks[row] for row in rows.tolist()]).sigmoid()
                    change = (self.moved(rows, masks, self.seen) / self.search.kl).clamp(min=0.5)
                    (change.sum() + self.search.penalty * masks.mean(1).sum()).backward()
            self.descent.step()

    def formed(self, open_: Tensor) -> tuple[Bool[Tensor, "rows part"], Bool[Tensor, "rows"]]:
        """For each decision the smallest of the sizes tried that is enough, by the means of the search; and if there is one."""
        rank = torch.stack([self.masks[row].detach() for row in open_.tolist()]).argsort(1, descending=True).argsort(1)
        found, good = torch.zeros_like(rank, dtype=torch.bool), torch.zeros(len(open_), dtype=torch.bool)
        for size in self.sizes:
            left = (~good).nonzero()[:, 0]
            sets = rank < size
            change = self.paid("sets", lambda left=left, sets=sets: self.enough(open_, sets, left, self.seen))
            enough = left[change <= self.search.kl]
            found[enough], good[enough] = sets[enough], True
        return found, good

    @property
    def sizes(self) -> list[int]:
        """How many parts a set may have."""
        return sorted({max(1, int(self.parts.count * self.search.most * one)) for one in self.search.fractions})

    def enough(self, open_: Tensor, sets: Tensor, which: Tensor, instead: Means) -> Float[Tensor, "which"]:
        """The change of some of the open decisions with their sets alone."""
        return self.chunked(lambda at: self.moved(open_[at], sets[at].float(), instead), which)

    def checked(self, rows: Tensor, sets: Bool[Tensor, "rows part"]) -> Bool[Tensor, "rows"]:
        """Which sets hold at means that the search never saw, with the rest away and with random halves of it."""
        if not len(rows):
            return torch.zeros(0, dtype=torch.bool)
        every = torch.arange(len(rows))

        def changes() -> tuple[Tensor, Tensor]:
            away = self.enough(rows, sets, every, self.fresh)
            return away, self.by_halves(rows, sets)

        away, half = self.paid("check", changes)
        return (away <= self.search.kl) & (half <= self.search.kl)

    def by_halves(self, rows: Tensor, sets: Bool[Tensor, "rows part"]) -> Float[Tensor, "rows"]:
        """The mean change with random halves of the rest left as they are."""
        generator = torch.Generator().manual_seed(self.seed)
        every, total = torch.arange(len(rows)), torch.zeros(len(rows))
        for _ in range(self.search.halves):
            left = sets | (torch.rand(sets.shape, generator=generator) < 0.5)
            total += self.enough(rows, left, every, self.fresh)
        return total / self.search.halves


def apart(given: LogProbabilities, wanted: LogProbabilities) -> Float[Tensor, "rows"]:
    """The KL divergence of what is said from what was to be said, in nats."""
    return F.kl_div(given, wanted, log_target=True, reduction="none").sum(-1)
