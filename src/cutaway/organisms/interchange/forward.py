"""A forward pass of the small transformer in which every reader may see another value of every writer, row by row.

It is what `decisions.circuit.cut` does for any network, written out for this one, so that thousands of training steps are
cheap: each row of the batch has its own cuts. A test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from cutaway.organisms.compiled.writing import block
from cutaway.training.transformer import Attention, Shape, Transformer

Written = Float[Tensor, "row position width"]


@dataclass(frozen=True)
class Edges:
    """The edges of a transformer of this shape, numbered and named as `decisions.graph.graph` does: reader by reader."""

    shape: Shape

    @cached_property
    def names(self) -> tuple[str, ...]:
        """`embed → z.0[head=0]/q`, …"""
        heads, layers = range(self.shape.heads), range(self.shape.layers)
        writers, found = ["embed"], []
        for layer in layers:
            found += [f"{w} → z.{layer}[head={h}]/{through}" for through in "qkv" for h in heads for w in writers]
            writers += [f"z.{layer}[head={h}]" for h in heads]
            found += [f"{w} → mlp_out.{layer}/mlp" for w in writers]
            writers += [f"mlp_out.{layer}"]
        return (*found, *(f"{w} → output" for w in writers))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of every edge, by name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def writers(self) -> tuple[str, ...]:
        """Every part that writes, in order."""
        return tuple(name.split(" → ")[0] for name in self.names if name.endswith("→ output"))

    def out_of(self, writer: str) -> list[int]:
        """The numbers of the edges that leave a part."""
        return [number for number, name in enumerate(self.names) if name.startswith(f"{writer} → ")]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Run:
    """Logits at the last position, and what each writer added to the stream, in the order of `Edges.writers`."""

    logits: Float[Tensor, "row vocab"]
    written: tuple[Written, ...]


def run(
    network: Transformer,
    rows: Int[Tensor, "row position"],
    others: Sequence[Written] = (),
    strength: Float[Tensor, "row edge"] | None = None,
) -> Run:
    """The network on `rows`, its edges cut by `strength`: 1 gives the reader what the writer wrote in `others`, 0 leaves it."""
    heads, at = network.shape.heads, 0
    written: list[Tensor] = [network.embed(rows)]
    x = written[0] if network.position is None else written[0] + network.position.weight[: rows.shape[1]]

    def seen(readers: int, last: bool = False) -> Written:
        """The stream as each of several readers at one place sees it, [row, reader, position, width]."""
        nonlocal at
        place = slice(-1, None) if last else slice(None)
        stream = x[:, None, place].expand(-1, readers, -1, -1)
        if strength is None:
            return stream
        here = strength[:, at : at + readers * len(written)].unflatten(1, (readers, len(written)))
        at += readers * len(written)
        change = torch.stack([o[:, place] - w[:, place] for w, o in zip(written, others)], dim=1)
        return stream + torch.einsum("brw,bwpd->brpd", here, change)

    for layer in range(network.shape.layers):
        here = block(network, layer)
        added = attended(here.attn, here.norm_attn(seen(3 * heads)))
        written += added.unbind(1)
        x = x + added.sum(1) + here.attn.out.bias
        written.append(here.mlp(here.norm_mlp(seen(1)))[:, 0])
        x = x + written[-1]
    logits = network.unembed(network.norm(seen(1, last=True)))[:, 0, 0]
    return Run(logits, tuple(written))


def attended(
    attention: Attention, streams: Float[Tensor, "row reader position width"]
) -> Float[Tensor, "row head position width"]:
    """What each head adds to the stream; the readers are the heads' queries, then their keys, then their values."""
    heads = attention.heads
    q, k, v = (
        torch.einsum("bhpd,hcd->bhpc", stream, linear.weight.unflatten(0, (heads, -1))) + linear.bias.view(heads, 1, -1)
        for linear, stream in zip((attention.query, attention.key, attention.value), streams.chunk(3, dim=1))
    )
    z = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=attention.scale)
    return torch.einsum("bhpc,dhc->bhpd", z, attention.out.weight.unflatten(1, (heads, -1)))
