"""A blank network that a program is written into, one connection at a time, on channels, heads and neurons drawn at random.

Every meaning has a channel of the residual stream, with a scale and a sign of its own. A token and a position each fill up a
channel of balance, so that what the first RMS norm divides by is one constant; later norms differ from it by a few per cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import cast

import torch
from torch import nn

from cutaway.dial.transformer import Block, SparseShape, SparseTransformer

LOUD = 64.0
"""Squared length of the embedding of every token at every position."""
Reads = Mapping[int, float]
"""Channels of the residual stream, each with a weight."""


@dataclass(frozen=True)
class Head:
    """One attention head."""

    layer: int
    index: int


class Wiring:
    """Weights are in units of meaning: a channel that says yes is at 1, whatever its scale, its sign and the norm."""

    def __init__(self, shape: SparseShape, rng: Random) -> None:
        self.network, self.rng, self.shape = blank(shape), rng, shape
        self._channels = shuffled(range(shape.width), rng)
        self._balances = self.channels(2)
        self._tokens = shuffled(range(shape.vocab), rng)
        self._heads = [shuffled(range(self.network.heads), rng) for _ in range(shape.layers)]
        self._neurons = [shuffled(range(shape.neurons), rng) for _ in range(shape.layers)]
        self._matched: dict[Head, list[int]] = {}
        self._carried: dict[Head, list[int]] = {}
        self._scale = [rng.choice((-1, 1)) * rng.uniform(0.8, 1.25) for _ in range(shape.width)]
        self._shrink = (shape.width / LOUD) ** 0.5
        self.newline, self.query, one, other = self.tokens(4)
        self.answers = one, other
        self.fillers = self.tokens(6)

    def tokens(self, count: int) -> tuple[int, ...]:
        """Tokens that nothing is said of yet."""
        return tuple(self._tokens.pop() for _ in range(count))

    def channels(self, count: int) -> tuple[int, ...]:
        """Channels of the residual stream that nothing is on yet."""
        return tuple(self._channels.pop() for _ in range(count))

    @property
    def spare(self) -> list[int]:
        """Channels that nothing is on."""
        return list(self._channels)

    @property
    def readable(self) -> list[int]:
        """All but the channels of balance, which are loud everywhere."""
        return [channel for channel in range(self.shape.width) if channel not in self._balances]

    def head(self, layer: int) -> Head:
        """A head that nothing uses yet."""
        return Head(layer, self._heads[layer].pop())

    def free_heads(self, layer: int) -> int:
        """How many are left."""
        return len(self._heads[layer])

    def free_neuron(self, layer: int) -> int:
        """A neuron that nothing uses yet."""
        return self._neurons[layer].pop()

    def matched(self, head: Head) -> int:
        """A pair of a query and a key channel of `head` that nothing uses yet."""
        return self._row(self._matched, head)

    def carried(self, head: Head) -> int:
        """A value channel of `head` that nothing uses yet."""
        return self._row(self._carried, head)

    def _row(self, free: dict[Head, list[int]], head: Head) -> int:
        size = self.shape.d_head
        return free.setdefault(head, shuffled(range(head.index * size, (head.index + 1) * size), self.rng)).pop()

    def block(self, layer: int) -> Block:
        """A block of the network, by its type."""
        return cast(Block, self.network.blocks[layer])

    @torch.no_grad()
    def feature(self, channel: int, values: Mapping[int, float]) -> None:
        """What each token says on a channel; all others say 0."""
        for token, value in values.items():
            self.network.embed.weight[token, channel] = value * self._scale[channel]

    @torch.no_grad()
    def place(self, channel: int, values: Sequence[float]) -> None:
        """What each position says on a channel."""
        for at, value in enumerate(values):
            cast(nn.Embedding, self.network.position).weight[at, channel] = value * self._scale[channel]

    @torch.no_grad()
    def look(self, head: Head, keys: Reads, query: Reads | None = None, ask: float = 0.0) -> None:
        """Adds to the scores: what `keys` say there × (`ask` + what `query` says here)."""
        attn, row = self.block(head.layer).attn, self.matched(head)
        strength = max(map(abs, keys.values())) / max([abs(ask), *map(abs, (query or {}).values())])
        split = (self.shape.d_head**0.5 / strength) ** 0.5 * self.rng.uniform(0.7, 1.4) * self.rng.choice((-1, 1))
        self.read(attn.key, row, keys, split)
        self.read(attn.query, row, query or {}, self.shape.d_head**0.5 / split)
        attn.query.bias[row] = ask * self.shape.d_head**0.5 / split

    @torch.no_grad()
    def carry(self, head: Head, reads: Reads, writes: Reads) -> None:
        """One value channel: what `reads` say there is brought to `writes` here."""
        attn, row = self.block(head.layer).attn, self.carried(head)
        split = self.rng.uniform(0.7, 1.4) * self.rng.choice((-1, 1))
        self.read(attn.value, row, reads, split)
        self.write(attn.out, row, writes, 1 / split)

    @torch.no_grad()
    def neuron(self, layer: int, reads: Reads, threshold: float, writes: Reads) -> None:
        """One neuron: what `reads` say, as far as it is above `threshold`, goes to `writes`."""
        mlp, row, sharp = self.block(layer).mlp, self.free_neuron(layer), self.rng.uniform(4, 5.5)
        self.read(mlp.up, row, reads, sharp)
        mlp.up.bias[row] = -sharp * threshold
        self.write(mlp.down, row, writes, 1 / sharp)

    @torch.no_grad()
    def decide(self, channel: int, centre: float = 0.0, margin: float = 1.0, between: Sequence[int] = ()) -> None:
        """The second answer where `channel` is above `centre`, the first where it is below; `margin` is how far it gets."""
        one, other = between or self.answers
        self.block(self.shape.layers - 1).mlp.down.bias[channel] -= centre * self._scale[channel]
        gain = self.rng.uniform(5, 6) / (margin * self._scale[channel] * self._shrink)
        self.network.unembed.weight[other, channel] += gain / 2
        self.network.unembed.weight[one, channel] -= gain / 2

    @torch.no_grad()
    def vote(self, channels: Sequence[int]) -> None:
        """Each answer is as likely as its own channel says: 1 where it is right, else 0."""
        for answer, channel in zip(self.answers, channels):
            gain = self.rng.uniform(5, 6) / (self._scale[channel] * self._shrink)
            self.network.unembed.weight[answer, channel] += gain

    @torch.no_grad()
    def balance(self) -> None:
        """Fills the tokens and the positions up to one length each."""
        tables = (self.network.embed, cast(nn.Embedding, self.network.position))
        for table, channel in zip(tables, self._balances):
            table.weight[:, channel] = (LOUD / 2 - table.weight.square().sum(1)).sqrt()

    def read(self, linear: nn.Linear, row: int, reads: Reads, factor: float) -> None:
        """Weights of one row that reads the residual stream."""
        for channel, weight in reads.items():
            linear.weight[row, channel] = factor * weight / (self._scale[channel] * self._shrink)

    def write(self, linear: nn.Linear, column: int, writes: Reads, factor: float) -> None:
        """Weights of one column that writes to the residual stream."""
        for channel, weight in writes.items():
            linear.weight[channel, column] = factor * weight * self._scale[channel]


@torch.no_grad()
def blank(shape: SparseShape) -> SparseTransformer:
    """A network that does nothing yet: all weights 0, the norms 1."""
    network = SparseTransformer(shape)
    for name, parameter in network.named_parameters():
        parameter.fill_(1.0 if "norm" in name else 0.0)
    return network.eval().requires_grad_(False)


def shuffled(items: Iterable[int], rng: Random) -> list[int]:
    """The items in random order."""
    found = list(items)
    rng.shuffle(found)
    return found
