"""Is what is written into the iterate forgotten as the curvature says?

A function along an eigenvector of XᵀX/n is added to the iterate after layer l. Gradient descent of rate η keeps (1 − ηλ)^(L−l) of
it: strong directions are corrected, weak ones stay. A finished answer keeps all; a fresh solution nothing; a leak keeps alike in
all directions. Zero also for Newton's method written with an approximate inverse, whose iterate is a matrix.
"""

from __future__ import annotations

from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def retention(watched: Watched) -> Reading:
    """How much more is forgotten where λ is one standard deviation larger, mean over layers; the course: shares kept by layer."""
    kept = watched.retention
    return Reading(float(kept.slopes().mean()), (0.0,), tuple(kept.by_layer().tolist()))


RETENTION = Sign(
    "retention",
    "is a written iterate forgotten as the curvature says?",
    frozenset({"lens", "write"}),
    retention,
    moves=False,
)
