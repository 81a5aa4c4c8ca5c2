"""How many steps of gradient descent each layer's answers are worth: Fu et al. 2023 (arXiv 2310.17086).

They found that the layers of a trained transformer match ever more steps, as second-order iterations do. Each layer is read by the
lens and matched with the number of steps whose predictions are nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.watched import Watched

MOST = 512
"""Steps that are looked at."""


@dataclass(frozen=True)
class Matched:
    """For each layer the number of steps that explains most of its answers (0: none explains half), and the share left over."""

    steps: tuple[int, ...]
    unexplained: tuple[float, ...]

    @property
    def growth(self) -> float:
        """The mean factor by which a layer multiplies the steps, from the first layer that matches any to the most steps."""
        first = next((at for at, steps in enumerate(self.steps) if steps), None)
        if first is None:
            return 1.0
        peak = max(range(len(self.steps)), key=self.steps.__getitem__)
        return (self.steps[peak] / self.steps[first]) ** (1 / (peak - first)) if peak > first else 1.0


@torch.no_grad()
def matched(watched: Watched, rate: float = 0.3, most: int = MOST) -> Matched:
    """GD-equivalent steps after 0, 1, …, depth layers; it takes a rate at which gradient descent converges on the task."""
    path = GradientDescent(rate).path(watched.prompts, most)
    if not path[-1].isfinite().all() or path[-1].square().mean() > 100 * watched.prompts.answers.square().mean():
        raise ValueError(f"gradient descent of rate {rate} diverges on these problems; expected a smaller rate")
    best = torch.stack([_left(reading, path) for reading in watched.readings]).min(1)
    steps = torch.where(best.values < 0.5, best.indices, 0)
    return Matched(tuple(steps.tolist()), tuple(best.values.tolist()))


def _left(
    reading: Float[Tensor, "prompt query"], path: Float[Tensor, "iterate prompt query"]
) -> Float[Tensor, "iterate"]:
    """The share of the reading that no multiple of an iterate explains, as the lens has a free gain; 1 where either is 0."""
    sizes = path.square().sum((1, 2)) * reading.square().sum()
    shared = (path * reading).sum((1, 2)).square()
    return torch.where(sizes > 0, 1 - shared / sizes.clamp(min=1e-30), 1.0)
