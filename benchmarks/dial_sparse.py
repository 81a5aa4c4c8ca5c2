"""Sparse layers against dense float32, forward and backward, and the table by which a network chooses between them.

*Token-major*: input, output and both gradients lie as a dense layer has them, every transposition paid. *Feature-major*:
they lie as between the two matrices of an MLP. *MLP*: up, GELU, down with both matrices sparse, token-major outside. The
floor is what no exact method avoids: the live weights' operations at the rate of the dense layer of the same round, or each
activation and gradient read and written once at the rate of a copy, whichever takes longer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.kept import Kept
from benchmarks.timing import interleave, say
from cutaway.dial.sparse import SparseLinear, product
from cutaway.dial.sparse.choice import TABLE

DEPENDS = ("dial/sparse/product.py", "dial/sparse/support.py", "dial/sparse/linear.py", "dial_sparse.py")
MINUTES = 1.0
FRACTIONS = (16, 32, 64, 128, 256)
SIZES = (
    (1024, 4096, 16, 128),
    (256, 1024, 8, 128),
    (128, 512, 64, 64),
    (1024, 256, 8, 128),
    (512, 128, 64, 64),
    (256, 256, 8, 128),
    (128, 128, 64, 64),
)
"""Columns, rows, batch, positions; an MLP is timed where the layer widens."""
Work = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """A dense layer and the sparse one of the same live weights, 1 in `fraction`, with an input and a gradient."""

    columns: int
    rows: int
    batch: int
    positions: int
    fraction: int

    @property
    def name(self) -> str:
        """The setting."""
        return f"{self.columns} → {self.rows}, {self.batch} × {self.positions} tokens, 1:{self.fraction}"

    @cached_property
    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(7000)

    @cached_property
    def dense(self) -> nn.Linear:
        return self.layer(self.columns, self.rows)

    @cached_property
    def sparse(self) -> SparseLinear:
        return SparseLinear.of(self.dense, self.dense.weight != 0)

    @cached_property
    def mlps(self) -> tuple[nn.Module, nn.Module]:
        """Dense and sparse."""
        down = self.layer(self.rows, self.columns)
        up = SparseLinear.of(self.dense, self.dense.weight != 0, feature_major=True)
        return (
            nn.Sequential(self.dense, nn.GELU(), down),
            nn.Sequential(up, nn.GELU(), SparseLinear.of(down, down.weight != 0)),
        )

    def layer(self, columns: int, rows: int) -> nn.Linear:
        """With 1 in `fraction` of its weights live, at random."""
        layer = nn.utils.skip_init(nn.Linear, columns, rows)
        live = torch.randperm(rows * columns, generator=self.generator)[: rows * columns // self.fraction]
        weight = torch.zeros(rows * columns)
        # An output is about as large as an input: far out, GELU gives denormal numbers, which are slow in every product.
        weight[live] = torch.randn(len(live), generator=self.generator) * (self.fraction / columns) ** 0.5
        layer.weight.data = weight.view(rows, columns)
        layer.bias.data = torch.randn(rows, generator=self.generator)
        return layer

    def activations(self, channels: int) -> Tensor:
        """Token-major, at random."""
        return torch.randn(self.batch, self.positions, channels, generator=self.generator)

    def token_major(self, x: Tensor) -> Tensor:
        """The sparse layer as a dense one lies."""
        return product(x, self.sparse.values[:, 0], self.sparse.support, self.sparse.bias, feature_major=False)

    def timed(self) -> dict[str, Work]:
        """What is timed side by side."""
        x, grad = self.activations(self.columns), self.activations(self.rows)
        wide = max(x, grad, key=torch.numel)
        there = torch.empty_like(wide)
        found = {
            "dense": both(self.dense, x, grad),
            "sparse, token-major": both(self.token_major, x, grad, self.sparse),
            "sparse, feature-major": both(self.feature_major, turned(x), turned(grad), self.sparse),
            "copy": lambda: there.copy_(wide),
        }
        if self.rows > self.columns:
            dense, sparse = self.mlps
            back = self.activations(self.columns)
            found |= {"dense MLP": both(dense, x, back), "sparse MLP": both(sparse, x, back)}
        return found

    def feature_major(self, x: Tensor) -> Tensor:
        """The sparse layer as it lies within an MLP."""
        return product(x, self.sparse.values[:, 0], self.sparse.support, self.sparse.bias, feature_major=True)

    def facts(self) -> dict[str, Any]:
        """Operations, bytes and errors."""
        tokens, live = self.batch * self.positions, self.sparse.support.live
        return {
            "tokens": tokens,
            "live": live,
            # A product and its two gradients, two operations for each weight and token.
            "flops": {"dense": 6 * self.rows * self.columns * tokens, "useful": 6 * live * tokens},
            # Input read twice, its gradient written, output written, its gradient read; values twice, their gradient, the index.
            "bytes": {
                "floor": 4 * (tokens * (3 * self.columns + 2 * self.rows) + 4 * live),
                "copy": 8 * tokens * max(self.rows, self.columns),
            },
            "errors": self.errors(),
        }

    def moved(self) -> int:
        """Bytes of the floor: the input read forward and backward, its gradient written; the output written, its gradient read."""
        tokens, live = self.batch * self.positions, self.sparse.support.live
        values = 4 * live  # read forward and backward, their gradient, the index
        return 4 * (tokens * (3 * self.columns + 2 * self.rows) + values)

    def errors(self) -> dict[str, float]:
        """The largest difference from the dense layer in float64, relative to the largest entry: of either in float32."""
        x, grad = self.activations(self.columns), self.activations(self.rows)
        exact = results(self.layer_in_double(), x.double(), grad.double())
        live = self.dense.weight != 0
        found = {}
        for name, layer in (("dense", self.dense), ("sparse", self.sparse)):
            for part, value in results(layer, x, grad).items():
                truth = exact[part] if part != "weight" else exact[part][live]
                value = value[live] if part == "weight" and name == "dense" else value
                found[f"{name}: {part}"] = float((value.view_as(truth) - truth).abs().max() / truth.abs().max())
        return found

    def layer_in_double(self) -> nn.Linear:
        """The dense layer in float64, a copy."""
        return SparseLinear.of(self.dense, self.dense.weight != 0).double().dense()


def both(f: Callable[[Tensor], Tensor], x: Tensor, grad: Tensor, layer: nn.Module | None = None) -> Work:
    """Forward and backward, to the input and to the weights."""
    trained = layer or f
    assert isinstance(trained, nn.Module)

    def work() -> None:
        trained.zero_grad(set_to_none=True)
        f(x.detach().requires_grad_()).backward(grad)

    return work


def turned(x: Tensor) -> Tensor:
    """The same in feature-major memory."""
    return x.mT.contiguous().mT


def results(layer: nn.Module, x: Tensor, grad: Tensor) -> dict[str, Tensor]:
    """The output and the three gradients."""
    layer.zero_grad(set_to_none=True)
    x = x.detach().requires_grad_()
    y = layer(x)
    y.backward(grad)
    weight, bias = (parameter.grad for parameter in layer.parameters())
    return {"output": y.detach(), "input": x.grad, "weight": weight, "bias": bias}


def cases() -> Iterator[Case]:
    """Every size at every fraction."""
    for size in SIZES:
        for fraction in FRACTIONS:
            yield Case(*size, fraction)


def measure(kept: Kept, repetitions: int) -> None:
    """All cases; then the table of the package, and the ratios on the terminal."""
    for case in cases():
        calls = 1 if case.rows * case.columns > 2**20 else 2
        interleave(kept, case.name, case.timed(), repetitions, case.facts, calls=calls)
    write_table(kept.known)
    for name, setting in kept.known["settings"].items():
        say(f"{name}: " + ", ".join(f"{what} {value:.2f}×" for what, value in ratios(setting).items()))


def ratios(setting: dict[str, Any]) -> dict[str, float]:
    """How many times faster than dense, medians of ratios within a round; and how far from the floor."""
    seconds, facts = setting["seconds"], setting["facts"]
    pairs = {"token-major": ("dense", "sparse, token-major"), "feature-major": ("dense", "sparse, feature-major")}
    if "dense MLP" in seconds:
        pairs["MLP"] = ("dense MLP", "sparse MLP")
    found = {name: times(seconds, *pair) for name, pair in pairs.items()}
    useful = facts["flops"]["useful"] / facts["flops"]["dense"] * median(seconds["dense"])
    moved = facts["bytes"]["floor"] / facts["bytes"]["copy"] * median(seconds["copy"])
    floor = max(useful, moved)
    for name in ("token-major", "feature-major"):
        found[f"{name} over the floor"] = median(seconds[f"sparse, {name}"]) / floor
    return found


def times(seconds: dict[str, list[float]], slow: str, fast: str) -> float:
    """The median of the ratios within each round."""
    return median(a / b for a, b in zip(seconds[slow], seconds[fast]))


def table(result: dict[str, Any]) -> dict[str, Any]:
    """What the package knows: each case with its token-major ratio."""
    lines = []
    for case in cases():
        setting = result["settings"][case.name]
        sizes = {"device": "cpu", "rows": case.rows, "columns": case.columns, "tokens": setting["facts"]["tokens"]}
        share = setting["facts"]["live"] / (case.rows * case.columns)
        lines.append(sizes | {"share": share, "times": round(ratios(setting)["token-major"], 3)})
    return {
        "source": "python benchmarks/run.py dial_sparse",
        "code": result["code"],
        "circumstances": result["circumstances"],
        "measured": lines,
    }


def write_table(result: dict[str, Any]) -> None:
    """To the package, by rename."""
    beside = TABLE.with_name(f"{TABLE.name}.tmp-{os.getpid()}")
    beside.write_text(json.dumps(table(result), indent=1) + "\n", encoding="utf-8")
    os.replace(beside, TABLE)
