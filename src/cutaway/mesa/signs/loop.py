"""Does running a layer twice help? A sign that failed: right of constructions, wrong of networks trained end to end."""

from __future__ import annotations

from math import log

from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def loop(watched: Watched) -> Reading:
    """The mean over layers of the logarithm of the final error before over that after the layer is run twice."""
    error = watched.final_error(watched.final)
    course = []
    for layer in range(watched.depth):
        twice = watched.subject.run(watched.states[layer + 1], layer, layer + 1)
        course.append(log(error / watched.final_error(watched.subject.finish(twice, layer + 1))))
    return Reading(sum(course) / len(course), (0.0,), tuple(course))


LOOP = Sign("loop a layer", "does running a layer twice help?", frozenset({"write"}), loop, verdict=False)
