"""Directions and subspaces of one tensor: difference of means, contrastive, or any given rows.

The code is R h, written back along R (orthonormal), or read by one set of rows and written by another (oblique).
What the rows leave over is the rest. Sources: difference of means and rank-one ablation, Arditi et al. 2024
(arXiv 2406.11717); oblique projection by generalised eigenvectors, the contrastive formula of docs/guides/submodels.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.network import Network, Site
from cutaway.submodels.decomposition import OfSite


@dataclass(frozen=True, eq=False)
class Directions(OfSite):
    """A subspace at `site`: atom i is read by row i of `read` and written along row i of `write` (last axis of the tensor).

    `write=None` writes along `read`, whose rows must then be orthonormal. Raises ValueError for rows that are not.
    """

    read: Float[Tensor, "atoms width"]
    write: Float[Tensor, "atoms width"] | None = None
    label: str = "direction"

    def __post_init__(self) -> None:
        if self.read.ndim != 2:
            raise ValueError(
                f"directions are rows [atoms, width]; given {tuple(self.read.shape)}: add an axis with x[None]"
            )
        if self.write is not None and self.write.shape != self.read.shape:
            raise ValueError(
                f"read is {tuple(self.read.shape)} and write {tuple(self.write.shape)}; expected one shape"
            )
        gram = self.read.double() @ self.out.double().T
        if float((gram - torch.eye(len(gram), dtype=gram.dtype, device=gram.device)).abs().max()) > 1e-3:
            raise ValueError(
                "read · writeᵀ must be the identity, else a mask of 0 does not remove the code; use orthonormal() or dual rows"
            )

    @property
    def out(self) -> Float[Tensor, "atoms width"]:
        """The rows that are written."""
        return self.read if self.write is None else self.write

    @property
    def name(self) -> str:
        return f"{self.label}@{self.site}"

    @property
    def atoms(self) -> int:
        return len(self.read)

    @cached_property
    def parts(self) -> Mapping[str, Sequence[int]]:
        return {self.name: range(self.atoms)}

    def encode(self, h: Mapping[Site, Tensor]) -> Float[Tensor, "*lead atoms"]:
        """Coordinates along the rows that read."""
        x = h[self.site]
        return x @ self.read.to(x).T

    def decode(self, code: Float[Tensor, "*lead atoms"], site: Site) -> Tensor:
        """The rows that write, times the code."""
        return code @ self.out.to(code)

    def weight_edit(self, net: Network, part: str) -> dict[str, Tensor] | None:
        """W ← W − W P on the matrix that reads the site, P = writeᵀ · read; None where no single matrix reads all of it."""
        port = net.port(self.site)
        if self.site.select or port.side != "in" or port.heads is not None:
            return None
        matrix = net.wiring.modules[port.module]
        weight = getattr(matrix, "weight", None)
        if not isinstance(weight, Tensor) or weight.ndim != 2:
            return None
        projector = self.out.to(weight).T @ self.read.to(weight)
        w = weight.detach()
        edited = w - w @ projector if isinstance(matrix, torch.nn.Linear) else w - projector.T @ w
        return {f"{port.module}.weight": edited}

    def describe(self) -> dict[str, Any]:
        return {"kind": "directions", "site": str(self.site), "label": self.label}

    def tensors(self) -> dict[str, Tensor]:
        kept = {"read": self.read}
        return kept if self.write is None else {**kept, "write": self.write}


def orthonormal(rows: Float[Tensor, "atoms width"]) -> Float[Tensor, "atoms width"]:
    """An orthonormal basis of the span of these rows. Raises ValueError for rows that depend on each other."""
    rank = int(torch.linalg.matrix_rank(rows.double()))
    if rank < len(rows):
        raise ValueError(
            f"{len(rows)} rows span {rank} dimensions, so a basis of {len(rows)} would hold directions of its own; "
            "leave the dependent rows out"
        )
    return torch.linalg.qr(rows.double().T).Q.T.to(rows.dtype)


def difference_of_means(
    site: Site | str, with_it: Tensor, without_it: Tensor, label: str = "difference of means"
) -> Directions:
    """The direction from the mean of `without_it` to the mean of `with_it` (both [..., width], all leading axes averaged)."""
    delta = with_it.flatten(0, -2).mean(0) - without_it.flatten(0, -2).mean(0)
    if float(delta.norm()) == 0:
        raise ValueError(
            "the two sets have the same mean, so there is no direction between them; give sets that differ"
        )
    return Directions(Site.parse(site), (delta / delta.norm())[None], label=label)


def contrastive(
    site: Site | str,
    with_it: Tensor,
    without_it: Tensor,
    rank: int = 1,
    ridge: float = 1e-3,
    label: str = "contrastive",
) -> Directions:
    """The `rank` directions with most second moment in `with_it` for their second moment in `without_it`.

    V are the top generalised eigenvectors of (C₊, M), M = C₋ + λI; read along V and written along MV(VᵀMV)⁻¹, the pattern
    that belongs to the filter V (Haufe et al. 2014): oblique, so that removing them moves `without_it` least. λ is
    `ridge` times the mean eigenvalue of C₋.
    """
    from scipy.linalg import eigh

    more, less = (x.flatten(0, -2).double() for x in (with_it, without_it))
    plus, minus = more.T @ more / len(more), less.T @ less / len(less)
    metric = minus + ridge * minus.diagonal().mean().clamp(min=1e-12) * torch.eye(len(minus), dtype=minus.dtype)
    _, vectors = eigh(plus.numpy(), metric.numpy())
    v = torch.from_numpy(vectors[:, ::-1].copy())[:, :rank]
    write = torch.linalg.solve(v.T @ metric @ v, v.T @ metric)
    return Directions(Site.parse(site), v.T.contiguous().float(), write.float(), label=label)
