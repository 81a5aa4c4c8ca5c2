"""True effects of parts, by a forward pass written out so that any part's output can be swapped.

It shares nothing with the engine of `cutaway.network`, which is tested against these organisms.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from einops import rearrange, repeat
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from cutaway.organisms.compiled.writing import Slot, block
from cutaway.training.transformer import Attention, Transformer


@dataclass(frozen=True, eq=False)
class Pass:
    """Logits at the last position, the stream before each block, and what each head (its z) and MLP block put out."""

    logits: Float[Tensor, "row vocab"]
    streams: dict[int, Float[Tensor, "row position width"]]
    parts: dict[Slot, Float[Tensor, "row position _"]]


@dataclass(frozen=True, eq=False)
class Question:
    """Prompts with the two tokens whose logit difference is measured, and the donors that parts are resampled from."""

    prompts: Int[Tensor, "prompt position"]
    answers: Int[Tensor, "prompt"]
    instead: Int[Tensor, "prompt"]
    donors: Int[Tensor, "donor position"]


def heads_out(
    attention: Attention, x: Float[Tensor, "row position width"]
) -> Float[Tensor, "row position head d_head"]:
    """z of every head."""
    q, k, v = (
        rearrange(linear(x), "row position (head d) -> row head position d", head=attention.heads)
        for linear in (attention.query, attention.key, attention.value)
    )
    z = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=attention.scale)
    return rearrange(z, "row head position d -> row position head d")


def embedded(network: Transformer, rows: Int[Tensor, "row position"]) -> Float[Tensor, "row position width"]:
    """The residual stream before the first block."""
    x = network.embed(rows)
    return x if network.position is None else x + network.position.weight[: rows.shape[1]]


@torch.no_grad()
def forward(
    network: Transformer,
    x: Float[Tensor, "row position width"],
    swap: Mapping[Slot, Float[Tensor, "row position _"]],
    first: int = 0,
) -> Pass:
    """The pass from the stream `x` before block `first`, with the parts in `swap` putting out what is given there."""
    streams, seen = {}, {}
    for layer in range(first, network.shape.layers):
        streams[layer], here = x, block(network, layer)
        z = heads_out(here.attn, x).clone()
        for slot in (Slot(layer, head) for head in range(network.shape.heads)):
            if slot in swap:
                z[:, :, slot.head] = swap[slot]
            seen[slot] = z[:, :, slot.head]
        x = x + here.attn.out(z.flatten(2))
        slot = Slot(layer, None)
        seen[slot] = swap[slot] if slot in swap else here.mlp(x)
        x = x + seen[slot]
    return Pass(network.unembed(x[:, -1]), streams, seen)


def metric(logits: Float[Tensor, "prompt donor vocab"], question: Question) -> Float[Tensor, "prompt donor"]:
    """logit(answer) − logit(instead)."""
    each = torch.arange(len(question.prompts))
    return logits[each, :, question.answers] - logits[each, :, question.instead]


def effects(network: Transformer, question: Question, slots: Collection[Slot]) -> Float[Tensor, "prompt donor"]:
    """The metric as it is, minus what it is with the parts in `slots` taken from each donor."""
    prompts, donors = len(question.prompts), len(question.donors)
    first = min(slot.layer for slot in slots)  # nothing before the first part can change
    given = forward(network, embedded(network, question.donors), {}).parts
    clean = forward(network, embedded(network, question.prompts), {})
    swap = {slot: repeat(given[slot], "donor ... -> (prompt donor) ...", prompt=prompts) for slot in slots}
    stream = repeat(clean.streams[first], "prompt ... -> (prompt donor) ...", donor=donors)
    changed = forward(network, stream, swap, first).logits
    changed = rearrange(changed, "(prompt donor) vocab -> prompt donor vocab", donor=donors)
    return metric(clean.logits[:, None], question) - metric(changed, question)


def removal(network: Transformer, question: Question, slot: Slot) -> Float[Tensor, "prompt 1"]:
    """The metric as it is, minus what it is with the part in `slot` set to zero."""
    clean = forward(network, embedded(network, question.prompts), {})
    changed = forward(network, clean.streams[0], {slot: torch.zeros_like(clean.parts[slot])})
    return metric(clean.logits[:, None], question) - metric(changed.logits[:, None], question)


def largest_effect(network: Transformer, question: Question, slot: Slot) -> float:
    """The largest effect of one part on any prompt, with any donor or zero in its place."""
    found = (effects(network, question, [slot]), removal(network, question, slot))
    return max(each.abs().max().item() for each in found)


def total_effect(network: Transformer, question: Question, slots: Collection[Slot]) -> float:
    """The size of the mean effect of resampling all `slots` at once."""
    return effects(network, question, slots).mean().abs().item()
