"""How what is read off at one site splits into members that write to the residual stream: heads, neurons, features, a rest.

A split takes the change of its site (stand-in − now) to what each member adds to the stream. Members and rest always sum
to the whole change, so that cutting all of them is cutting the part. `added` weights members by strengths without making
each of them: a head through its columns of the output projection, neurons through their rows of the MLP's last matrix,
features through one decoding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cutaway.network import Site
from cutaway.network.calls import is_matrix

Change = Float[Tensor, "*lead coordinates"]


class Code(Protocol):
    """What features need of a decomposition."""

    @property
    def reads(self) -> tuple[Site, ...]: ...

    @property
    def writes(self) -> tuple[Site, ...]: ...

    @property
    def atoms(self) -> int: ...

    def encode(self, h: Mapping[Site, Tensor]) -> Tensor: ...

    def decode(self, code: Tensor, site: Site) -> Tensor: ...


class Split(Protocol):
    """What is read off at `site`, as members with `names`; `reads` are all sites that their change is made of."""

    @property
    def site(self) -> Site: ...

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def reads(self) -> tuple[Site, ...]: ...

    def change(self, now: Mapping[Site, Tensor], other: Mapping[Site, Tensor]) -> Change:
        """What `added` and `each` are linear in, for the values `other` in the place of `now` at `reads`."""
        ...

    def added(
        self, change: Change, strength: Float[Tensor, "*strengths members"]
    ) -> Float[Tensor, "*broadcast position width"]:
        """The sum over members of strength × what each adds to the stream."""
        ...

    def each(self, change: Change) -> Float[Tensor, "*lead members width"]:
        """What each member adds to the stream."""
        ...

    def written(self, member: int, whole: Tensor | None) -> Float[Tensor, "rows width"] | None:
        """Rows whose span holds whatever the member writes, `whole` being those of the part (None: not known)."""
        ...


@dataclass(frozen=True, eq=False)
class _Tensor:
    """What is read off at one site and nowhere else."""

    site: Site
    names: tuple[str, ...]

    @property
    def reads(self) -> tuple[Site, ...]:
        return (self.site,)

    def change(self, now: Mapping[Site, Tensor], other: Mapping[Site, Tensor]) -> Tensor:
        return other[self.site] - now[self.site]


@dataclass(frozen=True, eq=False)
class Whole(_Tensor):
    """One member: the site is what is written."""

    def added(self, change: Tensor, strength: Tensor) -> Tensor:
        return strength[..., 0, None] * change

    def each(self, change: Tensor) -> Tensor:
        return change[..., None, :]

    def written(self, member: int, whole: Tensor | None) -> Tensor | None:
        return whole


@dataclass(frozen=True, eq=False)
class Heads(_Tensor):
    """The heads of z, [*, head, d_head], each through its columns of the output projection."""

    projection: Float[Tensor, "inner width"] = field(repr=False)

    def added(self, change: Tensor, strength: Tensor) -> Tensor:
        return (strength[..., None] * change).flatten(-2) @ self.projection.to(change)

    def each(self, change: Tensor) -> Tensor:
        columns = self.projection.to(change).unflatten(0, change.shape[-2:])
        heads = torch.bmm(change.flatten(0, -3).transpose(0, 1), columns)  # [head, rows · position, width]
        return heads.transpose(0, 1).unflatten(0, change.shape[:-2])

    def written(self, member: int, whole: Tensor | None) -> Tensor | None:
        return self.projection.unflatten(0, (len(self.names), -1))[member]


@dataclass(frozen=True, eq=False)
class Groups(_Tensor):
    """Groups of the coordinates of a site, each coordinate in one: neurons through the MLP's last matrix, or channels."""

    groups: tuple[tuple[int, ...], ...]
    matrix: Float[Tensor, "coordinates width"] | None = field(default=None, repr=False)

    @cached_property
    def owner(self) -> Int[Tensor, "coordinates"]:
        """Which group each coordinate is in."""
        owner = torch.zeros(sum(map(len, self.groups)), dtype=torch.long)
        for number, group in enumerate(self.groups):
            owner[list(group)] = number
        return owner

    def added(self, change: Tensor, strength: Tensor) -> Tensor:
        weighted = strength[..., self.owner.to(strength.device)] * change
        return weighted if self.matrix is None else weighted @ self.matrix.to(change)

    def each(self, change: Tensor) -> Tensor:
        found = []
        for group in map(list, self.groups):
            if self.matrix is None:
                found.append(torch.zeros_like(change))
                found[-1][..., group] = change[..., group]
            else:
                found.append(change[..., group] @ self.matrix.to(change)[group])
        return torch.stack(found, dim=-2)

    def written(self, member: int, whole: Tensor | None) -> Tensor | None:
        matrix = torch.eye(len(self.owner)) if self.matrix is None else self.matrix
        return matrix[list(self.groups[member])]


@dataclass(frozen=True, eq=False)
class Coded:
    """Parts of decompositions that write at a site, and what they leave over.

    Member k adds f_k(stand-in) − f_k(now), f_k the decoded atoms of the part; the last member is the whole change minus
    the sum of these: for a dictionary its error and the atoms that are no part here. A change is [*, width + atoms].
    """

    site: Site
    names: tuple[str, ...]
    kinds: tuple[Code, ...]
    atoms: tuple[tuple[int, ...], ...]  # of each member but the last, counted over all kinds
    aliases: Mapping[Site, Site] = field(default_factory=dict)  # a kind's name for a site → the graph's

    @property
    def reads(self) -> tuple[Site, ...]:
        others = (self._known(site) for kind in self.kinds for site in kind.reads)
        return tuple(dict.fromkeys([self.site, *others]))

    def _known(self, site: Site) -> Site:
        return self.aliases.get(site, site)

    @cached_property
    def picks(self) -> Float[Tensor, "members atoms"]:
        """1 for the atoms of a member, −1 in the rest for those that some member has."""
        picks = torch.zeros(len(self.names), sum(kind.atoms for kind in self.kinds))
        for member, atoms in enumerate(self.atoms):
            picks[member, list(atoms)] = 1
        picks[-1] = -picks[:-1].sum(0)
        return picks

    def change(self, now: Mapping[Site, Tensor], other: Mapping[Site, Tensor]) -> Tensor:
        whole = other[self.site] - now[self.site]
        codes = [self._code(kind, other) - self._code(kind, now) for kind in self.kinds]
        return torch.cat([whole, *(code.expand(*whole.shape[:-1], -1) for code in codes)], dim=-1)

    def _code(self, kind: Code, values: Mapping[Site, Tensor]) -> Tensor:
        code = kind.encode({site: values[self._known(site)] for site in kind.reads})
        return code.to(values[self.site])

    def _decode(self, code: Tensor) -> Tensor:
        sizes = [kind.atoms for kind in self.kinds]
        parts = [kind.decode(part, kind.writes[0]) for kind, part in zip(self.kinds, code.split(sizes, dim=-1))]
        return torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]

    def _cut(self, change: Tensor) -> tuple[Tensor, Tensor]:
        width = change.shape[-1] - self.picks.shape[1]
        return change[..., :width], change[..., width:]

    def added(self, change: Tensor, strength: Tensor) -> Tensor:
        whole, code = self._cut(change)
        return strength[..., -1:] * whole + self._decode((strength @ self.picks.to(change)) * code)

    def each(self, change: Tensor) -> Tensor:
        whole, code = self._cut(change)
        found = [self._decode(pick * code) for pick in self.picks.to(change)]
        found[-1] = found[-1] + whole
        return torch.stack(found, dim=-2)

    def written(self, member: int, whole: Tensor | None) -> Tensor | None:
        rows = self._decode(torch.diag(self.picks[member].abs())[self.picks[member] != 0])
        if member < len(self.atoms):
            return rows
        return None if whole is None else torch.cat([rows.to(whole), whole])


@dataclass(frozen=True, eq=False)
class Through:
    """Features of what a matrix reads, by what they write behind it."""

    kind: Code
    matrix: Float[Tensor, "inner width"] = field(repr=False)

    @property
    def reads(self) -> tuple[Site, ...]:
        return self.kind.reads

    @property
    def writes(self) -> tuple[Site, ...]:
        return self.kind.writes

    @property
    def atoms(self) -> int:
        return self.kind.atoms

    def encode(self, h: Mapping[Site, Tensor]) -> Tensor:
        return self.kind.encode(h)

    def decode(self, code: Tensor, site: Site) -> Tensor:
        inner = self.kind.decode(code, site)
        return inner @ self.matrix.to(inner)


@torch.no_grad()
def matrix(part: nn.Module) -> Float[Tensor, "inner width"]:
    """What a linear module multiplies by, inputs first: found by feeding it the unit vectors where it is of no known kind."""
    weight = getattr(part, "weight", None)
    if is_matrix(part) and isinstance(weight, Tensor) and weight.is_floating_point():
        return weight.T if isinstance(part, nn.Linear) else weight
    size = next(p for p in part.parameters() if p.ndim == 2).shape[-1]
    units = torch.eye(size, dtype=torch.float32)
    return part(units) - part(torch.zeros_like(units))
