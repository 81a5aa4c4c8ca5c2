"""Does the final answer follow when the objective is rewritten between two layers?

New labels, the old ones negated, are written into the states after layer l along the directions that labels have there; the answer
so far stays. A network that went on optimizing moves to the new solution as far as its remaining steps carry; one that had finished
does not move.
"""

from __future__ import annotations

from cutaway.mesa.retention import WRITTEN
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched
from cutaway.mesa.writes import moments

LEAST = 0.25
"""A network that solves less than this of a problem is measured against this much."""


def retarget(watched: Watched) -> Reading:
    """The share of its own way to the new truth that the answer goes, at the middle layer; the course is that of each layer.

    Null: the way towards the truth of labels dealt anew among problems.
    """
    truth = watched.prompts.answers[:WRITTEN].double()
    course = [_moved(watched, layer, truth) for layer in range(1, watched.depth)]
    middle = watched.depth // 2
    null = _moved(watched, middle, truth.roll(1, 0))
    return Reading(course[middle - 1], (null,), tuple(course))


def _moved(watched: Watched, layer: int, truth) -> float:
    few = watched.prompts.take(slice(0, WRITTEN))
    more = -2 * few.ys.double()
    state = watched.writes.labels(watched.first(few.count, layer), layer, more, moments(few, more))
    before = watched.final[: few.count]
    way, square = -2 * truth, float(4 * truth.square().sum())
    moved = float(((watched.subject.finish(state, layer) - before) * way).sum()) / max(square, 1e-12)
    solved = float((before * few.answers).sum() / few.answers.square().sum().clamp(min=1e-12))
    return max(-2.0, min(2.0, moved / max(solved, LEAST)))


RETARGET = Sign(
    "late objective",
    "does the answer follow an objective that is rewritten at mid-depth?",
    frozenset({"lens", "write", "labels"}),
    retarget,
)
