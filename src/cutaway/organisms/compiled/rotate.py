"""Turns the residual stream of a network without changing what it computes.

A network without normalisation does not know the basis of its residual stream: with x' = R x, every reader W becomes
W Rᵀ and every writer becomes R W. After a random R no meaning lies on an axis.
"""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.organisms.compiled.writing import block
from cutaway.training.transformer import Transformer


def random_rotation(width: int, seed: int) -> Float[Tensor, "width width"]:
    """A uniformly random orthogonal matrix in float64: QR, signs fixed (Mezzadri 2007, arXiv math-ph/0609050)."""
    draw = torch.randn(width, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    q, r = torch.linalg.qr(draw)
    return q * r.diagonal().sign()


@torch.no_grad()
def rotated(network: Transformer, rotation: Float[Tensor, "width width"]) -> Transformer:
    """A copy of `network` whose residual stream is `rotation` times the old one; its logits are the same."""
    if network.shape.norm != "none":
        raise ValueError(f"the network has norm={network.shape.norm!r}; only norm='none' leaves the basis free")
    turned = copy.deepcopy(network)
    R = rotation.double()  # products in float64, rounded once
    readers = [turned.embed, turned.unembed] + ([] if turned.position is None else [turned.position])
    writers = []
    for layer in range(turned.shape.layers):
        attention, mlp = block(turned, layer).attn, block(turned, layer).mlp
        readers += [attention.query, attention.key, attention.value, mlp.up]
        writers += [attention.out, mlp.down]
    for reader in readers:  # an embedding's rows are residual vectors, so they turn as readers do: (R e)ᵀ = eᵀ Rᵀ
        reader.weight.copy_(reader.weight.double() @ R.T)
    for writer in writers:
        writer.weight.copy_(R @ writer.weight.double())
        writer.bias.copy_(R @ writer.bias.double())
    return turned
