"""A subspace of the residual stream between attention and MLP, where no module's output can be written.

What passes there, resid_mid, is the sum of resid_pre and attn_out_post. So its code is read off both, and a new code is
added where attention adds: the skip path and the MLP then see the same stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jaxtyping import Float
from torch import Tensor

from cutaway.network import Network, Site
from cutaway.submodels.directions import Directions

SPANS = ((), (("pos", -1),))


@dataclass(frozen=True, eq=False)
class Midstream:
    """`rows`, directions at `resid_mid.L` or `resid_mid.L[pos=-1]`, as a decomposition that can be written.

    Raises ValueError for another site.
    """

    rows: Directions

    def __post_init__(self) -> None:
        if self.rows.site.point != "resid_mid" or self.rows.site.select not in SPANS:
            raise ValueError(
                f"given directions at {self.rows.site}; expected resid_mid.L or resid_mid.L[pos=-1]; "
                "elsewhere Directions can be written themselves"
            )

    @property
    def name(self) -> str:
        return self.rows.name

    @property
    def reads(self) -> tuple[Site, ...]:
        return (replace(self.rows.site, point="resid_pre"), *self.writes)

    @property
    def writes(self) -> tuple[Site, ...]:
        return (replace(self.rows.site, point="attn_out_post"),)

    @property
    def atoms(self) -> int:
        return self.rows.atoms

    @property
    def parts(self) -> Mapping[str, Sequence[int]]:
        return self.rows.parts

    def encode(self, h: Mapping[Site, Tensor]) -> Float[Tensor, "*lead atoms"]:
        """Coordinates of the sum; of what is read whole the last positions are used, those that are written."""
        before, added = (h[site] for site in self.reads)
        return self.rows.encode({self.rows.site: added + before[:, -added.shape[1] :].to(added)})

    def decode(self, code: Float[Tensor, "*lead atoms"], site: Site) -> Tensor:
        """The rows that write, times the code."""
        return self.rows.decode(code, site)

    def weight_edit(self, net: Network, part: str) -> dict[str, Tensor] | None:
        """None: no single matrix reads all of the stream."""
        return None

    def describe(self) -> dict[str, Any]:
        return {**self.rows.describe(), "kind": "midstream"}

    def tensors(self) -> dict[str, Tensor]:
        return self.rows.tensors()
