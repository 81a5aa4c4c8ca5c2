"""Is the loss low between the states before and after a layer? A panel after von Oswald et al. 2023 (arXiv 2212.07677).

They interpolate weights between a trained network and gradient descent; between states any smooth network passes.
"""

from __future__ import annotations

from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def interpolation(watched: Watched) -> Reading:
    """The final error with a layer skipped and with it, averaged, less that from halfway between the two states, over answering 0.

    Mean over layers, each at most ±1; above 0 where the loss between is below the chord.
    """
    error = min(1.0, watched.final_error(watched.final))
    course = []
    for layer in range(watched.depth):
        before, after = watched.states[layer], watched.states[layer + 1]
        half = before.having((before.stream + after.stream) / 2)
        skipped, halfway = (watched.final_error(watched.subject.finish(each, layer + 1)) for each in (before, half))
        course.append((error + min(1.0, skipped)) / 2 - min(1.0, halfway))
    return Reading(sum(course) / len(course), (0.0,), tuple(course))


INTERPOLATION = Sign(
    "interpolation", "is the loss low between two states?", frozenset({"write"}), interpolation, verdict=False
)
