"""The interval of the exponent by drawing again (Efron 1979), the size being the unit.

Without bounds: the wild bootstrap-t (Wu 1986) with Webb's six weights (2013), which allows unequal noise. With bounds:
costs are drawn from the fitted line, and cut at the bounds where a size has one. Of few sizes it is a little too narrow
(`benchmarks/ledger_scaling.py` measures both): the interval that verdicts rest on is the one of `power.py`.
"""

from __future__ import annotations

import numpy as np

from cutaway.ledger.scaling.censored import NotFitted, fit
from cutaway.ledger.scaling.points import Sizes
from cutaway.ledger.scaling.power import Interval, Power, _design

WEBB = np.sqrt([0.5, 1.0, 1.5])
WILD, DRAWN = 1999, 399


def bootstrap(power: Power, seed: int, level: float = 0.95) -> Interval:
    """The symmetric studentised interval (Hall 1988). The same seed gives the same interval."""
    draw = np.random.default_rng(seed)
    statistics, error = _wild(power.sizes, draw) if power.sizes.reached.all() else _parametric(power, draw)
    half = float(np.quantile(np.abs(statistics), level)) * error
    return Interval(power.exponent - half, power.exponent + half, level)


def _wild(sizes: Sizes, draw: np.random.Generator) -> tuple[np.ndarray, float]:
    design = _design(sizes.x)
    to_line = np.linalg.inv(design.T @ design) @ design.T
    hat = design @ to_line
    rest, slope = np.eye(len(sizes)) - hat, to_line[-1]
    left = np.sqrt(np.maximum(1 - np.diag(hat), 1e-12))
    residuals = rest @ sizes.y / left
    noise = draw.choice(np.concatenate([WEBB, -WEBB]), (WILD, len(sizes))) * residuals
    errors = np.sqrt((((noise @ rest.T) * (slope / left)) ** 2).sum(1))
    error = float(np.sqrt(np.sum((slope * residuals) ** 2)))
    return (noise @ slope) / np.maximum(errors, 1e-300), error


def _parametric(power: Power, draw: np.random.Generator) -> tuple[np.ndarray, float]:
    sizes, line = power.sizes, power.line
    design = _design(sizes.x)
    sigma = line.sigma * np.sqrt(sizes.reached.sum() / max(power.freedom, 1))
    found = []
    for noise in draw.standard_normal((DRAWN, len(sizes))):
        cost = design @ line.coefficients + sigma * noise
        over = ~sizes.reached & (cost >= sizes.y)
        try:
            again = fit(design, np.where(over, sizes.y, cost), ~over)
        except NotFitted:
            continue
        found.append((again.coefficients[1] - line.coefficients[1]) / again.error[1])
    return np.array(found), float(line.error[1])
