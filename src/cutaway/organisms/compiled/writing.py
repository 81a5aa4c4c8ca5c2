"""How a head or a gate is written into the weights of a transformer.

The residual stream is cut into named subspaces (`Layout`), one coordinate per meaning. A head reads some of them and
writes others; an MLP block is a list of neurons that fire above a threshold. The idea is that of RASP and tracr
(Weiss et al. 2021, arXiv 2106.06981; Lindner et al. 2023, arXiv 2301.05062), by hand and without a compiler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.training.transformer import Block, Transformer

SHARP = 30.0
"""Score of a wanted key over the others: e^-30 of the attention leaks, and float32 keeps every digit that counts."""


@dataclass(frozen=True)
class Layout:
    """Named subspaces of the residual stream, side by side: `Layout((("one", 1), ("token", 5)))` is 6 wide."""

    sizes: tuple[tuple[str, int], ...]

    @property
    def width(self) -> int:
        return sum(size for _, size in self.sizes)

    def read(self, name: str) -> Float[Tensor, "size width"]:
        """The rows that read subspace `name` out of the stream; transposed, they write it."""
        start = 0
        for known, size in self.sizes:
            if known == name:
                return torch.eye(self.width, dtype=torch.float64)[start : start + size]
            start += size
        raise KeyError(f"no subspace {name!r} in this layout; it has {', '.join(known for known, _ in self.sizes)}")

    def write(self, name: str) -> Float[Tensor, "width size"]:
        """The columns that write subspace `name`."""
        return self.read(name).T


@dataclass(frozen=True)
class Head:
    """What one attention head does: attend where `query`·`key` is largest, carry `value_from` there to `value_to` here.

    With `Shape.scale = 1`, scores are exactly (query x_here) · (key x_there).
    """

    query: Float[Tensor, "match width"]
    key: Float[Tensor, "match width"]
    value_from: Float[Tensor, "carried width"]
    value_to: Float[Tensor, "width carried"]


@dataclass(frozen=True)
class Gate:
    """What one MLP block does: neuron i is relu(when[i] · x − threshold[i]) and writes then[:, i]."""

    when: Float[Tensor, "neuron width"]
    threshold: Float[Tensor, "neuron"]
    then: Float[Tensor, "width neuron"]


@dataclass(frozen=True, order=True)
class Slot:
    """A place for a part: head `head` of block `layer`, or its MLP block where `head` is None."""

    layer: int
    head: int | None

    @property
    def address(self) -> str:
        return f"mlp_out.{self.layer}" if self.head is None else f"z.{self.layer}[head={self.head}]"

    @property
    def time(self) -> int:
        """Parts of a smaller time write before parts of a larger one read."""
        return 2 * self.layer + (self.head is None)


def every_slot(layers: int, heads: int) -> list[Slot]:
    """All heads and MLP blocks of a network of this size, in order of execution."""
    return [Slot(layer, head) for layer in range(layers) for head in [*range(heads), None]]


def block(network: Transformer, layer: int) -> Block:
    """Block `layer` of `network`, by its type."""
    return cast(Block, network.blocks[layer])


@torch.no_grad()
def write_embeddings(network: Transformer, layout: Layout, gain: float) -> None:
    """Tokens and positions as one coordinate each, a constant 1, and logits = `gain` × the "out" subspace."""
    network.embed.weight.copy_(layout.read("token") + layout.read("one"))
    if network.position is not None:
        network.position.weight.copy_(layout.read("position"))
    network.unembed.weight.copy_(gain * layout.read("out"))


@torch.no_grad()
def write_head(
    network: Transformer,
    layer: int,
    head: int,
    query: Float[Tensor, "match width"],
    key: Float[Tensor, "match width"],
    value_from: Float[Tensor, "carried width"],
    value_to: Float[Tensor, "width carried"],
) -> None:
    """Replaces the weights of one head; coordinates of d_head that are not asked for become 0."""
    attention, d_head = block(network, layer).attn, network.shape.d_head
    if max(len(query), len(value_from)) > d_head:
        raise ValueError(f"the head matches {len(query)} and carries {len(value_from)} coordinates; d_head is {d_head}")
    mine = slice(head * d_head, (head + 1) * d_head)
    for linear, rows in ((attention.query, query), (attention.key, key), (attention.value, value_from)):
        linear.weight[mine] = 0.0
        linear.weight[mine][: len(rows)] = rows
        linear.bias[mine] = 0.0
    attention.out.weight[:, mine] = 0.0
    attention.out.weight[:, mine][:, : value_to.shape[1]] = value_to


@torch.no_grad()
def write_gate(
    network: Transformer,
    layer: int,
    when: Float[Tensor, "neuron width"],
    threshold: Float[Tensor, "neuron"],
    then: Float[Tensor, "width neuron"],
) -> None:
    """Replaces the weights of one MLP block; neurons that are not asked for become 0."""
    mlp, neurons = block(network, layer).mlp, len(when)
    if neurons > network.shape.hidden:
        raise ValueError(f"the gate has {neurons} neurons; this network's MLP blocks have {network.shape.hidden}")
    for parameter in mlp.parameters():
        parameter.zero_()
    mlp.up.weight[:neurons] = when
    mlp.up.bias[:neurons] = -threshold
    mlp.down.weight[:, :neurons] = then


def write(network: Transformer, slot: Slot, part: Head | Gate) -> None:
    """Writes `part` into `slot`, which must be of its kind."""
    if isinstance(part, Head) and slot.head is not None:
        write_head(network, slot.layer, slot.head, part.query, part.key, part.value_from, part.value_to)
    elif isinstance(part, Gate) and slot.head is None:
        write_gate(network, slot.layer, part.when, part.threshold, part.then)
    else:
        raise TypeError(f"a {type(part).__name__} cannot be written at {slot.address}")


@torch.no_grad()
def blank(network: Transformer) -> None:
    """Sets every weight to 0: a network that does nothing yet."""
    for parameter in network.parameters():
        parameter.zero_()
