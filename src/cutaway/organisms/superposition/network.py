"""More features than dimensions: the toy model of superposition, as one page of torch, and how it is trained.

Features x [feature] are rarely on; they pass through fewer hidden dimensions, h = W x, and come out again as
ReLU(Wᵀh + b). Training weighs the error of each feature by its importance. Sparse features come to share dimensions; the
least important are given up (Elhage et al. 2022, arXiv 2209.10652).
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

FEATURES, HIDDEN = 20, 5
ON = 0.05
"""How often a feature is on; then it is uniform between 0 and 1."""
IMPORTANCE = 0.9
"""The weight of each feature's error, as a share of that of the one before."""
STEPS, BATCH, LR = 2000, 256, 1e-2
INITIAL = 0.3
"""The spread of the first weights."""


class Squeezed(nn.Module):
    """Features in, features out, through a few hidden dimensions: the output of `into`."""

    def __init__(self, weight: Float[Tensor, "hidden feature"], bias: Float[Tensor, "feature"]) -> None:
        super().__init__()
        hidden, features = weight.shape
        self.into = nn.Linear(features, hidden, bias=False)
        self.out = nn.Linear(hidden, features)
        with torch.no_grad():  # trained as one matrix, kept as two, as in any other network
            self.into.weight.copy_(weight)
            self.out.weight.copy_(weight.T)
            self.out.bias.copy_(bias)

    def forward(self, x: Float[Tensor, "row feature"]) -> Float[Tensor, "row feature"]:
        return self.out(self.into(x)).relu()


def drawn(rows: int, draw: torch.Generator) -> Float[Tensor, "row feature"]:
    """Inputs at random, each feature on by itself."""
    on = torch.rand(rows, FEATURES, generator=draw) < ON
    return torch.rand(rows, FEATURES, generator=draw) * on


@torch.enable_grad()
def trained(seed: int, steps: int = STEPS) -> Squeezed:
    """A network from a seed: in evaluation mode, in about 2 CPU seconds; after 0 steps it is untrained."""
    draw = torch.Generator().manual_seed(seed)
    weight = nn.Parameter(INITIAL * torch.randn(HIDDEN, FEATURES, generator=draw))
    bias = nn.Parameter(torch.zeros(FEATURES))
    importance = IMPORTANCE ** torch.arange(FEATURES)
    optimiser = torch.optim.Adam([weight, bias])
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = LR * (1 + math.cos(math.pi * step / steps)) / 2
        x = drawn(BATCH, draw)
        y = F.relu(x @ weight.T @ weight + bias)
        loss = (importance * (x - y).square()).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return Squeezed(weight.detach(), bias.detach()).eval()
