"""Whether a set of parts may be called a concept's: needed, moving, sparing, in the role of the behaviour, and minimal.

A whole residual stream, the embedding of the cue, or a heap of parts with the right one in it is needed and enough too.
What tells them from the sub-model that does it: they change other tasks, they carry the cue or the answer where the concept
is not at stake, or something can be left out of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import torch
from jaxtyping import Bool
from torch import Tensor

from cutaway.concepts.match.search import CARRIES, SPARED, Tasks, candidates, dealt, without
from cutaway.concepts.match.share import Share
from cutaway.concepts.match.trials import Trials, said, several, values_on
from cutaway.submodels import Baseline, SubModel
from cutaway.submodels.submodel import sites_of

NEEDED, GONE = 0.5, 0.9  # of the decisions must flip with the partners' values, with the set deleted
LEVEL = 0.05  # the p-value that a name may have at most
RANDOM = 20  # random sets of as many parts of the same kinds
SAID = {"cue": "it reads the cue", "answer": "it writes the answer"}


@dataclass(frozen=True)
class Judged:
    """A set of parts and its scores. `refused` says why it may not have the name; empty: it may.

    `need`: decisions that flip to the partner's answer with the partner's values; `gone`: in which the target is no longer
    given with the set deleted, `returned`: that are then answered like the partner (told, not demanded: a network need not
    have another answer to fall back on). `enough`: partners that flip to the prompt's answer with the prompt's values (told,
    not demanded: others may be louder there); `moved`: in which that answer then becomes likelier than with the values of
    another partner.

    `random` is the mean need of `RANDOM` sets of as many other heads and neurons (none of a set of anything else; the largest
    says little, as one of them may hold what reads the cue; its interval is of decisions, not of sets); `placebo` need with the
    values of another prompt that shows the behaviour too (told, not demanded: where what is said differs from prompt to prompt,
    another's values are a deletion), `placebo_enough` enough with those of another partner. `p`: that need is no larger than
    that of random sets (binomial; where none can be drawn, than its placebo, McNemar), or that no more partners are moved than
    not (sign test): the larger.
    `spare`: the share of the answers to the worst task that change without the set, and the task. `roles`: the
    share of pairs that flip where only the cue, or only the answer, differs. `surplus`: a part that can be left out.
    """

    parts: tuple[str, ...]
    need: Share
    gone: Share
    returned: Share
    enough: Share
    moved: Share
    placebo: Share
    placebo_enough: Share
    random: Share
    p: float
    spare: tuple[Share, str] | None
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
                f"chance: need {self.need}, of random sets {self.random}, placebo {self.placebo}; {self.moved} partners moved; "
                f"p = {self.p:.1g}, expected {LEVEL:g}"
            )
        why += [f"{SAID[role]}: {share} pairs flip" for role, share in self.roles.items() if share.value >= CARRIES]
        if self.spare is not None and self.spare[0].value > SPARED:
            why.append(f"not sparing: {self.spare[0]} answers to {self.spare[1]!r} change")
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
    (need, placebo, p), (enough, placebo_enough, _) = (_flips(side, model, seed) for side in (trials, trials.turned))
    drawn, (moved, p_moved) = _random(trials, model.parts, seed), _moved(trials.turned, model, seed)
    p_need = _above(need, drawn.value) if drawn.n else p
    return Judged(
        model.parts,
        need,
        Share.of(int((deleted != trials.targets.cpu()).sum()), trials.rows),
        Share.of(int((deleted == trials.foils.cpu()).sum()), trials.rows),
        enough,
        moved,
        placebo,
        placebo_enough,
        drawn,
        max(p_need, p_moved),
        None if tasks is None else tasks.worst(model),
        {role: Share.of(int(pairs.flips([model]).sum()), pairs.rows) for role, pairs in crossed.items() if pairs.rows},
        None if minimal or isinstance(parts, SubModel) else _surplus(trials, parts),
    )


def _flips(trials: Trials, model: SubModel, seed: int) -> tuple[Share, Share, float]:
    """How many rows flip with the partners' values, how many with those of another row, and p that these are as many.

    Rows of which there is no other of as many tokens are not in the second and the third.
    """
    flips, (donors, paired) = trials.flips([model])[0], _others(trials, model, seed)
    chance = said(trials.net, trials.prompts.batch, [model], donors)[0] == trials.foils.cpu()
    p = _more(flips & ~chance & paired, chance & ~flips & paired)
    return Share.of(int(flips.sum()), trials.rows), Share.of(int(chance[paired].sum()), int(paired.sum())), p


def _moved(trials: Trials, model: SubModel, seed: int) -> tuple[Share, float]:
    """In how many rows the foil becomes likelier with the partner's values than with those of another row, and p that it is
    no more often than not."""
    donors, paired = _others(trials, model, seed)
    gain = (trials.odds([model]) - trials.odds([model], values=donors))[0][paired]
    return Share.of(int((gain > 0).sum()), len(gain)), _more(gain > 0, gain < 0)


def _others(trials: Trials, model: SubModel, seed: int) -> tuple[Baseline, Bool[Tensor, "rows"]]:
    """The values of another row, and for which rows there is one."""
    others = dealt(trials.prompts.batch, seed)
    donors = values_on(trials.net, trials.prompts.batch.take(others), sites_of(trials.net, model))
    return donors, others != torch.arange(trials.rows)


def _more(more: Bool[Tensor, "rows"], less: Bool[Tensor, "rows"]) -> float:
    """p that the first is so no more often than the second (sign test, one-sided)."""
    from scipy.stats import binomtest

    ups, downs = int(more.sum()), int(less.sum())
    return float(binomtest(ups, ups + downs, alternative="greater").pvalue) if ups + downs else 1.0


def _above(share: Share, chance: float) -> float:
    """p that a share is no larger than this rate (binomial, one-sided)."""
    from scipy.stats import binomtest

    return float(binomtest(round(share.value * share.n), share.n, chance, alternative="greater").pvalue)


def _random(trials: Trials, parts: Sequence[str], seed: int) -> Share:
    """What `RANDOM` random sets of as many other heads and neurons flip, in the mean."""
    rng, drawn = Random(f"sets {seed}"), [list[str]() for _ in range(RANDOM)]
    for kind in ("heads", "neurons"):
        names = candidates(trials.net, (kind,))
        count, others = sum(name in parts for name in names), [name for name in names if name not in parts]
        for one in drawn:
            one += rng.sample(others, min(count, len(others)))
    if any(len(one) != len(parts) for one in drawn):
        return Share.of(0, 0)
    return Share.of(
        round(float(trials.flips([several(one) for one in drawn]).float().mean()) * trials.rows), trials.rows
    )


def _surplus(trials: Trials, parts: Sequence[str]) -> str | None:
    """A part without which the decisions flip no less: as the set does, or as often as it must."""
    if len(parts) < 2:
        return None
    whole = [min(one, bar) for one, bar in zip(without(trials, parts), (NEEDED, GONE, GONE))]
    fewer = ((part, [one for one in parts if one != part]) for part in reversed(parts))
    shares = ((part, without(trials, some)) for part, some in fewer)
    return next((part for part, some in shares if all(one >= other for one, other in zip(some, whole))), None)
