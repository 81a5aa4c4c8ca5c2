"""Least squares in float64 that stay finite where the regressors are degenerate, and turn with any rotation of them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def affine(rows: Float[Tensor, "row width"], aims: Float[Tensor, "row"]) -> tuple[Tensor, Tensor]:
    """The map and offset of smallest norm that take rows to `aims`, in float64.

    Directions in which the rows spread less than rounding does are left out: 1e-9 of the widest, 1e-5 in float32.
    """
    cut = 1e-5 if rows.dtype == torch.float32 else 1e-9
    rows, aims = finite(rows), aims.double()
    middle, aim = rows.mean(0), aims.mean()
    slope = torch.linalg.pinv(rows - middle, rtol=cut) @ (aims - aim)
    return slope, aim - middle @ slope


def coefficients(causes: Float[Tensor, "row cause"], rows: Float[Tensor, "row width"]) -> Float[Tensor, "cause width"]:
    """How rows change with each of their causes, beside a constant; 0 for a cause that never changes."""
    causes = finite(causes) - finite(causes).mean(0)
    sizes = causes.square().mean(0).sqrt()
    scale = torch.where(sizes > 1e-7 * sizes.max().clamp(min=1e-12), 1 / sizes.clamp(min=1e-300), 0.0)
    return torch.linalg.pinv(causes * scale, rtol=1e-7) @ finite(rows) * scale.unsqueeze(-1)


def spread(values: Tensor) -> float:
    """The variance of all values together."""
    return float(values.double().var(correction=0))


def agreement(one: Tensor, other: Tensor) -> float:
    """The squared correlation of two sets of values: 0 where either is constant."""
    one, other = one.double().flatten(), other.double().flatten()
    one, other = one - one.mean(), other - other.mean()
    squares = float(one @ one) * float(other @ other)
    return float(one @ other) ** 2 / squares if squares > 1e-24 else 0.0


def finite(values: Tensor) -> Tensor:
    """In float64, with what overflowed cut at ±1e9 and what is not a number 0."""
    return values.double().nan_to_num(0.0, 1e9, -1e9).clamp(-1e9, 1e9)
