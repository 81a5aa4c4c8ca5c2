"""Cut edges of graphs with parts in pieces, computed slowly and plainly, one reader at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from cutaway.training.transformer import Block, Transformer, rotate

Seen = Callable[[str], Tensor]
Pieces = Callable[[Block, Seen], dict[str, Tensor]]  # what the pieces of an MLP write, of what their readers see


def neurons(layer: int, groups: Mapping[str, list[int]]) -> Pieces:
    """Groups of neurons, each of which reads by itself."""

    def written(block: Block, seen: Seen) -> dict[str, Tensor]:
        found = {}
        for name, group in groups.items():
            act = block.mlp.act(block.mlp.up(block.norm_mlp(seen(f"{name}/mlp"))))
            found[name] = act[..., group] @ block.mlp.down.weight[:, group].T
        return found

    return written


def features(layer: int, parts: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]], rest: str) -> Pieces:
    """Functions (what the MLP reads, its neurons, what it writes) → what a feature writes; `rest` is what they leave over."""

    def written(block: Block, seen: Seen) -> dict[str, Tensor]:
        read = block.norm_mlp(seen(f"mlp_out.{layer}/mlp"))
        act = block.mlp.act(block.mlp.up(read))
        out = block.mlp.down(act)
        found = {name: part(read, act, out) for name, part in parts.items()}
        return found | {rest: out - torch.stack(list(found.values())).sum(0)}

    return written


def cut_by_hand(
    network: Transformer, ids: Tensor, other: Tensor, cut: set[str], pieces: Mapping[int, Pieces]
) -> Tensor:
    """Logits when each edge in `cut` carries what its writer adds on `other`; `pieces[2]` are those of block 2's MLP."""
    stand_in = _run(network, other, {}, set(), pieces)[1]
    return _run(network, ids, stand_in, cut, pieces)[0]


def _run(
    network: Transformer, ids: Tensor, stand_in: dict[str, Tensor], cut: set[str], pieces: Mapping[int, Pieces]
) -> tuple[Tensor, dict[str, Tensor]]:
    written = {"embed": network.embed(ids)}

    def seen(reader: str) -> Tensor:
        return torch.stack([stand_in[w] if f"{w} → {reader}" in cut else x for w, x in written.items()]).sum(0)

    for layer, block in enumerate(network.blocks):
        written |= _heads(network, block, layer, seen)
        if layer in pieces:
            written |= pieces[layer](block, seen)
        else:
            written[f"mlp_out.{layer}"] = block.mlp(block.norm_mlp(seen(f"mlp_out.{layer}/mlp")))
    return network.unembed(network.norm(seen("output"))), written


def _heads(network: Transformer, block: Block, layer: int, seen: Seen) -> dict[str, Tensor]:
    shape, found = network.shape, {}
    for head in range(shape.heads):
        name, mine = f"z.{layer}[head={head}]", slice(head * shape.d_head, (head + 1) * shape.d_head)
        ways = {"q": block.attn.query, "k": block.attn.key, "v": block.attn.value}
        made = {w: F.linear(block.norm_attn(seen(f"{name}/{w}")), m.weight[mine])[:, None] for w, m in ways.items()}
        z = F.scaled_dot_product_attention(rotate(made["q"]), rotate(made["k"]), made["v"], is_causal=True)[:, 0]
        found[name] = z @ block.attn.out.weight[:, mine].T
    return found
