"""Where along a dial, or a run, one thing gives way to another: where a difference changes sign, and where a label flips.

The dial is that of task diversity (Raventós et al. 2023, arXiv 2306.15063): a measured distance crosses at a point, as it can be
interpolated; a label only flips between two neighbouring settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Flip:
    """A label that is not the same at two neighbouring places; `forward` where a no becomes a yes."""

    after: float
    before: float
    forward: bool

    @property
    def middle(self) -> float:
        """Half way between the two places."""
        return (self.after + self.before) / 2


def flips(places: Sequence[float], said: Sequence[bool]) -> tuple[Flip, ...]:
    """Every change of a yes or no along rising places."""
    _check(places, said)
    steps = pairwise(zip(places, said, strict=True))
    return tuple(Flip(after, before, now) for (after, was), (before, now) in steps if was != now)


def crossings(places: Sequence[float], differences: Sequence[float]) -> tuple[float, ...]:
    """Every place where a difference is 0 on its way from one sign to the other, by straight lines between rising places."""
    _check(places, differences)
    steps = pairwise(zip(places, differences, strict=True))
    return tuple(p + (q - p) * d / (d - e) for (p, d), (q, e) in steps if (d > 0) != (e > 0))


def there_and_back(said: Sequence[bool]) -> bool:
    """Whether a no becomes a yes and, in the end, a no again: flips forward, then back."""
    return any(said) and not said[0] and not said[-1]


def _check(places: Sequence[float], values: Sequence[float]) -> None:
    if len(places) != len(values) or any(p >= q for p, q in pairwise(places)):
        raise ValueError(
            f"{len(values)} values at the places {list(places)}; expected as many of each, the places rising"
        )
