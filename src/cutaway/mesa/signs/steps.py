"""How many steps of gradient descent would have come as far as each layer? Source: Fu et al. 2023 (arXiv 2310.17086).

The ruler is gradient descent of one small rate, to which momentum, Newton's method and conjugate gradients are compared alike.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.least_squares import agreement
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched

RATE = 0.3
"""In units of 1 / the mean eigenvalue of XᵀX/n."""

GRID = [*range(1, 12), *(round(12 * 1.25**power) for power in range(20))]
"""Numbers of steps that are tried."""


def steps(watched: Watched) -> Reading:
    """Gradient steps that the last layer's reading is worth; its course: those of every layer (0: none fits half its variance)."""
    paths = descended(watched.prompts)
    course = [float(_nearest(reading, paths)) for reading in watched.readings[1:]]
    return Reading(course[-1], (), tuple(course))


def descended(prompts: Prompts) -> Float[Tensor, "steps prompt query"]:
    """Answers of gradient descent from 0 after each number of steps of the grid, in closed form."""
    xs, ys = prompts.xs.double(), prompts.ys.double()
    values, vectors = torch.linalg.eigh(torch.einsum("pnd,pne->pde", xs, xs) / prompts.points)
    values = values.clamp(min=1e-9)
    rate = RATE / float(values.mean())
    moment = torch.einsum("pnd,pn,pdk->pk", xs, ys, vectors) / prompts.points
    asked = torch.einsum("pqd,pdk->pqk", prompts.queries.double(), vectors)
    done = torch.stack([(1 - (1 - rate * values).clamp(min=-1) ** count) / values for count in GRID])
    return torch.einsum("spk,pk,pqk->spq", done, moment, asked)


def _nearest(reading: Tensor, paths: Tensor) -> int:
    fits = [agreement(reading, path) for path in paths]
    best = max(range(len(GRID)), key=fits.__getitem__)
    return GRID[best] if fits[best] > 0.5 else 0


STEPS = Sign(
    "gradient steps", "how many gradient steps is each layer worth?", frozenset({"lens"}), steps, verdict=False
)
