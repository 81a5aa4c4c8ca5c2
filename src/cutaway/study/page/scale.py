"""From numbers to places on the page: scales in percent, heat in eight steps, figures as text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

LEVELS = 7  # steps of heat beside "none": as many as the eye keeps apart


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` as percent of a width, with a margin of 3 on either side."""

    low: float
    high: float

    @staticmethod
    def over(numbers: Iterable[float | None]) -> Scale:
        """The scale that shows all of these and zero; what is unknown or not finite is left out."""
        known = [0.0, *(number for number in numbers if number is not None and math.isfinite(number))]
        low, high = min(known), max(known)
        return Scale(low, high if high > low else low + 1.0)

    def at(self, number: float | None) -> float:
        """Percent from the left; beyond the ends is at the end."""
        if number is None or math.isnan(number):
            return self.zero
        share = (number - self.low) / (self.high - self.low)
        return round(3 + 94 * min(1.0, max(0.0, share)), 2)

    @property
    def zero(self) -> float:
        """Where zero is."""
        return self.at(0.0)


@dataclass(frozen=True)
class Bar:
    """An effect with its interval, in percent: from zero to `x`, whiskers at `low` and `high` (None: no interval)."""

    side: str
    x: float
    left: float
    width: float
    low: float | None
    high: float | None


def bar(scale: Scale, number: float | None, low: float | None = None, high: float | None = None) -> Bar | None:
    """The bar of a number; None where it is unknown."""
    if number is None or not math.isfinite(number):
        return None
    x, zero = scale.at(number), scale.zero
    known = low is not None and high is not None
    ends = (scale.at(low), scale.at(high)) if known else (None, None)
    return Bar(side(number), x, round(min(x, zero), 2), round(abs(x - zero), 2), *ends)


def side(number: float | None) -> str:
    """ "for": taking it away lowers the decision, so it spoke for the answer. "against": it raises it."""
    return "none" if not number or math.isnan(number) else "for" if number < 0 else "against"


def heat(number: float | None, largest: float, signed: bool = True) -> str:
    """The CSS class of a number's heat: f1…f7 (for), a1…a7 (against), n1…n7 (unsigned), or nothing."""
    if not number or not largest or not math.isfinite(number):
        return ""
    level = min(LEVELS, round(LEVELS * abs(number) / largest))
    return f"{side(number)[0] if signed else 'n'}{level}" if level else ""


def figure(number: float | None, signed: bool = False) -> str:
    """Three figures with a real minus sign; "–" for what is unknown."""
    if number is None or math.isnan(number):
        return "–"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    short = f"{abs(number):#.3g}" if 0.001 <= abs(number) < 1000 else f"{abs(number):.3g}"
    sign = "−" if number < 0 else "+" if signed and number > 0 else ""
    return sign + short.rstrip(".")


def percent(number: float | None, digits: int = 0) -> str:
    """A share in percent: whole, or with so many digits behind the point."""
    if number is None or not math.isfinite(number):
        return "–"
    return f"{round(100 * number, digits) + 0.0:.{digits}f}%".replace("-", "−")


def probability(number: float | None) -> str:
    """A p- or q-value: two figures."""
    return "–" if number is None or math.isnan(number) else f"{number:.2g}"
