"""How a cost grows, in a word, and every fit that was looked at: sublinear, linear, superlinear, not a power law, undecided.

The word is of the exponent against the one that means linear, after Holm's correction (1979) over all fits shown. What
would be a finding if the line were straight is none if it may be bent: the test for curvature is not corrected there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cutaway.ledger.scaling.bootstrap import bootstrap
from cutaway.ledger.scaling.censored import NotFitted
from cutaway.ledger.scaling.forms import Curvature, curvature, power_over_exponential
from cutaway.ledger.scaling.points import Point, Sizes, by_size
from cutaway.ledger.scaling.power import Interval, Power
from cutaway.runs import Table

SIZES, REACHED, RANGE = 6, 5, 10.0
"""Fewer sizes, fewer of them reached, or a smaller range of them leave every verdict open."""
NEAR = 0.15
"""An exponent that is certain to be this near to linear is called linear."""
ALPHA = 0.05
CLEARLY = 6.0
"""A difference in AICc from which the exponential is clearly better."""

SUBLINEAR, LINEAR, SUPERLINEAR = "sublinear", "linear", "superlinear"
NOT_POWER, UNDECIDED = "not a power law", "undecided"


@dataclass(frozen=True)
class Fit:
    """One candidate: what was fitted on what, and what came out. p_linear: of an exponent that is linear; p_unlike: of one
    that is not; both are corrected over all fits shown. Without a fit only `verdict` and `why` are there."""

    name: str
    sizes: Sizes
    linear_at: float
    verdict: str = UNDECIDED
    why: str = ""
    power: Power | None = None
    interval: Interval | None = None
    curvature: Curvature | None = None
    over_exponential: float = 0.0
    p_linear: float = 1.0
    p_unlike: float = 1.0

    def __str__(self) -> str:
        """`U on T: 0.87 [0.72, 1.03], undecided: …`."""
        if self.power is None or self.interval is None:
            return f"{self.name}: {self.verdict}: {self.why}"
        return f"{self.name}: {self.power.exponent:.2f} {self.interval}, {self.verdict}: {self.why}"


def fits(candidates: Mapping[str, Sequence[Point]], linear_at: Mapping[str, float] | None = None) -> tuple[Fit, ...]:
    """Every candidate with its verdict, corrected for how many there are; none is left out.

    linear_at: the exponent that means linear, 1 unless a candidate says otherwise (0 for a ratio of costs).

    >>> fits({"U on T": points, "U / T on T": ratios}, linear_at={"U / T on T": 0})
    """
    at = linear_at or {}
    raw = [_fitted(name, by_size(points), at.get(name, 1.0)) for name, points in candidates.items()]
    fitted = [one for one in raw if one.power is not None]
    linear, unlike = (holm([getattr(one, name) for one in fitted]) for name in ("p_linear", "p_unlike"))
    bent = holm([one.curvature.p for one in fitted if one.curvature])
    corrected = {one.name: ps for one, ps in zip(fitted, zip(linear, unlike, bent))}
    return tuple(_judged(one, *corrected[one.name]) if one.name in corrected else one for one in raw)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for how many there are (Holm 1979): the chance of any false finding is kept below α."""
    order = np.argsort(p_values)
    steps = np.maximum.accumulate([(len(order) - rank) * p_values[place] for rank, place in enumerate(order)] or [0.0])
    found = np.ones(len(order))
    found[order] = np.minimum(steps, 1.0)[: len(order)]
    return found.tolist()


def table(found: Sequence[Fit]) -> Table:
    """One row a fit, with everything that its verdict hangs on."""
    return Table.of(
        {
            "fit": one.name,
            "sizes": len(one.sizes),
            "bounds": int((~one.sizes.reached).sum()),
            "exponent": one.power.exponent if one.power else None,
            "95 %": str(one.interval) if one.interval else None,
            "95 %, equal noise": str(one.power.likely()) if one.power else None,
            "95 %, bootstrap": str(bootstrap(one.power, 0)) if one.power else None,
            "p linear (Holm)": one.p_linear if one.power else None,
            "p curved": one.curvature.p if one.curvature else None,
            "local": [f"{end:.2f}" for end in one.curvature.local] if one.curvature else None,
            "AICc over exponential": one.over_exponential if one.power else None,
            "verdict": one.verdict,
            "why": one.why,
        }
        for one in found
    )


def _fitted(name: str, sizes: Sizes, linear_at: float) -> Fit:
    if lack := _lack(sizes):
        return Fit(name, sizes, linear_at, why=lack)
    power = Power(sizes)
    try:
        return Fit(
            name,
            sizes,
            linear_at,
            power=power,
            interval=power.interval(),
            curvature=curvature(power),
            over_exponential=power_over_exponential(power),
            p_linear=power.p_value(linear_at),
            p_unlike=power.p_outside(linear_at - NEAR, linear_at + NEAR),
        )
    except NotFitted as error:
        return Fit(name, sizes, linear_at, why=str(error))


def _lack(sizes: Sizes) -> str:
    reached = int(sizes.reached.sum())
    if len(sizes) < SIZES or reached < REACHED:
        return f"{len(sizes)} sizes, {reached} of them reached; expected at least {SIZES} and {REACHED}"
    if sizes.range < RANGE:
        return f"sizes over a factor of {sizes.range:.3g}; expected at least {RANGE:g}"
    return ""


def _judged(one: Fit, p_linear: float, p_unlike: float, p_bent: float) -> Fit:
    verdict, why = _word(one, p_linear, p_unlike, p_bent)
    return Fit(
        one.name,
        one.sizes,
        one.linear_at,
        verdict,
        why,
        one.power,
        one.interval,
        one.curvature,
        one.over_exponential,
        p_linear,
        p_unlike,
    )


def _word(one: Fit, p_linear: float, p_unlike: float, p_bent: float) -> tuple[str, str]:
    assert one.power is not None and one.curvature is not None
    low, high = one.curvature.local
    bend = f"the local exponent runs from {low:.2f} to {high:.2f} (p = {one.curvature.p:.2g})"
    if p_bent < ALPHA or (one.over_exponential < -CLEARLY and one.curvature.p < ALPHA):
        better = ", an exponential fits better" if one.over_exponential < 0 else ""
        return NOT_POWER, bend + better
    if one.curvature.p < ALPHA:
        return UNDECIDED, f"it may be bent: {bend}"
    if one.over_exponential < 0:
        return UNDECIDED, f"an exponential fits no worse (AICc {-one.over_exponential:.1f} lower)"
    if p_linear < ALPHA:
        below = one.power.exponent < one.linear_at
        return (SUBLINEAR if below else SUPERLINEAR), f"{one.linear_at:g} is excluded (p = {p_linear:.2g}, corrected)"
    if p_unlike < ALPHA:
        return LINEAR, f"within {NEAR} of {one.linear_at:g} (p = {p_unlike:.2g}, corrected)"
    return UNDECIDED, f"{one.linear_at:g} is not excluded, nor anything within {NEAR} of it shown"
