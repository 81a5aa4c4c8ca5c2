"""Does the degree of that polynomial grow from layer to layer?

Degree counts serial products with the data, so no list of algorithms is needed: gradient descent adds at most one a step, Newton's
method doubles. A one-shot solver is of one degree throughout.
"""

from __future__ import annotations

from cutaway.mesa.forms import form
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def degree(watched: Watched) -> Reading:
    """The effective degree at the last layer less that at the first live one.

    Null: answers to labels dealt anew, against polynomials applied to the labels as they were.
    """
    dealt = watched.dealt
    null = form(watched.form.kernel, watched.fitting, dealt.fit_readings, watched.prompts, dealt.readings)
    course = watched.form.degrees()
    return Reading(
        growth(course, watched.live), (growth(null.degrees(), dealt.live),), tuple(float(each) for each in course)
    )


def growth(degrees: list[int], live: list[bool]) -> float:
    """From the first live layer, not counting layer 0, to the last."""
    alive = [each for each, lives in zip(degrees[1:], live[1:], strict=True) if lives]
    return float(alive[-1] - alive[0]) if alive else 0.0


DEGREE = Sign("degree growth", "does each layer multiply with the data once more?", frozenset({"lens"}), degree)
