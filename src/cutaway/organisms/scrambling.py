"""Scrambled networks: the weights that training wrote, each tensor's own, in places drawn at random."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


@torch.no_grad()
def scrambled(network: Module, seed: int) -> Module:
    """A copy in which the entries of every tensor are shuffled: the same numbers, and nothing of what they did together."""
    twin, draw = copy.deepcopy(network), torch.Generator().manual_seed(seed)
    for weight in twin.parameters():
        weight.copy_(weight.flatten()[torch.randperm(weight.numel(), generator=draw)].view_as(weight))
    return twin
