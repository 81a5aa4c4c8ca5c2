"""Top-k weights: after each step every matrix keeps its k largest magnitudes, k falling from all to a share.

Source: Gao et al. 2025, "Weight-sparse transformers have interpretable circuits" (arXiv 2511.13653).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from torch.optim import Optimizer

from cutaway.dial.pressure.matrices import LANES, Matrix, kind_of, largest, largest_of_each, live, matrices
from cutaway.dial.pressure.pressure import Pressure, Ramp, Step, check_share


@dataclass(frozen=True)
class TopK(Pressure):
    """Each block matrix ends with `share` of its entries; each table of tokens or positions with `embed` (None: `share`).

    Every neuron and head channel keeps at least `least` entries (rows of up, query, key, value; columns of down and out),
    which count towards k. The learning rate is multiplied by √(final k / k) with `sharkfin`. Biases keep `bias` of each
    vector; by default they stay dense, as do gains and sinks always and the kinds in `dense`, here the table of bigrams.

    The optimiser's moments are not touched: a weight that was cut goes on gathering them, and comes back where one step
    carries it over the threshold. Share 1 is no pressure.
    """

    share: float = 1 / 16
    least: int = 4
    embed: float | None = None
    bias: float = 1.0
    ramp: Ramp = field(default_factory=Ramp)
    sharkfin: bool = True
    dense: tuple[str, ...] = ("bigram",)
    decides: ClassVar[str] = "which weights live"

    def __post_init__(self) -> None:
        check_share("TopK.share", self.share)
        check_share("TopK.bias", self.bias)
        if self.embed is not None:
            check_share("TopK.embed", self.embed)
        if self.least < 0:
            raise ValueError(f"TopK.least is {self.least}; expected 0 or more weights for each neuron and channel")

    def goal(self, kind: str) -> float:
        """The share of its entries that a parameter of this kind ends with."""
        if kind == "bias":
            return self.bias
        return self.share if kind in LANES or self.embed is None else self.embed

    def prepare(self, network: nn.Module, supports: nn.Module) -> None:
        for matrix in matrices(network, self.dense):
            self._check(matrix)

    def _check(self, matrix: Matrix) -> None:
        """Refuse a `least` that a matrix cannot hold."""
        lanes, entries = matrix.lanes
        if matrix.table or self.goal(matrix.kind) == 1:
            return
        if self.least > entries:
            raise ValueError(
                f"TopK.least is {self.least}, but a neuron or channel of {matrix.name} has {entries} weights; give at most that"
            )
        final = count(matrix.weight, self.share)
        if self.least * lanes > final:
            raise ValueError(
                f"TopK.least={self.least} for {lanes} neurons or channels is {self.least * lanes} weights, but "
                f"share={self.share:g} leaves {final} in {matrix.name}; try least={final // lanes}"
            )

    def rate(self, step: Step) -> float:
        return (self.share / self.ramp.at(step, 1.0, self.share)) ** 0.5 if self.sharkfin else 1.0

    @torch.no_grad()
    def after_step(self, network: nn.Module, supports: nn.Module, optimiser: Optimizer, step: Step) -> None:
        for matrix in matrices(network, self.dense):
            share = self.ramp.at(step, 1.0, self.goal(matrix.kind))
            if share < 1:
                kept = chosen(matrix, count(matrix.weight, share), self.least)
                matrix.weight.masked_fill_(kept.logical_not_(), 0)
        if (share := self.ramp.at(step, 1.0, self.bias)) < 1:
            for name, bias in network.named_parameters():
                if kind_of(name) == "bias":
                    bias.masked_fill_(~largest(bias.abs(), count(bias, share)), 0)

    def report(self, network: nn.Module) -> dict[str, Any]:
        return {"live": live(network)}


def count(weight: Tensor, share: float) -> int:
    """How many entries a share is: at least one."""
    return max(1, round(share * weight.numel()))


def chosen(matrix: Matrix, count: int, least: int) -> Bool[Tensor, "row column"]:
    """The `count` entries that live: the `least` largest of each neuron or channel, then the largest of the rest."""
    sizes = matrix.weight.detach().abs()
    if least and not matrix.table:
        # by_lane gives a view: what is protected there counts as larger than all else here
        by_lane = matrix.by_lane(sizes)
        by_lane.masked_fill_(largest_of_each(by_lane.contiguous(), least), torch.inf)
    return largest(sizes, count)
