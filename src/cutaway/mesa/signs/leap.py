"""Given the first step's result, could a single layer have given the answer?

A solver in stages gathers first and solves later: no layer has the answer alone, yet one has it on what the first gathered. Here
each later layer acts on the state after the first that heeds the labels, with what the layers between add to any problem alike (a
count of layers) but nothing that they found out about this one. The final answer is explained by what all of them then know, singly
and side by side, and by every polynomial of the data of a degree that one of them has. An iteration leaves something over: three
steps cannot be had from two. Noise does as well, so that the sign is necessary, and strong for exact networks only.
"""

from __future__ import annotations

from math import log10

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.forms import columns, form
from cutaway.mesa.least_squares import affine, finite, spread
from cutaway.mesa.lens import Lens
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.subject import State
from cutaway.mesa.watched import Watched

FLOOR = 1e-12
"""A share below this is rounding."""

SLACK = 1e-4
"""A degree counts where it lowers the share that is unexplained by more than this."""


def leap(watched: Watched) -> Reading:
    """log₁₀ of the share of the final answers' variance that neither single layers nor polynomials of their degree explain.

    Null: −12, as where one layer has it all. Course: the degree of what each layer knows.
    """
    fit, held = _known(watched)
    degrees = form(watched.form.kernel, watched.fitting, fit, watched.prompts, held).degrees(slack=SLACK)
    rows, asked = (
        torch.cat([columns(watched.form.kernel, watched.fitting, prompts, max(degrees)), known.flatten(1).T], 1)
        for prompts, known in ((watched.fitting, fit), (watched.prompts, held))
    )
    sizes = rows.square().mean(0).sqrt().clamp(min=1e-12)
    slope, offset = affine(rows / sizes, watched.subject.answer(watched.fit_states[-1]).flatten())
    left = watched.final.double().flatten() - (asked / sizes @ slope + offset)
    share = spread(left) / max(spread(watched.final), 1e-12)
    return Reading(log10(min(max(share, FLOOR), 1.0)), (log10(FLOOR),), tuple(float(each) for each in degrees))


def _known(watched: Watched) -> tuple[Tensor, Tensor]:
    """What is read of each layer alone, of the first that heeds, and of those after, acting on its state."""
    first = _first(watched)
    fit, held = [watched.alone[0], watched.fit_readings[first, None]], [watched.alone[1], watched.readings[first, None]]
    if first < watched.depth:
        aim = watched.subject.answer(watched.fit_states[-1])
        acted, asked = (_acting(watched, states, first) for states in (watched.fit_states, watched.states))
        lens = Lens.fitted(acted, aim)
        beside = ((watched.fit_states[first], *acted), (watched.states[first], *asked))
        rows, others = (torch.cat([finite(state.asked) for state in states], -1) for states in beside)
        slope, offset = affine(rows.flatten(0, 1), aim.flatten())
        fit += [lens.course(acted), (rows @ slope + offset)[None]]
        held += [lens.course(asked), (others @ slope + offset)[None]]
    return torch.cat(fit), torch.cat(held)


def _first(watched: Watched) -> int:
    """The first layer whose reading depends on the labels; where none has a form, the first live one."""
    formed, live = watched.form.degrees()[1:], watched.live[1:]
    heeding = [degree > 0 for degree in formed] if any(formed) else live
    return 1 + heeding.index(True) if any(heeding) else watched.depth


def _acting(watched: Watched, states: list[State], first: int) -> list[State]:
    """What each layer after `first` makes of the state after it, with what those between add alike."""
    begun = states[first]
    return [
        watched.subject.run(begun.having(begun.stream + _alike(watched, first, layer)), layer, layer + 1)
        for layer in range(first, watched.depth)
    ]


def _alike(watched: Watched, first: int, layer: int) -> Float[Tensor, "token width"]:
    """What the layers between add to the tokens of a kind in the mean over problems."""
    before, after = watched.fit_states[first], watched.fit_states[layer]
    added, tokens = (finite(after.stream) - finite(before.stream)).mean(0), after.tokens
    for kind in (tokens.point, tokens.query):
        added[kind] = added[kind].mean(0)
    return added.to(before.stream.dtype)


LEAP = Sign("beyond a leap", "is it more than one layer makes of the first step?", frozenset({"lens", "write"}), leap)
