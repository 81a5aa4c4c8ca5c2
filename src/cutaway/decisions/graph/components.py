"""Parameter components: rank-one parts of the matrix with which a part writes, as features of what the part reads.

W = Σ_c r_c w_cᵀ + rest: component c adds (x · r_c) w_c, where x are the neurons of an MLP or the heads of attention. The
first singular ones are a default; any rank-one parts do (Braun et al. 2025, arXiv 2501.14926, learn such), and what they
leave over of the matrix is the rest of the part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.graph.split import matrix
from cutaway.network import Network, Site
from cutaway.submodels.decomposition import OfSite


@dataclass(frozen=True, eq=False)
class Components(OfSite):
    """Rank-one parts of the matrix between `site` (`mlp_act.2` or `z.2`) and the stream, a `Decomposition`.

    `read` are rows over the neurons (the heads' channels side by side), `write` rows over the stream. Raises ValueError for
    rows that do not match.
    """

    read: Float[Tensor, "components inner"]
    write: Float[Tensor, "components width"]
    label: str = "component"

    def __post_init__(self) -> None:
        if self.site.point not in ("mlp_act", "z") or self.site.select:
            raise ValueError(f"components of {self.site}; expected what a matrix takes to the stream: mlp_act.2 or z.2")
        if self.read.ndim != 2 or self.write.ndim != 2 or len(self.read) != len(self.write):
            raise ValueError(
                f"read is {tuple(self.read.shape)} and write {tuple(self.write.shape)}; expected rows, as many of each"
            )

    @property
    def name(self) -> str:
        return f"{self.label}@{self.site}"

    @property
    def writes(self) -> tuple[Site, ...]:
        return (Site("attn_out" if self.site.point == "z" else "mlp_out", self.site.layer),)

    @property
    def atoms(self) -> int:
        return len(self.read)

    @cached_property
    def parts(self) -> Mapping[str, Sequence[int]]:
        return {f"{self.name}:{atom}": (atom,) for atom in range(self.atoms)}

    def encode(self, h: Mapping[Site, Tensor]) -> Float[Tensor, "*lead components"]:
        """How strongly each component is driven."""
        x = h[self.site]
        return (x.flatten(-2) if self.site.point == "z" else x) @ self.read.to(x).T

    def decode(self, code: Float[Tensor, "*lead components"], site: Site) -> Tensor:
        """What the components write."""
        return code @ self.write.to(code)

    def weight_edit(self, net: Network, part: str) -> dict[str, Tensor] | None:
        """None: subtract the component from the matrix yourself where its module is known."""
        return None

    def describe(self) -> dict[str, Any]:
        return {"kind": "components", "site": str(self.site), "label": self.label}

    def tensors(self) -> dict[str, Tensor]:
        return {"read": self.read, "write": self.write}


def components(net: Network, site: Site | str, count: int, label: str = "component") -> Components:
    """The `count` largest singular components of the matrix that reads `site`. Raises ValueError where there is none.

    `components(net, "mlp_act.2", 4).parts` are `component@mlp_act.2:0` … `:3`.
    """
    site = Site.parse(site)
    port = net.port(site)
    name = net.layout.projections.get(site.layer or 0) if site.point == "z" else port.module
    if name is None or (site.point != "z" and port.side != "in"):
        raise ValueError(f"no matrix was seen to read {site} alone; give Components rows of your own")
    u, size, v = torch.linalg.svd(matrix(net.wiring.modules[name]).detach().double(), full_matrices=False)
    if not 1 <= count <= len(size):
        raise ValueError(f"{count} components of a matrix of rank {len(size)}; expected 1 to {len(size)}")
    return Components(site, (u[:, :count] * size[:count]).T.contiguous(), v[:count].contiguous(), label)
