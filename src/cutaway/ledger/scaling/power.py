"""cost ∝ size^exponent: the exponent with its intervals.

Where every size was reached, noise may differ from size to size: HC2 errors (MacKinnon and White 1985) with the degrees
of freedom of Bell and McCaffrey 2002. With bounds the interval is of the profile likelihood, turned so that without
bounds it is Student's t exactly: t² = ν (exp(2 Δℓ / n) - 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student

from cutaway.ledger.scaling.censored import Line, fit
from cutaway.ledger.scaling.points import Sizes

FAR = 1e3
"""Standard errors after which an end of an interval is called infinite."""


@dataclass(frozen=True)
class Interval:
    """The ends, at a level."""

    low: float
    high: float
    level: float = 0.95

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low

    def __contains__(self, value: float) -> bool:
        """Whether a value lies inside, ends included."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"[{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Power:
    """The straight line in log–log."""

    sizes: Sizes

    @cached_property
    def line(self) -> Line:
        """Logarithm of the cost at size 1, and the exponent. Raises NotFitted."""
        return fit(_design(self.sizes.x), self.sizes.y, self.sizes.reached)

    @property
    def exponent(self) -> float:
        """How cost grows."""
        return float(self.line.coefficients[1])

    @property
    def freedom(self) -> int:
        """Degrees of freedom: sizes that were reached, less two."""
        return int(self.sizes.reached.sum()) - 2

    @cached_property
    def _unequal(self) -> tuple[float, float]:
        return hc2(_design(self.sizes.x), self.sizes.y)

    def interval(self, level: float = 0.95) -> Interval:
        """The interval of the exponent: noise may differ from size to size where all were reached; else `likely`."""
        if not self.sizes.reached.all():
            return self.likely(level)
        error, freedom = self._unequal
        half = float(student.ppf((1 + level) / 2, freedom)) * error
        return Interval(self.exponent - half, self.exponent + half, level)

    def likely(self, level: float = 0.95) -> Interval:
        """The interval where noise is normal and equal at all sizes; a bound is a bound. Too narrow if noise grows."""
        quantile = float(student.ppf((1 + level) / 2, self.freedom))
        return Interval(*profile(self._t2, self.exponent, float(self.line.error[1]), quantile), level)

    def p_value(self, exponent: float) -> float:
        """Of the hypothesis that the exponent is this one, two-sided."""
        return 2 * self._tail(exponent)

    def p_outside(self, low: float, high: float) -> float:
        """Of the hypothesis that the exponent is not between these two (two one-sided tests, Schuirmann 1987)."""
        return max(self._tail(low), self._tail(high)) if low < self.exponent < high else 1.0

    def _tail(self, exponent: float) -> float:
        if not self.sizes.reached.all():
            return float(student.sf(np.sqrt(self._t2(exponent)), self.freedom))
        error, freedom = self._unequal
        return float(student.sf(abs(self.exponent - exponent) / max(error, 1e-300), freedom))

    def _t2(self, exponent: float) -> float:
        held = fit(np.ones((len(self.sizes), 1)), self.sizes.y - exponent * self.sizes.x, self.sizes.reached)
        return t_squared(self.line, held, int(self.sizes.reached.sum()), self.freedom)


def t_squared(free: Line, held: Line, count: int, freedom: int) -> float:
    """The square of the t statistic that the loss in likelihood amounts to."""
    return freedom * float(np.expm1(min(2 * max(free.log_likelihood - held.log_likelihood, 0.0) / count, 700.0)))


def profile(t2: Callable[[float], float], best: float, error: float, quantile: float) -> tuple[float, float]:
    """Where t² reaches its quantile on both sides of the best value; infinite where it never does."""
    ends = []
    for side in (-1, 1):
        step = max(error, 1e-9) * quantile
        while t2(best + side * step) < quantile**2 and step < FAR * max(error, 1e-9) * quantile:
            step *= 2
        outside = best + side * step
        reached = t2(outside) >= quantile**2
        ends.append(
            float(brentq(lambda value: t2(value) - quantile**2, best, outside, xtol=1e-8)) if reached else side * np.inf
        )
    return min(ends), max(ends)


def hc2(design: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The standard error of the last coefficient under unequal noise, and its degrees of freedom."""
    inverse = np.linalg.inv(design.T @ design)
    hat = design @ inverse @ design.T
    rest = np.eye(len(y)) - hat
    weight = (inverse @ design.T)[-1] / np.sqrt(np.maximum(1 - np.diag(hat), 1e-12))
    spread = rest * weight[None, :]
    gram = spread.T @ spread
    return float(np.sqrt(np.sum((weight * (rest @ y)) ** 2))), float(np.trace(gram) ** 2 / np.sum(gram**2))


def _design(x: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones_like(x), x])
