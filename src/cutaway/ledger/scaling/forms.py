"""Whether it is a power law at all: a test for curvature in log–log, and the exponential held against it by AICc.

A start-up cost, a sparsity that does not grow with the network or a cap bends the line; a straight fit then has a narrow
interval around an exponent that means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from cutaway.ledger.scaling.censored import Line, fit
from cutaway.ledger.scaling.points import Sizes
from cutaway.ledger.scaling.power import Power, t_squared


@dataclass(frozen=True)
class Curvature:
    """The quadratic term in log–log. local: the exponent at the smallest and at the largest size that it implies."""

    term: float
    p: float
    local: tuple[float, float]


def curvature(power: Power) -> Curvature:
    """The test that the quadratic term is 0. Raises NotFitted with fewer than four sizes that were reached."""
    sizes = power.sizes
    middle = sizes.x.mean()
    centred = sizes.x - middle
    bent = fit(np.column_stack([np.ones_like(centred), centred, centred**2]), sizes.y, sizes.reached)
    count = int(sizes.reached.sum())
    t2 = t_squared(bent, power.line, count, count - 3)
    slope, term = bent.coefficients[1:]
    low, high = (float(slope + 2 * term * end) for end in (centred[0], centred[-1]))
    return Curvature(float(term), float(2 * student.sf(np.sqrt(t2), count - 3)), (low, high))


def exponential(sizes: Sizes) -> Line:
    """log cost = a + c · size."""
    x = np.exp(sizes.x - sizes.x.max())
    return fit(np.column_stack([np.ones_like(x), x]), sizes.y, sizes.reached)


def power_over_exponential(power: Power) -> float:
    """AICc (Hurvich and Tsai 1989) of the exponential less that of the power law: above 0 the power law is better, below the
    exponential is. Both have as many parameters, so that the corrections cancel."""
    return float(2 * (power.line.log_likelihood - exponential(power.sizes).log_likelihood))
