"""Where a zoo draws its networks from: the sizes of problems and of networks. Two zoos of disjoint regions share no setting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """What may be drawn: every number from the list of its name; `rates` bounds a rate's share of the largest stable one."""

    name: str
    dims: tuple[int, ...]
    points: tuple[float, ...]
    depths: tuple[int, ...]
    noises: tuple[float, ...]
    conditions: tuple[float, ...]
    rates: tuple[float, float]
    pools: tuple[int, ...]
    extras: tuple[int, ...]
    spares: tuple[int, ...]


KNOWN = Region(
    "thresholds",
    dims=(4, 6),
    points=(3.0, 4.0),
    depths=(4, 6, 8, 10),
    noises=(0.05, 0.1, 0.2),
    conditions=(1.0, 4.0),
    rates=(0.35, 0.75),
    pools=(4, 16, 32),
    extras=(0, 16, 32),
    spares=(0, 6),
)
"""What thresholds are chosen on. `points` are in units of the dimension."""

UNSEEN = Region(
    "blind",
    dims=(3, 5, 8),
    points=(2.5, 3.5, 5.0),
    depths=(3, 5, 7, 9, 12),
    noises=(0.02, 0.15, 0.3),
    conditions=(2.0, 8.0),
    rates=(0.3, 0.8),
    pools=(3, 8, 24, 48),
    extras=(5, 24, 48),
    spares=(0, 4, 9),
)
"""What the blind zoo is drawn from: other values throughout, rates from a wider range."""
