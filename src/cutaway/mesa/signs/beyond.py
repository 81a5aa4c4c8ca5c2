"""How much of the final answer could no layer alone have given?

As `composition`, for networks whose answers have no polynomial form: each layer is run alone on the blank state. An ensemble of
one-shot layers, and random weights, also score: the sign says that layers are needed together, not that they iterate.
"""

from __future__ import annotations

from cutaway.mesa.least_squares import agreement
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def beyond(watched: Watched) -> Reading:
    """The share of the final answers' variance that no single layer explains from a blank state; the course: that of each."""
    course = [1 - agreement(held, watched.final) for held in watched.alone[1]]
    return Reading(min(course), (0.0,), tuple(course))


BEYOND = Sign(
    "beyond one layer", "is the answer more than any layer gives alone?", frozenset({"lens", "write"}), beyond
)
