"""How many layers does it take, given a blank state?

The state in which nothing is computed yet is handed to layer l, and the rest is run. With fewer steps left an optimizer comes less
far; one that solves afresh in every layer needs only its last, one that had solved at the start only its first.
"""

from __future__ import annotations

from itertools import pairwise
from math import log

from cutaway.mesa.least_squares import agreement
from cutaway.mesa.participation import participation
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def restart(watched: Watched) -> Reading:
    """How many layers share in what the squared correlation of answers with the truth gains, each with one layer more to run."""
    course = _left(watched)
    return Reading(_spread(course), (_spread(_left(watched.dealt)),), tuple(course))


def _left(watched: Watched) -> list[float]:
    """1 − the squared correlation with the truth from a blank state handed to the last layer, the one before, …, the first."""
    blank = watched.states[0]
    runs = (watched.subject.finish(blank, layer) for layer in range(watched.depth, -1, -1))
    return [max(1 - agreement(answers, watched.prompts.answers), 1e-6) for answers in runs]


def _spread(left: list[float]) -> float:
    return participation([log(before / after) for before, after in pairwise(left)])


RESTART = Sign("restart", "does a blank state need many layers?", frozenset({"write"}), restart)
