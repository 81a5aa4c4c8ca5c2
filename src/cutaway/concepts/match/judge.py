"""Whether a set of parts may be called a concept's: needed, enough, sparing, in the role of the behaviour, and minimal.

A whole residual stream, the embedding of the cue, or a heap of parts with the right one in it is needed and enough too.
What tells them from the sub-model that does it: they change other tasks, they carry the cue or the answer where the concept
is not at stake, or something can be left out of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from cutaway.concepts.match.search import CARRIES, SPARED, Tasks, dealt, without
from cutaway.concepts.match.trials import Trials, said, several, values_on
from cutaway.submodels import SubModel
from cutaway.submodels.submodel import sites_of

NEEDED, GONE = 0.8, 0.9  # of the decisions must flip with the partners' values, with the set deleted
LEVEL = 0.05  # that what flips is no more than what another prompt's values flip
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

    `need`: decisions that flip to the partner's answer with the partner's values; `gone`: in which the target is no longer
    given with the set deleted, `returned`: that are then answered like the partner (told, not demanded: a network need not
    have another answer to fall back on); `enough`: partners that flip to the prompt's answer with the prompt's values.
    `placebo` is need with the values of another prompt that shows the behaviour too, `placebo_enough` is enough with those
    of another partner; `p` that need, or that enough, is no larger (McNemar, the larger of the two). `spare`: the worst task,
    and the share of its answers that change without the set. `roles`: the share of pairs that flip where only the cue, or
    only the answer, differs. `surplus`: a part that can be left out.
    """

    parts: tuple[str, ...]
    need: Share
    gone: Share
    returned: Share
    enough: Share
    placebo: Share
    placebo_enough: Share
    p: float
    spare: tuple[float, str] | None
    roles: Mapping[str, Share] = field(default_factory=dict)
    surplus: str | None = None

    @property
    def refused(self) -> tuple[str, ...]:
        """Every reason, in words."""
        why = []
        if not self.need.value >= NEEDED:
            why.append(f"not needed: {self.need} decisions flip with the partners' values, expected {NEEDED:.0%}")
        if not self.gone.value >= GONE:
            why.append(f"not needed: the target goes from {self.gone} decisions with it deleted, expected {GONE:.0%}")
        if not self.p <= LEVEL:
            why.append(
                f"chance: need {self.need}, placebo {self.placebo}; enough {self.enough}, placebo {self.placebo_enough}; "
                f"p = {self.p:.1g}, expected {LEVEL:g}"
            )
        why += [f"{SAID[role]}: {share} pairs flip" for role, share in self.roles.items() if share.value >= CARRIES]
        if self.spare is not None and self.spare[0] > SPARED:
            why.append(f"not sparing: {self.spare[0]:.0%} of the answers to {self.spare[1]!r} change")
        if self.surplus is not None:
            why.append(f"not minimal: {self.surplus} can be left out")
        return tuple(why)


def judge(
    trials: Trials,
    crossed: Mapping[str, Trials],
    tasks: Tasks | None,
    parts: Sequence[str] | SubModel,
    seed: int = 0,
    minimal: bool = False,
) -> Judged:
    """Scores for any set of parts: one that was found, or one that somebody offers.

    `trials` are decisions that show the behaviour, and had no part in finding the set; `minimal`: whether it is known to be.
    """
    model = several(parts)
    deleted = trials.deleted([model])[0]
    (need, placebo, p), (enough, placebo_enough, p_enough) = (
        _against(side, model, seed) for side in (trials, trials.turned)
    )
    return Judged(
        model.parts,
        need,
        Share.of(int((deleted != trials.targets.cpu()).sum()), trials.rows),
        Share.of(int((deleted == trials.foils.cpu()).sum()), trials.rows),
        enough,
        placebo,
        placebo_enough,
        max(p, p_enough),
        None if tasks is None else tasks.worst(model),
        {role: Share.of(int(pairs.flips([model]).sum()), pairs.rows) for role, pairs in crossed.items() if pairs.rows},
        None if minimal or isinstance(parts, SubModel) else _surplus(trials, parts),
    )


def _against(trials: Trials, model: SubModel, seed: int) -> tuple[Share, Share, float]:
    """How many rows flip with the partners' values, how many with those of another row, and p that these are as many.

    Rows of which there is no other of as many tokens are not in the second and the third.
    """
    from scipy.stats import binomtest

    flips, others = trials.flips([model])[0], dealt(trials.prompts.batch, seed)
    donors = values_on(trials.net, trials.prompts.batch.take(others), sites_of(trials.net, model))
    chance = said(trials.net, trials.prompts.batch, [model], donors)[0] == trials.foils.cpu()
    paired = others != torch.arange(trials.rows)
    more, less = int((flips & ~chance & paired).sum()), int((chance & ~flips & paired).sum())
    p = float(binomtest(more, more + less, alternative="greater").pvalue) if more + less else 1.0
    return Share.of(int(flips.sum()), trials.rows), Share.of(int(chance[paired].sum()), int(paired.sum())), p


def _surplus(trials: Trials, parts: Sequence[str]) -> str | None:
    """A part without which the decisions flip no less: as the set does, or as often as it must."""
    if len(parts) < 2:
        return None
    whole = [min(one, bar) for one, bar in zip(without(trials, parts), (NEEDED, GONE, GONE))]
    fewer = ((part, [one for one in parts if one != part]) for part in reversed(parts))
    shares = ((part, without(trials, some)) for part, some in fewer)
    return next((part for part, some in shares if all(one >= other for one, other in zip(some, whole))), None)
