"""Are the strong directions of a context solved before the weak ones?"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.retention import Directions
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched


def curvature(watched: Watched) -> Reading:
    """How much further the stronger half of the directions has come than the weaker one, mean over the layers between.

    Each layer's iterate is compared with the last one, along eigenvectors of XᵀX/n. Null: the eigenvectors of other contexts.
    """
    course = _lead(watched, 0)
    return Reading(_mean(course), (_mean(_lead(watched, 1)),), tuple(course))


def _lead(watched: Watched, shift: int) -> list[float]:
    vectors = Directions.of(watched.prompts.xs).vectors.roll(shift, 1)
    along = torch.einsum("lpd,kpd->lkp", watched.iterates, vectors)
    half = len(vectors) // 2
    if not half:
        return [0.0] * (watched.depth - 1)
    lead = _reached(along[:, -half:]) - _reached(along[:, :half])
    return lead[1:-1].clamp(-2, 2).tolist()


def _reached(along: Float[Tensor, "layer direction prompt"]) -> Float[Tensor, "layer"]:
    """The share of the last layer's coordinate that each has."""
    return (along * along[-1]).sum((1, 2)) / along[-1].square().sum().clamp(min=1e-12)


def _mean(course: list[float]) -> float:
    return sum(course) / len(course)


CURVATURE = Sign(
    "curvature order", "are strong directions solved before weak ones?", frozenset({"lens"}), curvature, moves=False
)
