"""Hat matrices: how what is read at each point of a context after each layer changes with each label.

H_l[i, j] = ∂f_l(x_i) / ∂y_j, by moving one label at a time up and down. Needs neither a kernel nor coordinates of the points, so
it carries to language models. What an iterative method has done by layer l is a polynomial of one symmetric matrix: its hat
matrices are symmetric, commute, and change their shape. Source: Hastie & Tibshirani 1990, "Generalized Additive Models".
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.lens import Lens
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import Subject, states

MOVED = 0.1
"""By which share of the labels' standard deviation one is moved."""

RUNS = 512
"""About so many problems are run."""

Hats = Float[Tensor, "layer prompt point label"]


def hats(subject: Subject, lens: Lens, prompts: Prompts) -> Hats:
    """The hat matrices of the first few held problems after 0, 1, …, depth layers."""
    count = max(4, min(prompts.count, RUNS // (2 * prompts.points)))
    few = prompts.take(slice(0, count))
    size = MOVED * max(float(few.ys.double().std(correction=0)), 1e-6)
    moves = size * torch.eye(prompts.points, dtype=few.ys.dtype)
    up, down = (_moved(few, sign * moves) for sign in (1, -1))
    xs, answers = torch.cat([up.xs, down.xs]), torch.cat([up.answers, down.answers])
    both = Prompts(xs, torch.cat([up.ys, down.ys]), xs, answers)
    read = lens.course(states(subject, both)).unflatten(1, (2, count, prompts.points))
    return ((read[:, 0] - read[:, 1]) / (2 * size)).clamp(-1e6, 1e6).transpose(-1, -2)


def alike(one: Hats, other: Hats) -> Float[Tensor, "..."]:
    """The cosine between matrices: 0 where one of them is nothing."""
    sizes = one.square().sum((-1, -2)).sqrt() * other.square().sum((-1, -2)).sqrt()
    return torch.where(sizes > 1e-8, (one * other).sum((-1, -2)) / sizes.clamp(min=1e-300), 0.0)


def _moved(prompts: Prompts, moves: Float[Tensor, "label point"]) -> Prompts:
    """Every problem once for each label that is moved, asked at its points."""
    xs = prompts.xs.repeat_interleave(prompts.points, 0)
    ys = (prompts.ys.unsqueeze(1) + moves).flatten(0, 1)
    return Prompts(xs, ys, xs, torch.zeros_like(ys))
