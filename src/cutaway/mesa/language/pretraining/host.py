"""A small GPT-style network that reads bytes, and in-context regressions through the same blocks: a `Subject`.

Text is read causally, each byte seeing itself and those before. A regression's points and queries enter as vectors and are read as
a prefix is (Raffel et al. 2020, arXiv 1910.10683): everything sees the points, nothing sees a query. Read causally, every point
would take its steps on fewer points than the next one does: another algorithm (Ding et al. 2023, arXiv 2308.06912).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.transformer import Attention, Block, Shape, initialise
from cutaway.mesa.subject import State, Tokens

VOCAB = 256
"""Bytes."""


class Host(nn.Module):
    """Bytes [batch, position] -> logits; and a subject with a layer for each block.

    `blocks` are what is in the middle, `around` is how many fresh ones come before and as many behind; these write nothing until
    they are trained, so that at first the network does with a regression what the given blocks do.
    """

    def __init__(self, shape: Shape, blocks: Sequence[Block], around: int, context: int, seed: int) -> None:
        super().__init__()
        self.shape, self.context = shape, context
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed, self.position = nn.Embedding(VOCAB, shape.width), nn.Embedding(context, shape.width)
            nn.init.normal_(self.embed.weight, std=0.5)
            nn.init.normal_(self.position.weight, std=0.1)
            before, behind = ([silent(shape) for _ in range(around)] for _ in range(2))
            self.norm, self.unembed = nn.LayerNorm(shape.width), nn.Linear(shape.width, VOCAB, bias=False)
            nn.init.normal_(self.unembed.weight, std=0.02)
        self.blocks = nn.ModuleList([*before, *blocks, *behind])
        self.enter, self.readout = nn.Linear(shape.dim, shape.width), nn.Linear(shape.width, 1)

    def forward(self, ids: Int[Tensor, "batch position"]) -> Float[Tensor, "batch position vocab"]:
        """What byte comes next."""
        if ids.shape[1] > self.context:
            raise ValueError(
                f"the text has {ids.shape[1]} bytes; expected at most {self.context}: give shorter windows"
            )
        x = self.embed(ids) + self.position.weight[: ids.shape[1]]
        for block in self.blocks:
            assert isinstance(block, Block)
            x = causal(block, x)
        return self.unembed(self.norm(x))

    @property
    def depth(self) -> int:
        """How many blocks."""
        return len(self.blocks)

    def start(self, prompts: Prompts) -> State:
        """The state before the first block: points as (x, y), queries as (x, 0), each mapped into the stream."""
        if prompts.dim + 1 != self.shape.dim:
            raise ValueError(f"the prompts' points have {prompts.dim} coordinates; expected {self.shape.dim - 1}")
        given = prompts.to(self.readout.weight.dtype)
        places = torch.cat([given.xs, given.queries], 1)
        labels = torch.cat([given.ys, given.ys.new_zeros(given.queries.shape[:2])], 1)
        stream = self.enter(torch.cat([places, labels.unsqueeze(-1)], 2))
        return State(stream, Tokens(given.points, given.queries.shape[1]))

    def run(self, state: State, first: int, last: int) -> State:
        """The state after block `last`, given the one after block `first`."""
        if not 0 <= first <= last <= self.depth:
            raise ValueError(f"layers {first} to {last} asked of {self.depth}; expected 0 ≤ first ≤ last ≤ depth")
        x = state.stream
        for block in self.blocks[first:last]:
            x = block(x, state.tokens)
        return state.having(x)

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers."""
        return self.readout(state.asked).squeeze(-1)


def fresh(shape: Shape) -> Block:
    """A block with random weights."""
    block = Block(shape)
    initialise(block, sqrt(2 * shape.layers))
    return block


def silent(shape: Shape) -> Block:
    """A block with random weights that writes nothing yet."""
    block = fresh(shape)
    for name, weight in block.named_parameters():
        if ".out." in name or ".down." in name:
            nn.init.zeros_(weight)
    return block


def causal(block: Block, x: Float[Tensor, "batch position width"]) -> Float[Tensor, "batch position width"]:
    """The stream after a block where every position sees itself and those before."""
    x = x + _attended(block.attn, block.norm_attn(x))
    return x if block.mlp is None else x + block.mlp(x)


def _attended(attention: Attention, x: Tensor) -> Tensor:
    def split(y: Tensor) -> Tensor:
        return rearrange(y, "batch position (head key) -> batch head position key", head=attention.heads)

    q, k, v = split(attention.query(x)), split(attention.key(x)), split(attention.value(x))
    length = x.shape[1]
    later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
    scores = (q @ k.transpose(-1, -2) / sqrt(q.shape[-1])).masked_fill(later, float("-inf"))
    z = attention.shares(scores, Tokens(length, 0)) @ v
    return attention.out(rearrange(z, "batch head position key -> batch position (head key)"))
