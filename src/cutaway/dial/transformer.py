"""The one-page transformer of weight-sparse training: every tensor that a circuit is made of passes a site of its own.

RMS norms, many small heads, a learned sink that a head may attend to instead of a token, no weight tying, and a table of
bigrams added to the logits, so that the network need not spend weights on what the last token alone says; nor on where the
last token is, if heads look back by how far it is. Dense and sparse networks are the same class. Sources: Gao et al. 2025,
"Weight-sparse transformers have interpretable circuits" (arXiv 2511.13653); Press et al. 2022, "Train Short, Test Long"
(arXiv 2108.12409), here with slopes that are learned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

SITES = ("attn_in", "q", "k", "v", "attn_out", "mlp_in", "mlp_act", "mlp_out")
"""What a circuit's nodes are channels of: what a sublayer reads, its queries, keys, values or neurons, what it writes."""

At = Callable[[str, Tensor], Tensor]
"""What happens at a site: its address (`q.1`) and its tensor [batch, position, channel] -> what goes on in its place.

It is also asked at `z`, the values that the heads brought together: no nodes of their own, but what `out` reads.
"""


@dataclass(frozen=True)
class SparseShape:
    """The sizes and switches of a `SparseTransformer`.

    `vocab` tokens, at most `context` positions, a residual stream of `width` channels, `layers` blocks of `width / d_head`
    heads, `hidden` neurons each (default 4 × width). `keep` is the share of the channels of each site that survive, largest
    magnitudes first (AbsTopK; 1: all); `attend` is how many tokens a query may attend to at most (0: all). `positions` are
    "learned", a table that is added to the tokens', or "recent": a head's scores fall with every position back, each head by a
    slope of its own, which begins at 1 in the first head and at 1/128 in the last.
    """

    vocab: int
    context: int
    width: int
    layers: int = 2
    d_head: int = 16
    hidden: int = 0
    positions: Literal["learned", "recent", "none"] = "learned"
    bigram: bool = True
    keep: float = 1.0
    attend: int = 0

    def __post_init__(self) -> None:
        for name in ("vocab", "context", "width", "layers", "d_head"):
            if getattr(self, name) < 1:
                raise ValueError(f"SparseShape.{name} is {getattr(self, name)}; expected a positive integer")
        if self.positions not in (known := ("learned", "recent", "none")):
            raise ValueError(f"SparseShape.positions is {self.positions!r}; expected {', '.join(known)}")
        if self.width % self.d_head:
            raise ValueError(f"SparseShape.width is {self.width}; expected a multiple of d_head ({self.d_head})")
        if not 0 < self.keep <= 1:
            raise ValueError(f"SparseShape.keep is {self.keep}; expected a share above 0 and at most 1")
        if self.attend < 0 or self.hidden < 0:
            raise ValueError(f"SparseShape.attend={self.attend}, hidden={self.hidden}; expected 0 or more")

    @property
    def neurons(self) -> int:
        """Neurons of each MLP."""
        return self.hidden or 4 * self.width


class Largest(nn.Module):
    """AbsTopK: the largest magnitudes of the channels at each position, the others 0; the gradient passes where they survive."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        if self.share >= 1:
            return x
        count = max(1, round(self.share * x.shape[-1]))
        return torch.zeros_like(x).scatter(
            -1, kept := x.abs().topk(count, dim=-1, sorted=False).indices, x.gather(-1, kept)
        )


class Attention(nn.Module):
    """Causal attention of many small heads, each with a learned sink: a score that stands for attending to nothing."""

    def __init__(self, shape: SparseShape) -> None:
        super().__init__()
        self.read = Largest(shape.keep)
        self.query, self.key, self.value, self.out = (nn.Linear(shape.width, shape.width) for _ in range(4))
        self.q, self.k, self.v, self.write = (Largest(shape.keep) for _ in range(4))
        heads = shape.width // shape.d_head
        self.sink = nn.Parameter(torch.zeros(heads))
        self.slope = nn.Parameter(torch.empty(heads)) if shape.positions == "recent" else None
        self.d_head, self.attend = shape.d_head, shape.attend

    def forward(
        self,
        x: Float[Tensor, "batch position width"],
        allowed: Bool[Tensor, "#batch 1 query position"],
        at: At,
        asked: Int[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, "batch query width"]:
        """Of every position, or of the one that is `asked` for."""

        def split(y: Tensor) -> Tensor:
            return rearrange(y, "batch position (head d_head) -> batch head position d_head", d_head=self.d_head)

        x = at("attn_in", self.read(x))
        q, k, v = (
            split(at(name, site(linear(read))))
            for name, site, linear, read in (
                ("q", self.q, self.query, _only(x, asked)),
                ("k", self.k, self.key, x),
                ("v", self.v, self.value, x),
            )
        )
        scores = q @ k.mT * self.d_head**-0.5
        if self.slope is not None:
            scores = torch.addcmul(scores, self.slope[:, None, None], _back(x.shape[1], asked, scores), value=-1)
        scores = scores.masked_fill(~allowed, -torch.inf)
        if 0 < self.attend < scores.shape[-1]:
            most = (
                scores.detach().topk(self.attend, dim=-1).indices
            )  # by place: equal scores are common where few weights live
            scores = scores.masked_fill(torch.ones_like(allowed.expand_as(scores)).scatter(-1, most, False), -torch.inf)
        sink = self.sink[:, None, None].expand(*scores.shape[:-1], 1)
        pattern = torch.cat([sink, scores], dim=-1).softmax(-1)[..., 1:]
        z = rearrange(pattern @ v, "batch head position d_head -> batch position (head d_head)")
        return at("attn_out", self.write(self.out(at("z", z))))


class MLP(nn.Module):
    """Two matrices with a nonlinearity between them; a neuron is one channel of `down`'s input."""

    def __init__(self, shape: SparseShape) -> None:
        super().__init__()
        self.read = Largest(shape.keep)
        self.up = nn.Linear(shape.width, shape.neurons)
        self.act, self.neurons = nn.GELU(), Largest(shape.keep)
        self.down = nn.Linear(shape.neurons, shape.width)
        self.write = Largest(shape.keep)

    def forward(self, x: Float[Tensor, "batch position width"], at: At) -> Float[Tensor, "batch _ width"]:
        x = at("mlp_in", self.read(x))
        x = at("mlp_act", self.neurons(self.act(self.up(x))))
        return at("mlp_out", self.write(self.down(x)))


class Block(nn.Module):
    """Attention, then an MLP, each added to the residual stream."""

    def __init__(self, shape: SparseShape) -> None:
        super().__init__()
        self.norm_attn, self.attn = nn.RMSNorm(shape.width, eps=1e-6), Attention(shape)
        self.norm_mlp, self.mlp = nn.RMSNorm(shape.width, eps=1e-6), MLP(shape)

    def forward(
        self,
        x: Float[Tensor, "batch position width"],
        allowed: Bool[Tensor, "#batch 1 query position"],
        at: At,
        asked: Int[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, "batch query width"]:
        x = _only(x, asked) + self.attn(self.norm_attn(x), allowed, at, asked)
        return x + self.mlp(self.norm_mlp(x), at)


class SparseTransformer(nn.Module):
    """Token ids [batch, position] -> logits [batch, position, vocab].

    `stream(ids, at=…)` calls `at` at every site of `SITES` in every layer with its address and its tensor; what it gives
    goes on in its place. `sites` says where the tensors are, in the addresses that `cutaway.network` reads.
    """

    sites: ClassVar[dict[str, str]] = {
        "embed": "embed:out",
        "resid_pre": "blocks.{layer}:in",
        "attn_in": "blocks.{layer}.attn.read:out",
        "q": "blocks.{layer}.attn.q:out",
        "k": "blocks.{layer}.attn.k:out",
        "v": "blocks.{layer}.attn.v:out",
        "z": "blocks.{layer}.attn.out:in",
        "attn_out": "blocks.{layer}.attn:out",
        "resid_mid": "blocks.{layer}.norm_mlp:in",
        "mlp_in": "blocks.{layer}.mlp.read:out",
        "mlp_pre": "blocks.{layer}.mlp.up:out",
        "mlp_act": "blocks.{layer}.mlp.down:in",
        "mlp_out": "blocks.{layer}.mlp:out",
        "resid_post": "blocks.{layer}:out",
        "final_norm": "norm:out",
        "logits": "logits:out",
    }

    def __init__(self, shape: SparseShape, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        self.heads = shape.width // shape.d_head
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(shape.vocab, shape.width)
            self.position = nn.Embedding(shape.context, shape.width) if shape.positions == "learned" else None
            self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
            self.norm = nn.RMSNorm(shape.width, eps=1e-6)
            self.unembed = nn.Linear(shape.width, shape.vocab, bias=False)
            self.bigram = nn.Embedding(shape.vocab, shape.vocab) if shape.bigram else None
            self.logits = nn.Identity()
            self._initialise()

    def _initialise(self) -> None:
        """GPT-2's recipe: normal weights, what writes to the residual stream scaled down; the bigrams start at 0."""
        for name, weight in self.named_parameters():
            if name.startswith("bigram") or name.endswith(("bias", "sink")):
                nn.init.zeros_(weight)
            elif name.endswith("slope"):
                weight.data = 2.0 ** -torch.linspace(0, 7, len(weight))
            elif "embed" in name or "position" in name:
                nn.init.normal_(weight, std=0.02)
            elif weight.ndim == 2:
                writes = name.endswith(("attn.out.weight", "mlp.down.weight"))
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5 / (2 * self.shape.layers) ** (0.5 * writes))

    def forward(
        self, input_ids: Int[Tensor, "batch position"], attention_mask: Int[Tensor, "batch position"] | None = None
    ) -> Float[Tensor, "batch _ vocab"]:
        """`attention_mask` is 0 on padding, which must be on the left; positions count from the first real token."""
        logits = self.unembed(self.norm(self.stream(input_ids, attention_mask)))
        return self.logits(logits if self.bigram is None else logits + self.bigram(input_ids))

    def stream(
        self,
        input_ids: Int[Tensor, "batch position"],
        attention_mask: Int[Tensor, "batch position"] | None = None,
        at: At | None = None,
        last: Int[Tensor, "batch"] | None = None,
    ) -> Float[Tensor, "batch _ width"]:
        """The residual stream after the last block, with `at` called at every site on the way.

        With `last` it is that of one position in each row, and the last block computes no other.
        """
        length = input_ids.shape[1]
        if length > self.shape.context:
            raise ValueError(
                f"the input has {length} positions; this network was built for at most {self.shape.context}; shorten it"
            )
        x, start = self.embed(input_ids), 0
        allowed = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()[None, None]
        if attention_mask is not None and not attention_mask.all():
            allowed = allowed & attention_mask.bool()[:, None, None, :]  # a padded query attends to the sink alone
            start = (1 - attention_mask).sum(1, keepdim=True)
        if self.position is not None:
            places = (torch.arange(length, device=x.device) - start).clamp(min=0)
            x = x + F.embedding(places, self.position.weight)  # a module's output has to have a row for each input
        for layer, block in enumerate(self.blocks):
            asked = last if layer + 1 == self.shape.layers else None
            x = block(x, _seen(allowed, asked), _within(at, layer), asked)
        return x

    def preference(
        self,
        stream: Float[Tensor, "row width"],
        last: Int[Tensor, "row"],
        answer: Int[Tensor, "row"],
        other: Int[Tensor, "row"],
    ) -> Float[Tensor, "row"]:
        """Logit of `answer` minus logit of `other` after tokens `last` whose residual stream is `stream`."""
        found = ((self.unembed.weight[answer] - self.unembed.weight[other]) * self.norm(stream)).sum(-1)
        if self.bigram is None:
            return found
        return found + self.bigram.weight[last, answer] - self.bigram.weight[last, other]


def _only(x: Float[Tensor, "batch position width"], asked: Int[Tensor, "batch"] | None) -> Tensor:
    """One position of each row [batch, 1, width], or all."""
    return x if asked is None else x[torch.arange(len(x)), asked][:, None]


def _seen(allowed: Bool[Tensor, "#batch 1 position position"], asked: Int[Tensor, "batch"] | None) -> Tensor:
    """What one query in each row may attend to [batch, 1, 1, position], or all."""
    if asked is None:
        return allowed
    return allowed.expand(len(asked), -1, -1, -1)[torch.arange(len(asked)), :, asked][:, :, None]


def _within(at: At | None, layer: int) -> At:
    """`at` for the sites of one layer."""
    if at is None:
        return lambda name, x: x
    return lambda name, x: at(f"{name}.{layer}", x)


def _back(length: int, asked: Int[Tensor, "batch"] | None, like: Tensor) -> Float[Tensor, "#batch 1 query position"]:
    """How far back each position lies from each query."""
    places = torch.arange(length, device=like.device)
    queries = places[None] if asked is None else asked[:, None]
    return (queries[:, :, None] - places).to(like.dtype)[:, None]
