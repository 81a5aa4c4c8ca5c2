"""One small decoder-only transformer on one page of plain torch.

Pre-norm blocks, separate q, k, v and output projections, rotary or no positions, an ungated MLP, no weight tying: the
shape that is easiest to take apart. `norm="none"` and `act="relu"` give the networks whose weights are written by hand.
Sources: Vaswani et al. 2017 (arXiv 1706.03762), Su et al. 2021 (arXiv 2104.09864), Zhang and Sennrich 2019 (arXiv 1910.07467).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """The sizes and switches of a `Transformer`.

    `vocab` tokens, at most `context` positions, a residual stream of `width` channels, `layers` blocks of `heads` heads
    with `d_head` channels each and `hidden` neurons. `scale` multiplies q·k (default: 1/√d_head).
    """

    vocab: int
    context: int
    width: int
    layers: int
    heads: int
    d_head: int
    hidden: int
    norm: Literal["rms", "none"] = "rms"
    positions: Literal["rotary", "learned", "none"] = "rotary"
    act: Literal["gelu", "relu"] = "gelu"
    bias: bool = False
    scale: float | None = None

    def __post_init__(self) -> None:
        for name in ("vocab", "context", "width", "layers", "heads", "d_head", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"Shape.{name} is {getattr(self, name)}; expected a positive integer")
        if self.positions == "rotary" and self.d_head % 2:
            raise ValueError(
                f"Shape.d_head is {self.d_head}; rotary positions turn pairs of channels, so give an even one"
            )


def rotate(x: Float[Tensor, "batch head position d_head"]) -> Float[Tensor, "batch head position d_head"]:
    """Rotary positions: each pair of channels is turned by an angle that grows with the position."""
    half, length = x.shape[-1] // 2, x.shape[-2]
    speed = 10_000.0 ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = torch.arange(length, device=x.device, dtype=torch.float32)[:, None] * speed
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class Attention(nn.Module):
    """Causal multi-head attention."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        inner = shape.heads * shape.d_head
        self.query = nn.Linear(shape.width, inner, bias=shape.bias)
        self.key = nn.Linear(shape.width, inner, bias=shape.bias)
        self.value = nn.Linear(shape.width, inner, bias=shape.bias)
        self.out = nn.Linear(inner, shape.width, bias=shape.bias)
        self.heads, self.rotary, self.scale = shape.heads, shape.positions == "rotary", shape.scale

    def forward(
        self, x: Float[Tensor, "batch position width"], mask: Bool[Tensor, "batch 1 position position"] | None = None
    ) -> Float[Tensor, "batch _ width"]:
        def split(y: Tensor) -> Tensor:
            return rearrange(y, "batch position (head d_head) -> batch head position d_head", head=self.heads)

        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        if self.rotary:
            q, k = rotate(q), rotate(k)
        z = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=self.scale)
        return self.out(rearrange(z, "batch head position d_head -> batch position (head d_head)"))


class MLP(nn.Module):
    """Two matrices with a nonlinearity between them; a neuron is one channel of `down`'s input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.up = nn.Linear(shape.width, shape.hidden, bias=shape.bias)
        self.act = nn.GELU() if shape.act == "gelu" else nn.ReLU()
        self.down = nn.Linear(shape.hidden, shape.width, bias=shape.bias)

    def forward(self, x: Float[Tensor, "batch position width"]) -> Float[Tensor, "batch _ width"]:
        return self.down(self.act(self.up(x)))


class Block(nn.Module):
    """Attention, then an MLP, each added to the residual stream."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm_attn = norm(shape)
        self.attn = Attention(shape)
        self.norm_mlp = norm(shape)
        self.mlp = MLP(shape)

    def forward(
        self, x: Float[Tensor, "batch position width"], mask: Bool[Tensor, "batch 1 position position"] | None = None
    ) -> Float[Tensor, "batch _ width"]:
        x = x + self.attn(self.norm_attn(x), mask)
        return x + self.mlp(self.norm_mlp(x))


def norm(shape: Shape) -> nn.Module:
    """The normalisation that `shape` asks for."""
    return nn.RMSNorm(shape.width, eps=1e-6) if shape.norm == "rms" else nn.Identity()


class Transformer(nn.Module):
    """Token ids [batch, position] -> logits [batch, position, vocab].

    `sites` says where its tensors are, in the addresses that `cutaway.network` reads.
    """

    sites: ClassVar[dict[str, str]] = {
        "embed": "embed:out",
        "resid_pre": "blocks.{layer}:in",
        "attn_in": "blocks.{layer}.attn:in",
        "q": "blocks.{layer}.attn.query:out",
        "k": "blocks.{layer}.attn.key:out",
        "v": "blocks.{layer}.attn.value:out",
        "z": "blocks.{layer}.attn.out:in",
        "attn_out": "blocks.{layer}.attn:out",
        "resid_mid": "blocks.{layer}.norm_mlp:in",
        "mlp_in": "blocks.{layer}.mlp:in",
        "mlp_pre": "blocks.{layer}.mlp.up:out",
        "mlp_act": "blocks.{layer}.mlp.down:in",
        "mlp_out": "blocks.{layer}.mlp:out",
        "resid_post": "blocks.{layer}:out",
        "final_norm": "norm:out",
        "logits": "unembed:out",
    }

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        self.heads = shape.heads
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(shape.vocab, shape.width)
            self.position = nn.Embedding(shape.context, shape.width) if shape.positions == "learned" else None
            self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
            self.norm = norm(shape)
            self.unembed = nn.Linear(shape.width, shape.vocab, bias=False)
            self._initialise()

    def _initialise(self) -> None:
        """GPT-2's recipe: normal weights, and what writes to the residual stream scaled down by its number of writers."""
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                writers = (
                    (2 * self.shape.layers) ** 0.5 if name.endswith(("attn.out.weight", "mlp.down.weight")) else 1.0
                )
                nn.init.normal_(
                    weight, std=0.02 * (128 / self.shape.width) ** 0.5 * 4 / writers if "embed" not in name else 0.02
                )
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def forward(
        self, input_ids: Int[Tensor, "batch position"], attention_mask: Int[Tensor, "batch position"] | None = None
    ) -> Float[Tensor, "batch _ vocab"]:
        """`attention_mask` is 0 on padding, which must be on the left; positions count from the first real token."""
        length = input_ids.shape[1]
        if length > self.shape.context:
            raise ValueError(
                f"the input has {length} positions; this network was built for at most {self.shape.context}; shorten it"
            )
        x, mask = self.embed(input_ids), None
        if attention_mask is not None and not attention_mask.all():
            causal = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
            mask = causal & attention_mask.bool()[:, None, None, :]
            mask = mask | torch.eye(length, dtype=torch.bool, device=x.device)  # a padded query sees itself: no NaN
        if self.position is not None:
            start = 0 if attention_mask is None else (1 - attention_mask).sum(1, keepdim=True)
            x = x + self.position((torch.arange(length, device=x.device) - start).clamp(min=0))
        for block in self.blocks:
            x = block(x, mask)
        return self.unembed(self.norm(x))
