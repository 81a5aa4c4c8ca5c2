"""Fixed support with regrowth: sparse from the first step; now and then the smallest weights are dropped and others grown.

Sources: RigL, Evci et al. 2020 (arXiv 1911.11134); densities by Erdős and Rényi as in Mocanu et al. 2018 (arXiv 1707.04780).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from torch.optim import Optimizer

from cutaway.dial.pressure.matrices import Matrix, largest, live, matrices
from cutaway.dial.pressure.pressure import Pressure, Ramp, Step, check_share


@dataclass(frozen=True)
class Regrowth(Pressure):
    """`share` of the block matrices' entries live, and `embed` (None: `share`) of each table of tokens or positions.

    Every `every` steps a share of each matrix's live weights, `drop` at first and along a cosine 0 after `until` of the run,
    is dropped, smallest first, and as many dead ones grow where the gradient of that step's batch is largest: the support's
    size never changes. With `first`, the share that lives at first, more grow than are dropped until `share` of them live,
    along `ramp`. What grows begins at 0 with moments of 0 and moves from the next step on; unlike in RigL what was dropped
    cannot grow at once. Gradients of dead weights are 0 in every optimiser step, so kernels that never compute them but in
    one step of `every` train the same network.

    `densities`: "uniform", or "erdos-renyi": more in small matrices, the total as with uniform. `start`: where the
    support begins, "random" or at the "largest" weights, as from a dense checkpoint. Biases, gains and sinks stay dense,
    and the kinds in `dense`, here the table of bigrams. Share 1 is no pressure.
    """

    share: float = 1 / 16
    embed: float | None = None
    every: int = 10
    drop: float = 0.2
    until: float = 0.75
    densities: Literal["uniform", "erdos-renyi"] = "uniform"
    start: Literal["random", "largest"] = "random"
    dense: tuple[str, ...] = ("bigram",)
    seed: int = 0
    first: float | None = None
    ramp: Ramp = field(default_factory=lambda: Ramp(0.0, 0.5, "exponential"))
    decides: ClassVar[str] = "which weights live"

    def __post_init__(self) -> None:
        check_share("Regrowth.share", self.share)
        check_share("Regrowth.until", self.until)
        if self.embed is not None:
            check_share("Regrowth.embed", self.embed)
        if self.first is not None and not (0 < self.first <= self.share and self.ramp.end < self.until):
            raise ValueError(
                f"Regrowth.first is {self.first}, ramp ends at {self.ramp.end}; expected at most share ({self.share:g}), and an "
                f"end before until ({self.until:g})"
            )
        if self.every < 1:
            raise ValueError(f"Regrowth.every is {self.every}; expected a positive number of steps")
        if not 0 <= self.drop < 1:
            raise ValueError(f"Regrowth.drop is {self.drop}; expected a share from 0 to below 1")
        if self.densities not in ("uniform", "erdos-renyi") or self.start not in ("random", "largest"):
            raise ValueError(
                f"Regrowth.densities is {self.densities!r} and start {self.start!r}; expected 'uniform' or 'erdos-renyi', "
                "and 'random' or 'largest'"
            )

    @torch.no_grad()
    def prepare(self, network: nn.Module, supports: nn.Module) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        for matrix, count in self.counts(network, self.first).items():
            weight = matrix.weight
            scores = weight.abs() if self.start == "largest" else torch.rand(weight.shape, generator=generator)
            alive = largest(scores, count).to(weight.device)
            supports.register_buffer(matrix.key, alive)
            weight.masked_fill_(~alive, 0)

    def counts(self, network: nn.Module, share: float | None = None) -> dict[Matrix, int]:
        """How many weights live in each matrix that is thinned out: in the end, or where `share` of them do."""
        share = self.share if share is None else share
        found = matrices(network, self.dense)
        blocks, tables = [m for m in found if not m.table], [m for m in found if m.table]
        shares = dict.fromkeys(blocks, share)
        if self.densities == "erdos-renyi":
            shares = dict(zip(blocks, erdos_renyi([m.weight.shape for m in blocks], share)))
        shares |= dict.fromkeys(tables, share if self.embed is None else self.embed)
        return {m: max(1, round(each * m.weight.numel())) for m, each in shares.items() if each < 1}

    def exchanges(self, step: Step) -> bool:
        """Whether this step needs the gradient of dead weights."""
        return self.dropping(step) > 0

    def dropping(self, step: Step) -> float:
        """The share of the live weights that is exchanged at this step: mostly 0."""
        way = step.number / (self.until * step.steps)
        if step.number == 0 or step.number % self.every or way >= 1:
            return 0.0
        return self.drop * (0.5 + 0.5 * math.cos(math.pi * way))

    @torch.no_grad()
    def before_step(self, network: nn.Module, supports: nn.Module, optimiser: Optimizer, step: Step) -> None:
        share = self.dropping(step)
        alive, goals = dict(supports.named_buffers()), self.goals(network, step) if share else {}
        for matrix in matrices(network, self.dense):
            weight = matrix.weight
            if matrix.key not in alive or weight.grad is None:
                continue
            moving = alive[matrix.key]
            if share:
                kept, grown = exchange(weight, weight.grad, moving, share, goals.get(matrix.key, 0))
                moving.copy_(kept | grown)
                dead = ~kept
                for values in (weight, *moments(optimiser, weight)):
                    values.masked_fill_(dead, 0)
                moving = kept
            weight.grad.mul_(moving)

    def goals(self, network: nn.Module, step: Step) -> dict[str, int]:
        """How many weights are to live in each matrix from this step on, where supports grow."""
        if self.first is None:
            return {}
        counts = self.counts(network, self.ramp.at(step, self.first, self.share))
        return {matrix.key: count for matrix, count in counts.items()}

    def report(self, network: nn.Module) -> dict[str, Any]:
        return {"live": live(network)}


def exchange(
    weight: Tensor, gradient: Tensor, alive: Bool[Tensor, "row column"], share: float, goal: int = 0
) -> tuple[Bool[Tensor, "row column"], Bool[Tensor, "row column"]]:
    """Which live weights are kept, and which dead ones grow: as many as are dropped, or until `goal` live."""
    living = int(alive.count_nonzero())
    count = min(round(share * living), alive.numel() - living)
    kept = largest(weight.abs().masked_fill_(~alive, -1), living - count)
    return kept, largest(gradient.abs().masked_fill_(alive, -1), max(count, goal - living + count))


def moments(optimiser: Optimizer, weight: nn.Parameter) -> list[Tensor]:
    """What the optimiser remembers of each entry of a weight; nothing before its first step."""
    return [value for value in optimiser.state.get(weight, {}).values() if value.shape == weight.shape]


def erdos_renyi(shapes: Sequence[Sequence[int]], share: float) -> list[float]:
    """Densities ∝ (in + out) / (in · out), at most 1, with `share` of all entries in total."""
    raw = [sum(shape) / math.prod(shape) for shape in shapes]
    full: set[int] = set()
    while True:
        rest = [i for i in range(len(shapes)) if i not in full]
        left = share * sum(map(math.prod, shapes)) - sum(math.prod(shapes[i]) for i in full)
        scale = left / sum(sum(shapes[i]) for i in rest) if rest else 0.0
        over = {i for i in rest if scale * raw[i] > 1}
        if not over:
            return [1.0 if i in full else scale * raw[i] for i in range(len(shapes))]
        full |= over
