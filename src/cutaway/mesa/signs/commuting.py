"""Do the hat matrices of different layers commute, as polynomials of one matrix do?"""

from __future__ import annotations

from cutaway.mesa.hats import Hats
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def commuting(watched: Watched) -> Reading:
    """1 − the commutator of each live layer's hat matrix with the last one's, over what it would be were both products orthogonal.

    The mean over layers before the last; 1 where none of them is live, 0 where labels do nothing. Null: with the last matrix of
    another context.
    """
    hats = watched.hats
    live = [layer for layer in range(1, watched.depth) if watched.live[layer]]
    if float(hats[-1].square().sum((-1, -2)).mean()) < 1e-8:
        return Reading(0.0)
    course = [_commuting(hats[layer], hats[-1]) for layer in live]
    null = [_commuting(hats[layer], hats[-1].roll(1, 0)) for layer in live]
    return Reading(_mean(course), (_mean(null),), tuple(course))


def _commuting(one: Hats, other: Hats) -> float:
    there, back = one @ other, other @ one
    apart, whole = (there - back).square().sum(), there.square().sum() + back.square().sum()
    return 1 - float((apart / whole.clamp(min=1e-24)).sqrt())


def _mean(course: list[float]) -> float:
    return sum(course) / len(course) if course else 1.0


COMMUTING = Sign(
    "hat commutation", "do the hat matrices of layers commute?", frozenset({"lens", "labels"}), commuting, moves=False
)
