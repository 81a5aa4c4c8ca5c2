"""A small classifier that plants grow in, shared by the tests of planting and of what is found."""

from functools import cache

import torch
from torch import nn

from cutaway.network import Network, wrap
from cutaway.organisms.grafted import Grafted, graft


@cache
def blobs(dtype: torch.dtype = torch.float32) -> Network:
    """An MLP that was trained to tell which of six random points in 24 dimensions an input is near."""
    draw = torch.Generator().manual_seed(7001)
    middles = torch.randn(6, 24, generator=draw)
    right = torch.arange(900) % 6
    x = (0.5 + 0.15 * (middles[right] + 0.5 * torch.randn(900, 24, generator=draw))).clamp(0, 1)
    torch.manual_seed(7001)
    module = nn.Sequential(nn.Linear(24, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 6))
    optimiser = torch.optim.Adam(module.parameters(), 1e-2)
    with torch.enable_grad():
        for _ in range(60):
            loss = nn.functional.cross_entropy(module(x), right)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return wrap(module.eval().to(dtype), reference=x.to(dtype), name="blobs")


@cache
def grown(kind: str, strength: float, seed: int = 7001) -> Grafted:
    """A plant in it."""
    return graft(blobs(), kind, strength, seed)
