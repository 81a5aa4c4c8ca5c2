"""Do the answers to problems never seen get better over many layers?

A layer's gain is the logarithm of the error before it over that after it; the sign is the participation ratio of the gains: k
where k layers improve the answer equally and the others do not. A one-shot solver has one live layer, however slowly its answer
is faded in, as the lens has a free gain.
"""

from __future__ import annotations

from itertools import pairwise
from math import log

from cutaway.mesa.participation import participation
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched

FLOOR = 1e-6
"""Relative errors below are taken as this."""


def improving(watched: Watched) -> Reading:
    """How many layers improve the answers to novel problems: 0 for a network that learns nothing from its context."""
    course = _gains(watched)
    return Reading(participation(course), (participation(_gains(watched.dealt)),), tuple(course))


def _gains(watched: Watched) -> list[float]:
    """The logarithm of error before over error after, of every layer, where positive."""
    errors = [max(error, FLOOR) for error in watched.losses.tolist()]
    return [max(0.0, log(before / after)) for before, after in pairwise(errors)]


IMPROVING = Sign(
    "improving layers", "do answers to novel problems improve layer by layer?", frozenset({"lens"}), improving
)
