"""How much of what one part of an input tells about another passes through a code: variation partitioning.

R²(B | A) is the share of the variance of part B's reading that is linear in part A's (the redundancy index of Stewart and Love
1968), freed of what chance gives it: (R² − R²₀) / (1 − R²₀), R²₀ its mean where the parts of different texts are put together
(Peres-Neto et al. 2006, "Variation partitioning of species data matrices"). Texts of one unit (group, pair) move together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

COMPONENTS = 16  # of a part's reading that are looked at, at most
UNITS_EACH = 20  # for each component: what is noise in many components outweighs what is shared in one
SAME = 1e-6  # what of a column of length 1 lies outside others by less is rounding


@dataclass(frozen=True, eq=False)
class Shared:
    """The leading components of each part's reading, row by row, and what they come to where texts are mixed.

    `chance` [parts, rows, rows] is the mean over permutations π of x_π x_πᵀ.
    """

    x: Float[Tensor, "parts rows components"]
    chance: Float[Tensor, "parts rows rows"]

    @staticmethod
    def of(
        x: Float[Tensor, "parts rows width"],
        basis: Float[Tensor, "width components"],
        mixed: Int[Tensor, "permutations rows"],
    ) -> Shared:
        """The components of readings, mixed in these ways."""
        scores = _centred(x @ basis)
        every = scores[:, mixed].movedim(1, 2).flatten(2)  # [parts, rows, permutations · components]
        return Shared(scores, every @ every.mT / len(mixed))

    def take(self, rows: Int[Tensor, "rows"]) -> Shared:
        """Of these rows only."""
        return Shared(_centred(self.x[:, rows]), self.chance[:, rows][:, :, rows])

    @cached_property
    def bases(self) -> Float[Tensor, "parts rows components"]:
        """Orthonormal columns that span each part's components."""
        return orthonormal(self.x)

    def explained(self, part: int, columns: Float[Tensor, "draws rows columns"]) -> Float[Tensor, "draws"]:
        """R² of a part's components by orthonormal columns, freed of chance."""
        x = self.x[part]
        raw = (x.T @ columns).square().sum((1, 2))
        chance = ((self.chance[part] @ columns) * columns).sum((1, 2))
        return (raw - chance) / (x.square().sum() - chance).clamp(min=1e-30)

    @cached_property
    def between(self) -> float:
        """R² of one part's components by another's, the mean over ordered couples of parts."""
        return float(torch.stack([self.explained(b, self.bases[a][None])[0] for a, b in self.couples]).mean())

    @property
    def couples(self) -> list[tuple[int, int]]:
        """The ordered couples of parts."""
        number = range(len(self.x))
        return [(a, b) for a in number for b in number if a != b]

    def mixed(self, ways: Int[Tensor, "permutations rows"]) -> Float[Tensor, "permutations"]:
        """R² between parts, not freed of chance, as it is (first) and where each part but the first is mixed in its own way.

        A couple is mixed in one way, whichever of the two is told: otherwise two mixtures would be averaged, and vary less
        than the one truth.
        """
        same = torch.arange(self.x.shape[1])
        places = [torch.cat([same[None], ways.roll(part, 0)]) for part in range(len(self.x))]
        places[0] = same.expand_as(places[0])
        found = torch.zeros(len(ways) + 1, dtype=torch.double)
        for a, b in self.couples:
            told = torch.einsum("pra,prc->pac", self.bases[a][places[a]], self.x[b][places[b]])
            found += told.square().sum((1, 2)) / self.x[b].square().sum()
        return found / len(self.couples)

    def through(self, codes: Float[Tensor, "draws parts rows rank"]) -> Float[Tensor, "draws"]:
        """The share of the dependence between parts that passes through codes; 0 where there is no dependence.

        1 − Σ (R²(B | A, c) − R²(B | c)) / Σ R²(B | A), sums over ordered couples, c the code's values in A.
        """
        remains = torch.zeros(len(codes), dtype=torch.double)
        for a, b in self.couples:
            c = orthonormal(_centred(codes[:, a]))
            basis = self.bases[a].expand(len(codes), -1, -1)
            outside = orthonormal(c - basis @ (basis.mT @ c))
            both = torch.cat([basis, outside], -1)
            remains += self.explained(b, both) - self.explained(b, c)
        whole = self.between * len(self.couples)
        return 1 - remains / whole if whole > 0 else torch.zeros_like(remains)

    def inside(self, code: Float[Tensor, "parts rows rank"]) -> float:
        """The share of a code's variance that lies in the components, the mean over parts."""
        c = _centred(code)
        found = (self.bases.mT @ c).square().sum((1, 2)) / c.square().sum((1, 2)).clamp(min=1e-30)
        return float(found.mean())


def leading(x: Float[Tensor, "rows width"], units: int) -> Float[Tensor, "width components"]:
    """The directions of most variance, as many as so many units can bear, where each coordinate counts by its own spread.

    A few coordinates of huge activations would otherwise be all that there is.
    """
    spread = x.std(0, correction=0)
    scale = torch.where(spread > 1e-12, 1 / spread, torch.zeros_like(spread))
    scaled = (x - x.mean(0)) * scale
    values, vectors = torch.linalg.eigh(scaled.T @ scaled)
    there = int((values > 1e-10 * values[-1]).sum())
    number = max(1, min(COMPONENTS, units // UNITS_EACH, there))
    return scale[:, None] * vectors[:, -number:]


def mixtures(units: Sequence[Hashable], permutations: int, seed: int) -> Int[Tensor, "permutations rows"]:
    """Ways to mix the rows: whole units trade places with units of as many rows."""
    rows: defaultdict[Hashable, list[int]] = defaultdict(list)
    for row, unit in enumerate(units):
        rows[unit].append(row)
    sizes: defaultdict[int, list[list[int]]] = defaultdict(list)
    for some in rows.values():
        sizes[len(some)].append(some)
    drawn = np.random.default_rng((seed, len(units)))
    found = np.empty((permutations, len(units)), dtype=np.int64)
    for alike in map(np.array, sizes.values()):
        for one in found:
            one[alike] = drawn.permutation(alike)
    return torch.from_numpy(found)


def orthonormal(x: Float[Tensor, "*draws rows columns"]) -> Float[Tensor, "*draws rows columns"]:
    """Orthonormal columns that span those given; what is rounding only becomes 0."""
    scale = x.norm(dim=-2, keepdim=True).amax(-1, keepdim=True).clamp(min=SAME)
    q, r = torch.linalg.qr(x / scale)
    return q * (r.diagonal(dim1=-2, dim2=-1).abs() > SAME)[..., None, :]


def _centred(x: Float[Tensor, "*draws rows columns"]) -> Float[Tensor, "*draws rows columns"]:
    return x - x.mean(-2, keepdim=True)
