"""Does every live layer lower the loss on the labelled points themselves?"""

from __future__ import annotations

from itertools import pairwise

from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched

LEAST = 0.01
"""A layer counts where it changes the loss by this share of what it was."""

STEPS = 3
"""Fewer layers than this that change the loss count as this many."""


def descent(watched: Watched) -> Reading:
    """Layers that lower the loss on the context less those that raise it, over those that change it (over 3 where fewer do)."""
    losses = _losses(watched)
    return Reading(_share(losses), (_share(_losses(watched.dealt, watched)),), tuple(losses))


def _losses(watched: Watched, truth: Watched | None = None) -> list[float]:
    """The squared error on the labelled points by layer, over that of answering 0, of the median problem."""
    ys = (truth or watched).prompts.ys.double()
    shares = (watched.at_points - ys).square().sum(2) / ys.square().sum(1).clamp(min=1e-12)
    return shares.median(1).values.clamp(max=1e6).tolist()


def _share(losses: list[float]) -> float:
    changes = [(before - after) / max(before, 1e-12) for before, after in pairwise(losses)]
    down = sum(change > LEAST for change in changes)
    up = sum(change < -LEAST for change in changes)
    return (down - up) / max(STEPS, down + up)


DESCENT = Sign("descent", "does every live layer lower the loss on its context?", frozenset({"lens"}), descent)
