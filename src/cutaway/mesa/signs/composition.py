"""Does the degree come from layers acting on each other's results, or could one layer alone have it?

Each layer is run alone on the state in which nothing has been computed yet, and an affine readout fitted to what it then knows. One
step of an optimizer, from a blank state, multiplies with the data once; a layer that solves afresh has its whole degree at once,
whatever it blends its solution with. This is what tells a leaky ridge path from an iteration.
"""

from __future__ import annotations

from cutaway.mesa.forms import form
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def composition(watched: Watched) -> Reading:
    """The final effective degree less the highest that any layer has alone; its course: those. Null: 0, one has all."""
    fit, held = watched.alone
    alone = form(watched.form.kernel, watched.fitting, fit, watched.prompts, held).degrees()
    return Reading(float(watched.form.degrees()[-1] - max(alone)), (0.0,), tuple(float(each) for each in alone))


COMPOSITION = Sign(
    "composition", "is the degree more than any layer has alone?", frozenset({"lens", "write"}), composition
)
