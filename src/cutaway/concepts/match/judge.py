"""Whether a set of parts may be called a concept's: needed, enough, sparing, in the role of the behaviour, and minimal.

A whole residual stream, the embedding of the cue, or a heap of parts with the right one in it is needed and enough too.
What tells them from the sub-model that does it: they change other tasks, they carry the cue or the answer where the concept
is not at stake, or something can be left out of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cutaway.concepts.match.search import CARRIES, SPARED, Tasks, dealt, flipped
from cutaway.concepts.match.trials import Trials, said, several, values_on
from cutaway.submodels.submodel import sites_of

NEEDED, ENOUGH = 0.9, 0.5  # of the decisions, and of the partners, must flip where a set is judged
SAID = {"cue": "it reads the cue", "answer": "it writes the answer"}


@dataclass(frozen=True)
class Share:
    """A share of `n` decisions, with its 95 % Clopper-Pearson interval."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, hits: int, n: int) -> Share:
        """From counts."""
        from scipy.stats import binomtest

        if not n:
            return cls(float("nan"), 0.0, 1.0, 0)
        interval = binomtest(hits, n).proportion_ci(method="exact")
        return cls(hits / n, float(interval.low), float(interval.high), n)

    def __str__(self) -> str:
        if not self.n:
            return "none"
        return f"{self.value:.0%} [{self.low:.0%}, {self.high:.0%}] of {self.n}"


@dataclass(frozen=True)
class Judged:
    """A set of parts and its scores. `refused` says why it may not have the name; empty: it may.

    `need`: decisions that flip to the partner's answer with the partner's values. `enough`: partners that flip to the
    prompt's. `placebo`: decisions that flip so with the values of another prompt that shows the behaviour too, and `p` that
    `need` is no larger (Fisher). `spare`: the worst task, and the share of its answers that change. `roles`: the share of
    pairs that flip where only the cue, or only the answer, differs. `surplus`: a part that can be left out.
    """

    parts: tuple[str, ...]
    need: Share
    enough: Share
    placebo: Share
    p: float
    spare: tuple[float, str] | None
    roles: Mapping[str, Share] = field(default_factory=dict)
    surplus: str | None = None

    @property
    def refused(self) -> tuple[str, ...]:
        """Every reason, in words."""
        why = []
        if not self.need.value >= NEEDED:
            why.append(f"not needed: {self.need} decisions flip without it, expected {NEEDED:.0%}")
        if not self.enough.value >= ENOUGH:
            why.append(f"not enough: {self.enough} partners flip with it, expected {ENOUGH:.0%}")
        why += [f"{SAID[role]}: {share} pairs flip" for role, share in self.roles.items() if share.value >= CARRIES]
        if self.spare is not None and self.spare[0] > SPARED:
            why.append(f"not sparing: {self.spare[0]:.0%} of the answers to {self.spare[1]!r} change")
        if self.surplus is not None:
            why.append(f"not minimal: {self.surplus} can be left out")
        return tuple(why)


def judge(
    trials: Trials, crossed: Mapping[str, Trials], tasks: Tasks | None, parts: Sequence[str], seed: int = 0
) -> Judged:
    """Scores for any set of parts: one that was found, or one that somebody offers.

    `trials` are decisions that show the behaviour, and had no part in finding the set.
    """
    from scipy.stats import fisher_exact

    model = several(parts)
    need, enough = (int(side.flips([model]).sum()) for side in (trials, trials.turned))
    n, donors = trials.rows, trials.prompts.batch.take(dealt(trials.prompts.batch, seed))
    values = values_on(trials.net, donors, sites_of(trials.net, model))
    placebo = int((said(trials.net, trials.prompts.batch, [model], values)[0] == trials.foils.cpu()).sum())
    table = [[need, n - need], [placebo, n - placebo]]
    return Judged(
        tuple(parts),
        Share.of(need, n),
        Share.of(enough, n),
        Share.of(placebo, n),
        float(fisher_exact(table, alternative="greater").pvalue),
        None if tasks is None else tasks.worst(model),
        {role: Share.of(int(pairs.flips([model]).sum()), pairs.rows) for role, pairs in crossed.items() if pairs.rows},
        _surplus(trials, parts),
    )


def pruned(trials: Trials, parts: Sequence[str]) -> tuple[str, ...]:
    """The set without what can be left out of it."""
    while (part := _surplus(trials, parts)) is not None:
        parts = tuple(one for one in parts if one != part)
    return tuple(parts)


def _surplus(trials: Trials, parts: Sequence[str]) -> str | None:
    """A part without which no fewer decisions, and no fewer partners, flip."""
    if len(parts) < 2:
        return None
    need, enough = flipped(trials, parts)
    for part in reversed(parts):
        without = flipped(trials, [one for one in parts if one != part])
        if without[0] >= need and without[1] >= enough:
            return part
    return None
