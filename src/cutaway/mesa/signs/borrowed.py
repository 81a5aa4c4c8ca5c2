"""Does it matter to the last layer whose intermediate result it is given?

What has been computed before the last layer is put under another problem: its own tokens as they were at the start, and on them
what the layers wrote for someone else. An iteration goes on from a wrong iterate and answers wrongly; a layer that solves afresh,
though it may count how many were before it, answers as it would have.
"""

from __future__ import annotations

from math import log10

from cutaway.mesa.least_squares import spread
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched

FLOOR = 1e-6
"""A share below this is none."""


def borrowed(watched: Watched) -> Reading:
    """log₁₀ of the mean squared change of the answers over twice their variance: 0 where they are those of someone else.

    Null: −6, where nothing changes.
    """
    start, before, last = watched.states[0], watched.states[-2], watched.depth
    written = (before.stream - start.stream).roll(1, 0)
    answers = watched.subject.answer(watched.subject.run(before.having(start.stream + written), last - 1, last))
    share = float((answers - watched.final).double().square().mean()) / max(2 * spread(watched.final), 1e-12)
    return Reading(log10(min(max(share, FLOOR), 1 / FLOOR)), (log10(FLOOR),))


BORROWED = Sign(
    "borrowed state", "does it matter whose result the last layer is given?", frozenset({"write"}), borrowed
)
