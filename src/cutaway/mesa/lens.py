"""What each state of a network already knows of its final answer.

The lens of a layer is the affine map from a query's row to the network's *own final* answer, fitted on other problems (a tuned
lens: Belrose et al. 2023, arXiv 2303.08112). It never sees the truth. As it has a free gain, an answer that was finished at once
and only faded in over the layers is read as finished from the first layer on.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.least_squares import affine, finite
from cutaway.mesa.subject import State


@dataclass(frozen=True)
class Lens:
    """Affine maps from a query's row to the final answer, one a layer (0: before the first)."""

    maps: Float[Tensor, "layer width"]
    offsets: Float[Tensor, "layer"]

    @classmethod
    def fitted(cls, seen: list[State], final: Float[Tensor, "prompt query"]) -> Lens:
        """Least squares, of smallest norm where the rows span fewer dimensions than the stream has."""
        maps, offsets = zip(*(affine(state.asked.flatten(0, 1), final.flatten()) for state in seen), strict=True)
        return cls(torch.stack(maps), torch.stack(offsets))

    def read(self, state: State, layer: int) -> Float[Tensor, "prompt query"]:
        """What the network's answer would be, as far as it is known after `layer` layers; in float64."""
        return finite(finite(state.asked) @ self.maps[layer] + self.offsets[layer])

    def course(self, seen: list[State]) -> Float[Tensor, "layer prompt query"]:
        """What is read after 0, 1, … layers."""
        return torch.stack([self.read(state, layer) for layer, state in enumerate(seen)])
