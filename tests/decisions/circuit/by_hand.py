"""Cut edges computed slowly and plainly, one reader at a time: what the engine is compared with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cutaway.training.transformer import Transformer, rotate


def contributions(network: Transformer, ids: Tensor) -> dict[str, Tensor]:
    """What every writer adds to the stream, by address."""
    return _run(network, ids, {}, set())[1]


def cut_by_hand(network: Transformer, ids: Tensor, other: Tensor, cut: set[str]) -> Tensor:
    """Logits when each edge in `cut` ("z.0[head=1] → z.2[head=0]/q") carries what its writer adds on `other`."""
    return _run(network, ids, contributions(network, other), cut)[0]


def _run(
    network: Transformer, ids: Tensor, stand_in: dict[str, Tensor], cut: set[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    shape = network.shape
    first = network.embed(ids)
    if network.position is not None:
        first = first + network.position(torch.arange(ids.shape[1]))
    written = {"embed": first}
    constant = torch.zeros(shape.width, dtype=first.dtype)

    def seen(reader: str) -> Tensor:
        total = constant
        for writer, x in written.items():
            total = total + (stand_in[writer] if f"{writer} → {reader}" in cut else x)
        return total

    for layer, block in enumerate(network.blocks):
        fresh = {}
        for head in range(shape.heads):
            name, mine = f"z.{layer}[head={head}]", slice(head * shape.d_head, (head + 1) * shape.d_head)

            def made(linear, way, name=name, mine=mine, block=block):
                x = block.norm_attn(seen(f"{name}/{way}"))
                return F.linear(x, linear.weight[mine], None if linear.bias is None else linear.bias[mine])[:, None]

            q, k, v = made(block.attn.query, "q"), made(block.attn.key, "k"), made(block.attn.value, "v")
            if block.attn.rotary:
                q, k = rotate(q), rotate(k)
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=shape.scale)[:, 0]
            fresh[name] = z @ block.attn.out.weight[:, mine].T
        written |= fresh
        if block.attn.out.bias is not None:
            constant = constant + block.attn.out.bias
        written[f"mlp_out.{layer}"] = block.mlp(block.norm_mlp(seen(f"mlp_out.{layer}/mlp")))
    return network.unembed(network.norm(seen("output"))), written
