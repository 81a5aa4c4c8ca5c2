"""Is the hat matrix symmetric: does point i count for the answer at j as j does for i?"""

from __future__ import annotations

from cutaway.mesa.hats import alike
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def symmetry(watched: Watched) -> Reading:
    """The cosine between the last layer's hat matrix and its transpose; null: with the transpose of another context's."""
    hats = watched.hats
    course = alike(hats, hats.transpose(-1, -2)).mean(1)
    null = alike(hats[-1], hats[-1].roll(1, 0).transpose(-1, -2)).mean()
    return Reading(float(course[-1]), (float(null),), tuple(course.tolist()))


SYMMETRY = Sign("hat symmetry", "is the hat matrix symmetric?", frozenset({"lens", "labels"}), symmetry, moves=False)
