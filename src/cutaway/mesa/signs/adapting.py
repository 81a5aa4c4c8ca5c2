"""How much of novel problems is solved in the end."""

from __future__ import annotations

from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def adapting(watched: Watched) -> Reading:
    """1 − the final answers' squared error over that of answering 0, at least −1; every in-context learner has it."""
    return Reading(_solved(watched), (_solved(watched.dealt),), tuple((1 - watched.losses).clamp(min=-1).tolist()))


def _solved(watched: Watched) -> float:
    return max(-1.0, 1.0 - watched.final_error(watched.final))


ADAPTING = Sign("adapting", "does it solve problems never seen?", frozenset({"labels"}), adapting)
