"""A transformer with random weights, never trained; amplified ones write `gain` times as strongly as a fresh one would.

Untrained networks pass for learners by measures of similarity to gradient descent: Deutch et al. 2023 (arXiv 2311.07772).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from cutaway.mesa.reference.transformer import Shape, Transformer


@dataclass(frozen=True)
class RandomNetwork:
    """Softmax or linear attention, with an MLP unless `hidden` is 0, its weights drawn from `seed`."""

    width: int = 32
    heads: int = 4
    hidden: int = 64
    attention: Literal["softmax", "linear"] = "softmax"
    norm: Literal["layer", "rms", "none"] = "layer"
    act: Literal["gelu", "relu"] = "gelu"
    tied: bool = False
    gain: float = 1.0
    seed: int = 0

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Transformer:
        """The network; its weights take no gradient."""
        shape = Shape(
            dim, self.width, self.heads, depth, self.hidden, self.attention, self.norm, self.act, tied=self.tied
        )
        network = Transformer(shape, self.seed).to(dtype).requires_grad_(False).eval()
        for name, weights in network.named_parameters():
            if name.endswith((".out.weight", ".down.weight")):
                weights.mul_(self.gain)
        return network
