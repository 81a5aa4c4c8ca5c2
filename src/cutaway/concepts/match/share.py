"""A share of decisions, and how well it is known."""

from __future__ import annotations

from dataclasses import dataclass


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
