"""Does the hat matrix change its shape, not only its size, from layer to layer?"""

from __future__ import annotations

from cutaway.mesa.hats import alike
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def shape(watched: Watched) -> Reading:
    """1 − the cosine between a layer's hat matrix and the last one's, mean over layers before it, dead ones as 0.

    0 of what is faded in.
    """
    hats = watched.hats
    if float(hats[-1].square().sum((-1, -2)).mean()) < 1e-8:
        return Reading(0.0)
    apart = 1 - alike(hats[1:-1], hats[-1]).mean(1)
    course = [float(each) if lives else 0.0 for each, lives in zip(apart, watched.live[1:-1], strict=True)]
    return Reading(sum(course) / len(course), (0.0,), tuple(course))


SHAPE = Sign(
    "hat shape growth", "does the hat matrix change its shape?", frozenset({"lens", "labels"}), shape, moves=False
)
