"""What a cost would be at another size: an interval, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from cutaway.ledger.figure import shown
from cutaway.ledger.scaling.censored import fit
from cutaway.ledger.scaling.power import profile, t_squared
from cutaway.ledger.scaling.verdict import NOT_POWER, Fit

REACH = 10.0
"""How far beyond the sizes that were measured, as a factor."""


class Refused(ValueError):
    """An extrapolation that the measurements do not carry."""


@dataclass(frozen=True)
class Extrapolated:
    """The cost of a network of size x, with the interval in which that of a new network of that size would lie, and how far out
    it is."""

    x: float
    value: float
    low: float
    high: float
    beyond: float
    level: float

    def __str__(self) -> str:
        """The value never stands without its interval."""
        out = f"{self.beyond:.3g}× beyond what was measured" if self.beyond > 1 else "within what was measured"
        return f"{shown(self.value)} [{shown(self.low)}, {shown(self.high)}] ({self.level:.0%}; {out})"


def extrapolate(found: Fit, x: float, reach: float = REACH, level: float = 0.95) -> Extrapolated:
    """The cost at size x. The noise of a new size and of a seed of it are in the interval, that a power law holds on is assumed.

    Raises Refused where there is no fit, where it is not a power law or an exponential fits no worse, and for a size more
    than `reach` times beyond the measured ones.
    """
    if found.power is None or found.curvature is None:
        raise Refused(f"{found.name}: no fit to extrapolate: {found.why}")
    if found.verdict == NOT_POWER or found.over_exponential < 0 or found.curvature.p < 0.05:
        raise Refused(f"{found.name}: {found.verdict}: {found.why}; expected a straight line in log–log to extrapolate")
    sizes, power = found.sizes, found.power
    low, high = float(np.exp(sizes.x[0])), float(np.exp(sizes.x[-1]))
    beyond = max(x / high, low / x) if x > 0 else np.inf
    if beyond > reach:
        raise Refused(
            f"{found.name}: given the size {x:.3g}; expected {low / reach:.3g} to {high * reach:.3g}, at most {reach:g} times "
            f"beyond the measured {low:.3g} to {high:.3g}: try networks nearer to it"
        )
    centred = sizes.x - np.log(x)
    line = fit(np.column_stack([np.ones_like(centred), centred]), sizes.y, sizes.reached)
    count, quantile = int(sizes.reached.sum()), float(student.ppf((1 + level) / 2, power.freedom))

    def t2(value: float) -> float:
        held = fit(centred[:, None], sizes.y - value, sizes.reached)
        return t_squared(line, held, count, power.freedom)

    value = float(line.coefficients[0])
    ends = profile(t2, value, float(line.error[0]), quantile)
    of_seeds = sizes.within * (1 - len(sizes) / sizes.networks)  # what a mean over seeds has averaged out
    noise = quantile * np.sqrt(line.sigma**2 * count / power.freedom + of_seeds)
    below, above = (float(np.exp(value + side * np.hypot(end - value, noise))) for side, end in zip((-1, 1), ends))
    return Extrapolated(x, float(np.exp(value)), below, above, float(beyond), level)
