"""How many steps an unequal course amounts to."""

from __future__ import annotations

from collections.abc import Sequence


def participation(gains: Sequence[float], least: float = 0.05) -> float:
    """k where k gains are equal and the others 0; 0 where all together are below `least`. Losses count as 0."""
    kept = [max(0.0, gain) for gain in gains]
    total, squares = sum(kept), sum(gain * gain for gain in kept)
    return total * total / squares if total > least else 0.0
