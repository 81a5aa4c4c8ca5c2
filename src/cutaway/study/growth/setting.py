"""The sizes, seeds, training and search of a study of growth: every number that its figures depend on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from cutaway.study.growth.search import Search
from cutaway.training.transformer import Shape, Transformer

D_HEAD = 8


@dataclass(frozen=True, order=True)
class Size:
    """A decoder of `layers` blocks on a stream of `width` channels, in heads of 8, with 4 · width neurons a block."""

    width: int
    layers: int

    def __post_init__(self) -> None:
        if self.width < D_HEAD or self.width % D_HEAD or self.layers < 1:
            raise ValueError(
                f"given {self}; expected a width of heads of {D_HEAD} channels and at least one layer: 64x2"
            )

    @classmethod
    def of(cls, text: str) -> Size:
        """`64x2`: width 64, 2 layers."""
        width, cross, layers = text.partition("x")
        if not (cross and width.isdecimal() and layers.isdecimal()):
            raise ValueError(f"given the size {text!r}; expected WIDTHxLAYERS, such as 64x2")
        return cls(int(width), int(layers))

    def __str__(self) -> str:
        return f"{self.width}x{self.layers}"

    def shape(self, vocab: int, context: int) -> Shape:
        """The shape of the network."""
        return Shape(vocab, context, self.width, self.layers, self.width // D_HEAD, D_HEAD, 4 * self.width)


DEFAULT = tuple(map(Size.of, ["16x2", "24x2", "32x2", "40x2", "48x3", "64x3", "72x4", "88x4"]))
"""Eight sizes: 23 thousand to 463 thousand parameters, 2.7 decades of operations of training."""


@dataclass(frozen=True)
class Setting:
    """Networks of `sizes` × `seeds`, trained on `tokens_per_parameter` in batches of `batch` windows of `context` tokens.

    `rates` are tried at every size on `trial` of the tokens, with `tuning` as seed; then `penalties` of the search, on the
    network of the best rate. `shares` of decisions explained are what a cost is measured to.
    """

    sizes: tuple[Size, ...] = DEFAULT
    seeds: tuple[int, ...] = (8001, 8002, 8003)
    tuning: int = 7001
    vocab: int = 512
    context: int = 64
    tokens_per_parameter: float = 20.0
    batch: int = 16
    rates: tuple[float, ...] = (4e-3, 8e-3, 1.6e-2, 3.2e-2)
    trial: float = 0.25
    penalties: tuple[float, ...] = (10.0, 20.0, 40.0)
    shares: tuple[float, ...] = (0.1, 0.3, 0.6)
    search: Search = field(default_factory=Search)

    def __post_init__(self) -> None:
        for name in ("sizes", "seeds", "rates", "penalties", "shares"):
            values = getattr(self, name)
            if not values or len(set(values)) != len(values):
                raise ValueError(f"{name} is {values}; expected one or more different values")
        for name in ("vocab", "context", "tokens_per_parameter", "batch", "trial"):
            value = getattr(self, name)
            if not 0 < value < math.inf or (name == "trial" and value > 1):
                raise ValueError(f"{name} is {value}; expected a number above 0{' and at most 1' * (name == 'trial')}")
        if self.tuning in self.seeds:
            raise ValueError(f"the tuning seed {self.tuning} is one of those reported; expected another")
        if max(self.shares) > self.search.until:
            raise ValueError(
                f"shares are {self.shares}, but the search ends at {self.search.until}; let it go on until then"
            )

    def parameters(self, size: Size) -> dict[str, int]:
        """All parameters, those outside of the tables of tokens, and neurons."""
        shape = size.shape(self.vocab, self.context)
        with torch.device("meta"):  # sizes alone: a budget is printed before there is a network
            whole = sum(weight.numel() for weight in Transformer(shape).parameters())
        tables = 2 * self.vocab * size.width
        return {"parameters": whole, "non_embedding": whole - tables, "neurons": shape.hidden * shape.layers}

    def steps(self, size: Size, part: float = 1.0) -> int:
        """Steps of training, or of a part of it."""
        tokens = part * self.tokens_per_parameter * self.parameters(size)["parameters"]
        return max(1, round(tokens / (self.batch * self.context)))

    def about(self) -> dict[str, Any]:
        """What every result depends on, as JSON values: all but which sizes and seeds there are."""
        given = asdict(self)
        return {name: value for name, value in given.items() if name not in ("sizes", "seeds")}
