"""Does leaving a layer out cost one step, whichever it is? A sign that failed: its figure is in docs/results.md."""

from __future__ import annotations

from math import log

from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def drop(watched: Watched) -> Reading:
    """Minus the mean over layers of the logarithm of the final error without the layer over that with it."""
    error = watched.final_error(watched.final)
    without = (watched.subject.finish(watched.states[layer], layer + 1) for layer in range(watched.depth))
    course = [log(error / watched.final_error(answers)) for answers in without]
    return Reading(sum(course) / len(course), (0.0,), tuple(course))


DROP = Sign("drop a layer", "does leaving a layer out cost one step?", frozenset({"write"}), drop, verdict=False)
