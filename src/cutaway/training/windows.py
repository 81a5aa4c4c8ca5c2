"""Which windows of a stream of tokens a network is trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """Windows at random places; a share of them begins with `bos`, standing where a `boundary` token was.

    With the newline as boundary these windows read as the network will later be asked: <|bos|>, then a line from its
    start. Without a `bos` every window starts at random.
    """

    bos: int | None = None
    boundary: int | None = None
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"Windows.share is {self.share}; expected a number from 0 to 1")

    def draw(self, tokens: Int[Tensor, "stream"], batch: int, context: int) -> Int[Tensor, "batch window"]:
        """`batch` windows of `context` tokens and the one after each, drawn with torch's global generator."""
        last = len(tokens) - context
        starts = torch.randint(last, (batch,))
        begins = torch.zeros(batch, dtype=torch.bool)
        if self.bos is not None:
            begins = torch.rand(batch) < self.share
            if self.boundary is not None:
                starts = torch.where(begins, boundaries(tokens[:last], self.boundary, batch), starts)
        windows = tokens[starts[:, None] + torch.arange(context + 1)]
        if self.bos is not None:
            windows[begins, 0] = self.bos
        return windows


def boundaries(tokens: Int[Tensor, "stream"], boundary: int, batch: int) -> Int[Tensor, "batch"]:
    """The place of a boundary token for each window."""
    places = torch.eq(tokens, boundary).nonzero()[:, 0]
    if not len(places):
        raise ValueError(f"Windows.boundary is token {boundary}, which the stream lacks; give one that it holds")
    return places[torch.randint(len(places), (batch,))]
