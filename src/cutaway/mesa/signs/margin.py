"""Do the layers follow an optimizer's iterates more closely than anything that nobody iterates?

Says "some solver in steps", not which: after much training the ridge path fits as well.
"""

from __future__ import annotations

from cutaway.mesa.matches import matched
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def margin(watched: Watched) -> Reading:
    """Powers of ten by which the best optimizer's path leaves less of the readings unexplained than the best null path.

    The course: what the best path of each family of optimizers leaves (base 10). Null: labels dealt anew before the network sees
    them, and not for the paths.
    """
    null = matched(watched.paths, watched.dealt.readings, watched.dealt.live).margin
    return Reading(watched.matches.margin, (null,), tuple(watched.matches.optimizers.values()))


MARGIN = Sign("margin over nulls", "is an optimizer's path nearer than any null's?", frozenset({"lens"}), margin)
