"""Layers with a random support, for the tests of this folder, and how they are compared."""

import torch
from torch import Tensor, nn

SUPPORTS = ("random", "empty rows", "full row", "one live weight", "nothing live", "all live")


def support_mask(kind: str, rows: int, columns: int, seed: int = 7000) -> Tensor:
    """A mask [row, column] of one of SUPPORTS."""
    mask = torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed)) < 0.2
    if kind == "empty rows":
        mask[::2] = False
        mask[:, columns // 2] = False
    elif kind == "full row":
        mask[rows // 2] = True
    elif kind == "one live weight":
        mask[:] = False
        mask[rows - 1, columns // 2] = True
    elif kind in ("nothing live", "all live"):
        mask[:] = kind == "all live"
    return mask


def masked_linear(mask: Tensor, dtype: torch.dtype = torch.float64, seed: int = 7000) -> nn.Linear:
    """A dense layer whose weights outside the mask are 0."""
    generator = torch.Generator().manual_seed(seed)
    linear = nn.Linear(mask.shape[1], mask.shape[0]).to(dtype)
    with torch.no_grad():
        linear.weight.copy_(torch.randn(mask.shape, generator=generator, dtype=dtype) * mask)
        linear.bias.copy_(torch.randn(mask.shape[0], generator=generator, dtype=dtype))
    return linear


def turned(x: Tensor) -> Tensor:
    """The same in feature-major memory."""
    return x.mT.contiguous().mT
