"""Module locality: channels, neurons and heads belong to groups by their position, and weights between groups cost.

Source: brain-inspired modular training, Liu et al. 2023 (arXiv 2305.08746), here with groups in place of distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cutaway.dial.pressure.matrices import TABLES, Matrix, matrices
from cutaway.dial.pressure.pressure import Pressure, Step, check_number


@dataclass(frozen=True)
class Locality(Pressure):
    """L1 × `weight` on the block matrices' weights that join two of `groups` equal groups of consecutive places.

    A head is in one group with all its channels; embeddings and unembedding join no groups. The share of weight mass
    between groups in the report is about 1 − 1/groups for weights that know nothing of groups. The term gives small
    weights, not zeros: combine it with `TopK` or `Proximal`. Weight 0 is no pressure.
    """

    groups: int = 4
    weight: float = 1e-4

    def __post_init__(self) -> None:
        check_number("Locality.weight", self.weight)
        if self.groups < 2:
            raise ValueError(f"Locality.groups is {self.groups}; expected at least 2")

    def prepare(self, network: nn.Module, supports: nn.Module) -> None:
        heads = getattr(network, "heads", None)
        if heads is None or heads % self.groups:
            raise ValueError(f"Locality.groups is {self.groups}; expected a divisor of the network's {heads} heads")
        for matrix in matrices(network, TABLES):
            if any(size % self.groups for size in matrix.weight.shape):
                raise ValueError(
                    f"Locality.groups is {self.groups}; {matrix.name} is {tuple(matrix.weight.shape)}, which it must divide"
                )

    def loss(
        self,
        network: nn.Module,
        logits: Float[Tensor, "batch position vocab"],
        batch: Int[Tensor, "batch window"],
        step: Step,
    ) -> Float[Tensor, ""] | None:
        if not self.weight:
            return None
        parts = [(m.weight.abs() * self.between(m)).sum() for m in matrices(network, TABLES)]
        return self.weight * torch.stack(parts).sum()

    def between(self, matrix: Matrix) -> Bool[Tensor, "row column"]:
        """Where a matrix joins two groups."""
        device = matrix.weight.device
        rows, columns = (torch.arange(n, device=device) * self.groups // n for n in matrix.weight.shape)
        return rows[:, None] != columns

    @torch.no_grad()
    def report(self, network: nn.Module) -> dict[str, Any]:
        mass: dict[str, list[float]] = {}
        for matrix in matrices(network, TABLES):
            size = matrix.weight.abs()
            across, whole = mass.setdefault(matrix.kind, [0.0, 0.0])
            mass[matrix.kind] = [across + float((size * self.between(matrix)).sum()), whole + float(size.sum())]
        across, whole = (sum(part[i] for part in mass.values()) for i in (0, 1))
        shares = {kind: part[0] / part[1] if part[1] else 0.0 for kind, part in mass.items()}
        return {"between groups": shares | {"all": across / whole if whole else 0.0}}
