"""A transformer on one page that learns in-context problems, open between its layers: a `Subject` that can be trained.

Points enter as (x, y, 1), queries as (x, 0, 0); every token sees the points and the work tokens, if any; none sees a query.
After Garg et al. 2022 (arXiv 2208.01066) and von Oswald et al. 2023 (arXiv 2212.07677). A head may be given a learned sink, so that
it can attend to nothing, as language models do at their first token (Xiao et al. 2023, arXiv 2309.17453).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import State, Tokens

Stream = Float[Tensor, "prompt token width"]


@dataclass(frozen=True)
class Shape:
    """The size and kind of a transformer for problems in `dim` dimensions.

    `attention` linear has no softmax: scores are divided by the number of points; `sink` gives every softmax head a learned score
    that nothing is read from. `hidden` 0 leaves the MLP out. `tied` layers are one block looped. `d_head` None: width ÷ heads.
    """

    dim: int
    width: int = 32
    heads: int = 4
    layers: int = 6
    hidden: int = 64
    attention: Literal["softmax", "linear"] = "softmax"
    norm: Literal["layer", "rms", "none"] = "layer"
    act: Literal["gelu", "relu"] = "gelu"
    tied: bool = False
    sink: bool = False
    d_head: int | None = None

    def __post_init__(self) -> None:
        for name in ("dim", "width", "heads", "layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"Shape.{name} is {getattr(self, name)}; expected a positive integer")
        if self.hidden < 0:
            raise ValueError(f"Shape.hidden is {self.hidden}; expected a number of neurons, or 0 for no MLP")
        if self.d_head is None and self.width % self.heads:
            raise ValueError(f"{self.heads} heads do not divide a width of {self.width}; give d_head, or other numbers")
        for name, known in (("attention", MIXES), ("norm", NORMS), ("act", ACTS)):
            if getattr(self, name) not in known:
                raise ValueError(f"Shape.{name} is {getattr(self, name)!r}; expected one of {', '.join(known)}")

    @property
    def head(self) -> int:
        """Dimensions of a head."""
        return self.d_head if self.d_head is not None else self.width // self.heads


MIXES = ("softmax", "linear")
NORMS = {"layer": nn.LayerNorm, "rms": nn.RMSNorm, "none": lambda width: nn.Identity()}
ACTS = {"gelu": nn.GELU, "relu": nn.ReLU}


class Attention(nn.Module):
    """Heads that read the labelled points and the work tokens."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        inner = shape.heads * shape.head
        self.query = nn.Linear(shape.width, inner)
        self.key = nn.Linear(shape.width, inner, bias=False)
        self.value = nn.Linear(shape.width, inner, bias=False)
        self.out = nn.Linear(inner, shape.width)
        self.heads, self.linear = shape.heads, shape.attention == "linear"
        self.sink = nn.Parameter(torch.zeros(shape.heads, 1, 1)) if shape.sink else None

    def forward(self, x: Stream, tokens: Tokens) -> Stream:
        """What the heads add to the stream."""
        seen = torch.cat([x[:, tokens.point], x[:, tokens.spare]], 1) if tokens.work else x[:, tokens.point]

        def split(y: Tensor) -> Tensor:
            return rearrange(y, "prompt token (head key) -> prompt head token key", head=self.heads)

        q, k, v = split(self.query(x)), split(self.key(seen)), split(self.value(seen))
        scores = q @ k.transpose(-1, -2) / sqrt(q.shape[-1])
        z = self.shares(scores, tokens) @ v
        return self.out(rearrange(z, "prompt head token key -> prompt token (head key)"))

    def shares(self, scores: Float[Tensor, "prompt head token seen"], tokens: Tokens) -> Tensor:
        """How much of each seen token is read."""
        if self.linear:
            return scores / tokens.points
        if self.sink is None:
            return scores.softmax(-1)
        sink = self.sink.expand(*scores.shape[:1], -1, scores.shape[2], 1)
        return torch.cat([scores, sink], -1).softmax(-1)[..., :-1]


class MLP(nn.Module):
    """Two matrices with a nonlinearity between them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.up, self.act = nn.Linear(shape.width, shape.hidden), ACTS[shape.act]()
        self.down = nn.Linear(shape.hidden, shape.width)

    def forward(self, x: Stream) -> Stream:
        """What the neurons add to the stream."""
        return self.down(self.act(self.up(x)))


class Block(nn.Module):
    """Attention, then an MLP if there is one, each reading the normalised stream and adding to it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm_attn, self.attn = NORMS[shape.norm](shape.width), Attention(shape)
        self.mlp = nn.Sequential(NORMS[shape.norm](shape.width), MLP(shape)) if shape.hidden else None

    def forward(self, x: Stream, tokens: Tokens) -> Stream:
        """The stream after the block."""
        x = x + self.attn(self.norm_attn(x), tokens)
        return x if self.mlp is None else x + self.mlp(x)


class Transformer(nn.Module):
    """Problems -> answers; a `Subject`. The readout is linear, without a norm before it.

    The weights follow from the seed: standard deviation 1/√inputs, those that write to the stream smaller by √(2 · layers).
    """

    def __init__(self, shape: Shape, seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(shape.dim + 2, shape.width)
            self.blocks = nn.ModuleList(Block(shape) for _ in range(1 if shape.tied else shape.layers))
            self.readout = nn.Linear(shape.width, 1)
            initialise(self, sqrt(2 * shape.layers))

    @property
    def depth(self) -> int:
        """How many layers."""
        return self.shape.layers

    def start(self, prompts: Prompts) -> State:
        """The state before the first layer."""
        if prompts.dim != self.shape.dim:
            raise ValueError(f"the prompts' points have {prompts.dim} coordinates; the network takes {self.shape.dim}")
        given = prompts.to(self.readout.weight.dtype)
        xs, points = torch.cat([given.xs, given.queries], 1), given.points
        labels = xs.new_zeros(*xs.shape[:2], 2)
        labels[:, :points, 0], labels[:, :points, 1] = given.ys, 1.0
        return State(self.embed(torch.cat([xs, labels], 2)), Tokens(points, xs.shape[1] - points))

    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first`."""
        if not 0 <= first <= last <= self.depth:
            raise ValueError(f"layers {first} to {last} asked of {self.depth}; expected 0 ≤ first ≤ last ≤ depth")
        if state.stream.shape[1:] != (state.tokens.count, self.shape.width):
            expected = [state.tokens.count, self.shape.width]
            raise ValueError(f"the stream has shape {tuple(state.stream.shape)}; expected {expected} for each problem")
        x = state.stream
        for layer in range(first, last):
            x = self.blocks[0 if self.shape.tied else layer](x, state.tokens)
        return state.having(x)

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers."""
        return self.readout(state.asked).squeeze(-1)

    def forward(self, prompts: Prompts) -> Float[Tensor, "prompt query"]:
        """The answers to problems, from the start."""
        return self.answer(self.run(self.start(prompts), 0, self.depth))


def initialise(network: nn.Module, depth: float) -> None:
    """Draw every matrix from N(0, 1/inputs), those that write to the stream divided by `depth`; biases begin at 0."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            shrink = depth if name.endswith((".out", ".down")) else 1.0
            nn.init.normal_(module.weight, std=1 / (shrink * sqrt(module.in_features)))
            nn.init.zeros_(module.bias) if module.bias is not None else None
