"""The joint checks of a named set: is it enough, is it needed, and would random sets of equal size do as well?"""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.estimate import estimate
from cutaway.decisions.measuring import Measuring
from cutaway.decisions.trace import Check
from cutaway.submodels import SubModel, random_parts

CONTROLS = 20  # random sets: the smallest p-value is 1 / 21


def checks(at: Measuring, parts: Sequence[SubModel], named: Sequence[str], seed: int) -> tuple[Check, ...]:
    """The rest of `parts` away together (enough), then the named ones (needed), as shares of the effect of all away.

    None where nothing is named or that effect has no interval. `at` should hold donors that did not choose the named set.
    """
    everyone = [part.name for part in parts]
    total = estimate(at.jointly([parts])[0])
    if not named or not total.known or not total.mean:
        return ()
    random = [random_parts(at.net, everyone, len(named), seed + i).parts for i in range(CONTROLS)]
    sets = [frozenset(one) for one in (named, *random)]
    away = _shares(at, parts, sets) / total.mean
    left = 1 - _shares(at, parts, [frozenset(everyone) - one for one in sets]) / total.mean
    return (
        _check("enough: decision that is left with only the named parts", left),
        _check("needed: decision that is lost without the named parts", away),
    )


def _shares(at: Measuring, parts: Sequence[SubModel], sets: Sequence[frozenset[str]]) -> Tensor:
    """The joint effect of each set [sets, draws, rows]; sets that are alike are run once."""
    different = list(dict.fromkeys(sets))
    found = at.jointly([[part for part in parts if part.name in one] for one in different])
    return found[[different.index(one) for one in sets]]


def _check(what: str, share: Float[Tensor, "sets draws rows"]) -> Check:
    """The named set (the first) beside the random ones; p is its rank among them."""
    score = share.mean((1, 2))
    above = int((score[1:] >= score[0]).sum())
    return Check(what, estimate(share[0]), estimate(share[1:].mean(0)), (1 + above) / len(score), len(score) - 1)
