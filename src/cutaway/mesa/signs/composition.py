"""Does the degree come from layers acting on each other's results, or do they have it alone, one by one or side by side?

Each layer is run alone on the state in which nothing has been computed yet, and an affine readout fitted to what it then knows; and
one to what all of them know together. One step of an optimizer, from a blank state, multiplies with the data once; a layer that
solves afresh has its whole degree at once, whatever it blends its solution with, and the mean of several solvers, whose degree is
higher than that of each, is read off them side by side.
"""

from __future__ import annotations

import torch

from cutaway.mesa.forms import form
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def composition(watched: Watched) -> Reading:
    """The final effective degree less the highest of any layer alone, or of all side by side; its course: those, the latter last.

    Null: 0, as where layers have it all alone.
    """
    fit, held = (torch.cat([each, both[None]]) for each, both in zip(watched.alone, watched.side_by_side, strict=True))
    alone = form(watched.form.kernel, watched.fitting, fit, watched.prompts, held).degrees()
    return Reading(float(watched.form.degrees()[-1] - max(alone)), (0.0,), tuple(float(each) for each in alone))


COMPOSITION = Sign(
    "composition", "is the degree more than layers have alone?", frozenset({"lens", "write"}), composition
)
