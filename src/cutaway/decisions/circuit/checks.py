"""Is the named circuit really enough, needed and without surplus? And would these checks have noticed a wrong one?

Sufficient: everything else cut at once, by random halves, and with the strengths that an adversary finds worst. Necessary:
the named edges cut. Minimal: each named edge or group cut alone, in the whole network. All on examples that had no part in
choosing the circuit. The power of the checks is how often they pass for sets that are wrong: the named set less one edge,
with one edge swapped for another, and random sets of equal size. The worst case is in the spirit of Madry et al. 2018
(arXiv 1706.06083); the three words are those of Wang et al. 2022 (arXiv 2211.00593) and Shi et al. 2024 (arXiv 2410.13032).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.fewer_rows import on_rows
from cutaway.decisions.circuit.find import HALVES, Found, over_draws
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.runs.table import Table

NEEDED = 0.9  # of the total effect: what cutting the named edges must change
CURVE = (0, 20, 80, 320)  # steps after which the adversary may be asked
WRONG = 20  # wrong sets of each kind


@dataclass(frozen=True)
class Joint:
    """A joint claim, `moved` as a share of the total effect, and the `limit` that it must keep (`holds`)."""

    what: str
    moved: Estimate
    limit: float
    holds: bool

    def __str__(self) -> str:
        interval = f" [{self.moved.low:.1%}, {self.moved.high:.1%}]" if self.moved.known else ""
        bound = "at least" if self.what.startswith(("necessary", "minimal")) else "at most"
        return f"{self.what}: moves {self.moved.mean:.1%}{interval} of the total ({bound} {self.limit:.1%})"


@dataclass(frozen=True, eq=False)
class Examined:
    """The checks of a circuit, one row each, and their power: how many wrong sets of each kind pass the same check."""

    checks: tuple[Joint, ...]
    power: Table


def examine(
    fit: Cutter,
    held: Cutter,
    found: Found,
    total: float,
    limit: float,
    floor: float,
    steps: Sequence[int] = (0, 20),
    restarts: int = 2,
    seed: int = 0,
    worst: Mapping[int, Float[Tensor, "edges"]] | None = None,
) -> Examined:
    """Checks the circuit on the examples of `held`; the adversary fits its strengths on those of `fit`, or `worst` gives them.

    `limit` (a share of the total effect) bounds what everything else may move the decision by; `floor` is what an edge
    must move it by (in its own units).
    """
    work = _Examination(held, found.named, total, limit)
    size = abs(total)
    halves = max(work.rest_cuts(seed, HALVES), key=lambda cut: work.moved(cut[None]).mean)
    cuts = {"everything else cut": work.everything_else(), f"worst of {HALVES} random halves": halves}
    if worst is None:
        worst = worst_strengths(fit, found.named, steps, restarts, seed)
    cuts |= {f"adversary, {step} steps": strengths for step, strengths in worst.items()}
    checks = [work.check(f"sufficient: {what}", work.moved(cut[None])) for what, cut in cuts.items()]
    needed = estimate(over_draws(held, held.cuts([found.named]))[:, 0] / total)
    checks.append(Joint("necessary: the named edges cut", needed, NEEDED, needed.mean >= NEEDED))
    pieces = [[edge] for edge in found.edges] + [list(group.edges) for group in found.groups]
    if pieces:
        alone = [work.moved(cut[None]) for cut in held.cuts(pieces)]
        least = min(alone, key=lambda moved: moved.mean)
        checks.append(Joint("minimal: the weakest edge or group cut", least, floor / size, least.mean >= floor / size))
    return Examined(tuple(checks), work.power(seed))


@dataclass(frozen=True, eq=False)
class _Examination:
    """A named set on examples that did not choose it."""

    held: Cutter
    named: list[int]
    total: float
    limit: float

    def moved(self, cuts: Float[Tensor, "1 edges"]) -> Estimate:
        """Mean |change| of the decision, as a share of the total effect."""
        return estimate(over_draws(self.held, cuts)[:, 0].abs() / abs(self.total))

    def check(self, what: str, moved: Estimate) -> Joint:
        return Joint(what, moved, self.limit, moved.mean <= self.limit)

    def everything_else(self, named: Sequence[int] | None = None) -> Float[Tensor, "edges"]:
        return 1 - self.held.cuts([self.named if named is None else named])[0]

    def rest_cuts(self, seed: int, count: int) -> Float[Tensor, "count edges"]:
        """Random halves of everything else."""
        return random_halves(self.everything_else(), seed + 1, count)

    def power(self, seed: int) -> Table:
        """How many wrong sets of each kind pass the first check: all of them should fail."""
        if not self.named:
            return Table.of([], columns=("wrong set", "tried", "passed"))
        generator = torch.Generator().manual_seed(seed + 2)
        others = [edge for edge in range(len(self.held.graph)) if edge not in set(self.named)]
        order = torch.randperm(len(self.named), generator=generator)[:WRONG].tolist()
        less = [[e for e in self.named if e != self.named[i]] for i in order]
        drawn = torch.randint(max(1, len(others)), (len(less),), generator=generator).tolist()
        swapped = [[*some, others[i]] for some, i in zip(less, drawn)] if others else []
        count = min(len(self.named), len(self.held.graph))
        anything = [torch.randperm(len(self.held.graph), generator=generator)[:count].tolist() for _ in range(WRONG)]
        rows = []
        for kind, sets in (("less one edge", less), ("one edge swapped", swapped), ("random, equal size", anything)):
            passed = sum(self.moved(self.everything_else(one)[None]).mean <= self.limit for one in sets)
            rows.append({"wrong set": kind, "tried": len(sets), "passed": passed})
        return Table.of(rows)


def random_halves(rest: Float[Tensor, "edges"], seed: int, count: int) -> Float[Tensor, "count edges"]:
    """Each a random half of these cuts."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, len(rest), generator=generator) < 0.5) * rest


def worst_strengths(
    fit: Cutter, named: Sequence[int], steps: Sequence[int], restarts: int, seed: int, rate: float = 0.2
) -> dict[int, Float[Tensor, "edges"]]:
    """The strengths of cutting everything but `named` that move the decision most, after up to so many steps of sign ascent.

    One strength in [0, 1] for each edge, the same for every example; the worst of several random starts, and of all steps so
    far: at a fixed rate the ascent goes to and fro. Nothing without `steps`.
    """
    if not steps:
        return {}
    free = torch.ones(len(fit.graph))
    free[list(named)] = 0
    generator = torch.Generator().manual_seed(seed)
    best: dict[int, tuple[float, Tensor]] = {}
    for _ in range(restarts):
        at, highest = torch.rand(len(fit.graph), generator=generator) * free, (-1.0, free)
        for step in range(max(steps) + 1):
            size, slope = _moved_by(fit, at, step % fit.values.draws)
            highest = max(highest, (size, at), key=lambda pair: pair[0])
            if step in steps:
                best[step] = max(best.get(step, highest), highest, key=lambda pair: pair[0])
            at = (at + rate * slope.sign() * free).clamp(0, 1) * free
    return {step: strengths for step, (_, strengths) in sorted(best.items())}


def _moved_by(fit: Cutter, at: Float[Tensor, "edges"], draw: int) -> tuple[float, Float[Tensor, "edges"]]:
    """Mean |change| of the decision with these strengths, and its slope; half of the rows at a time if memory runs out."""

    def some(few: Cutter, _: Tensor) -> Tensor:
        clean, leaf = few.decide(torch.zeros_like(at)[None])[0], at.clone().requires_grad_()
        with torch.enable_grad():
            moved = (few.decide(leaf[None], draw, gradients=True)[0] - clean).abs().sum()
            slope = torch.autograd.grad(moved, leaf)[0]
        return torch.cat([moved.detach()[None].to(slope), slope])

    found = on_rows(fit, some, lambda parts: torch.stack(list(parts)).sum(0), "an adversary") / fit.posed.batch.rows
    return float(found[0]), found[1:]
