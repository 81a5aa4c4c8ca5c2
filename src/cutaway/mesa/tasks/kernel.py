"""In-context regression of smooth functions: nearly draws from a Gaussian process with a Gaussian kernel, by random waves.

f(x) = √(2/m) Σ a_j cos(ω_j·x + φ_j) with ω ~ N(0, I / bandwidth²) has that kernel as m grows (Rahimi, Recht 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts


@dataclass(frozen=True)
class Smooth:
    """Functions of `dim` coordinates of which `waves` waves are the sum; x ~ N(0, I), f has variance 1, labels have `noise`.

    The shorter the `bandwidth`, the more points are needed: at 2, 24 points explain most of f in 2 dimensions.
    """

    dim: int = 2
    points: int = 24
    queries: int = 8
    bandwidth: float = 2.0
    noise: float = 0.1
    waves: int = 256

    def __post_init__(self) -> None:
        for name in ("dim", "points", "queries", "waves"):
            if getattr(self, name) < 1:
                raise ValueError(f"Smooth.{name} is {getattr(self, name)}; expected a positive integer")
        if self.bandwidth <= 0 or self.noise < 0:
            raise ValueError(f"bandwidth={self.bandwidth}, noise={self.noise}; expected bandwidth > 0 and noise ≥ 0")

    def draw(self, count: int, seed: int, novel: bool = True) -> Prompts:
        """So many problems, in float64; there is no pool, so that all are novel."""
        generator = torch.Generator().manual_seed(seed)
        places = _normal(generator, count, self.points + self.queries, self.dim)
        values = self._values(generator, places)
        told = values[:, : self.points] + self.noise * _normal(generator, count, self.points)
        return Prompts(places[:, : self.points], told, places[:, self.points :], values[:, self.points :])

    def _values(
        self, generator: torch.Generator, places: Float[Tensor, "prompt place dim"]
    ) -> Float[Tensor, "prompt place"]:
        count = places.shape[0]
        pace = _normal(generator, count, self.waves, self.dim) / self.bandwidth
        phase = torch.rand(count, 1, self.waves, generator=generator, dtype=torch.float64) * 2 * pi
        waves = (torch.einsum("pnd,pwd->pnw", places, pace) + phase).cos()
        return sqrt(2 / self.waves) * torch.einsum("pnw,pw->pn", waves, _normal(generator, count, self.waves))


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
