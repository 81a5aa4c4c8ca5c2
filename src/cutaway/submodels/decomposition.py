"""What every kind of sub-model has in common.

A decomposition has *atoms*. An atom is one coordinate of a *code*, read at a site by any function and added **linearly**
at one or several write sites:

    a  = encode(h)              {read site: [*, d_in]} -> [*, atoms]
    y  = decode(a) + rest       [*, atoms] -> {write site: [*, d_out]}; rest is what the atoms leave unexplained
    y' = y + decode((m - 1) * (a - a0)) + (m_rest - 1) * rest

`*` is batch × position (batch for an MLP, batch × height × width for a CNN). A mask m of 1 changes nothing, bit for bit;
0 puts the baseline a0 in the atom's place. The rest is itself an atom that can be masked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.network import Edit, Network, Site

Code = Float[Tensor, "*lead atoms"]


@dataclass(frozen=True, eq=False)
class OfSite:
    """What reads one whole site and, if it does not say otherwise, writes there."""

    site: Site

    @property
    def reads(self) -> tuple[Site, ...]:
        return (self.site,)

    @property
    def writes(self) -> tuple[Site, ...]:
        return (self.site,)


@runtime_checkable
class Decomposition(Protocol):
    """One kind of sub-model at one place of a network. A new kind is one file that implements this."""

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> tuple[Site, ...]: ...

    @property
    def writes(self) -> tuple[Site, ...]: ...

    @property
    def atoms(self) -> int:
        """How many coordinates the code has."""
        ...

    @property
    def parts(self) -> Mapping[str, Sequence[int]]:
        """The parts it is used in, by address, each a set of atoms: a head is `d_head` of them."""
        ...

    def encode(self, h: Mapping[Site, Tensor]) -> Code:
        """The code of what passed by at the read sites."""
        ...

    def decode(self, code: Code, site: Site) -> Tensor:
        """What a code adds at a write site. Linear."""
        ...

    def weight_edit(self, net: Network, part: str) -> dict[str, Tensor] | None:
        """Parameters with which the network computes what zeroing `part` computes; None where no weights do that."""
        ...

    def describe(self) -> dict[str, Any]:
        """What `submodels.store` needs to make it again, tensors apart (see `tensors`)."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """The tensors that belong to it (empty for a slice of the network itself)."""
        ...


@dataclass(frozen=True)
class Masked:
    """The one ablator, as a change at a write site: masks `m` on the atoms and `m_rest` on what they leave over.

    `mask` broadcasts against the code [*, atoms]; `baseline` is the code that 0 stands for (a number, or a tensor that
    broadcasts). `rest` only matters where reads and writes are one site, as rest = y − decode(encode(y)).
    """

    decomposition: Decomposition
    site: Site
    mask: Tensor
    baseline: Tensor | float = 0.0
    rest: float | Tensor = 1.0

    def __call__(self, x: Tensor, rows: Tensor, read: Mapping[Site, Tensor]) -> Tensor:
        kind = self.decomposition
        h = {site: (x if site == self.site else read[site]) for site in kind.reads}
        code = kind.encode(h)
        baseline = self.baseline
        if isinstance(baseline, Tensor):
            baseline = baseline.to(code)
            if baseline.ndim == code.ndim and baseline.shape[0] > 1:
                baseline = baseline.index_select(0, rows.to(code.device))
        y = x + kind.decode((self.mask.to(code) - 1) * (code - baseline), self.site)
        if isinstance(self.rest, Tensor) or self.rest != 1.0:
            y = y + (self.rest - 1.0) * (x - kind.decode(code, self.site))
        return y

    def __str__(self) -> str:
        return f"masked {self.decomposition.name}"


def masked(
    decomposition: Decomposition, mask: Tensor, baseline: Tensor | float = 0.0, rest: float | Tensor = 1.0
) -> tuple[Edit, ...]:
    """The edits that put `mask` on a decomposition, one for each write site."""
    reads = decomposition.reads
    return tuple(
        Edit(site, Masked(decomposition, site, mask, baseline, rest), tuple(read for read in reads if read != site))
        for site in decomposition.writes
    )


def mask_without(decomposition: Decomposition, parts: Sequence[str]) -> Float[Tensor, "atoms"]:
    """The mask that is 0 on the atoms of `parts` and 1 elsewhere. Raises KeyError naming near parts."""
    mask = torch.ones(decomposition.atoms)
    for part in parts:
        if part not in decomposition.parts:
            known = list(decomposition.parts)
            raise KeyError(f"{part!r} is no part of {decomposition.name}, which has {known[0]} … {known[-1]}")
        mask[list(decomposition.parts[part])] = 0
    return mask
