"""A pressure: what a training run of the dial asks of a network besides a low loss, as a value with a few methods.

Every method has a default that does nothing, so a pressure writes only those that it needs. What it has to remember is
kept in buffers beside the network, not in it: they are checkpointed with it, and the trained network is an ordinary one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer


@dataclass(frozen=True)
class Step:
    """Where a run is: step `number` of `steps`, counted from 0, with its learning rate `rate`, all factors included."""

    number: int
    steps: int
    rate: float

    @property
    def done(self) -> float:
        """The share of the run that is done after this step: 1 at the last."""
        return (self.number + 1) / self.steps


@dataclass(frozen=True)
class Ramp:
    """Goes from one number to another between two shares of the run, and stays there.

    An exponential ramp that takes the whole run (`end=1`) leaves no steps to recover in at a high learning rate.
    """

    begin: float = 0.01
    end: float = 0.5
    curve: Literal["linear", "exponential"] = "linear"

    def __post_init__(self) -> None:
        if not 0 <= self.begin < self.end <= 1:
            raise ValueError(
                f"Ramp begins at {self.begin} and ends at {self.end}; expected shares of the run, 0 ≤ begin < end ≤ 1"
            )
        if self.curve not in ("linear", "exponential"):
            raise ValueError(f"Ramp.curve is {self.curve!r}; expected 'linear' or 'exponential'")

    def at(self, step: Step, start: float, goal: float) -> float:
        """The number at a step; both ends are reached exactly."""
        way = min(max((step.done - self.begin) / (self.end - self.begin), 0.0), 1.0)
        if way in (0.0, 1.0):
            return goal if way else start
        return start + (goal - start) * way if self.curve == "linear" else start * (goal / start) ** way


@runtime_checkable
class Pressure(Protocol):
    """What the loop asks at each step, in the order of the methods; all are called with the copy that is trained.

    `supports` is this pressure's own module: its buffers are what is remembered from step to step. Whatever is random
    must follow from the pressure's fields and the step. Pressures combine: each method is called for one after another
    in the order given, losses add up, factors multiply. Two that `decide` the same thing are refused.
    """

    decides: ClassVar[str] = ""

    def prepare(self, network: nn.Module, supports: nn.Module) -> None:
        """Once, before the first step and before a resumed one: check the network, register buffers in `supports`."""

    def rate(self, step: Step) -> float:
        """A factor on the learning rate."""
        return 1.0

    def before_pass(self, network: nn.Module, step: Step) -> None:
        """Before the forward pass: turn what of the network follows a schedule."""

    def loss(
        self,
        network: nn.Module,
        logits: Float[Tensor, "batch position vocab"],
        batch: Int[Tensor, "batch window"],
        step: Step,
    ) -> Float[Tensor, ""] | None:
        """What is added to the cross-entropy, in nats per token, or None; `batch` holds one token more than `logits`."""
        return None

    def before_step(self, network: nn.Module, supports: nn.Module, optimiser: Optimizer, step: Step) -> None:
        """The gradients are there, not yet clipped, and the optimiser has not moved."""

    def after_step(self, network: nn.Module, supports: nn.Module, optimiser: Optimizer, step: Step) -> None:
        """The optimiser has moved: the place to project the weights."""

    def report(self, network: nn.Module) -> dict[str, Any]:
        """What the pressure reached, measured on the network, in JSON values."""
        return {}


def check_combination(pressures: Sequence[Pressure]) -> None:
    """Refuse two pressures of a kind, and two that decide the same thing."""
    for index, pressure in enumerate(pressures):
        name = type(pressure).__name__
        if not isinstance(pressure, Pressure):
            raise ValueError(f"{pressure!r} given as a pressure; expected one of cutaway.dial.pressure")
        for other in pressures[:index]:
            if type(other) is type(pressure):
                raise ValueError(f"{name} is given twice; expected at most one of a kind")
            if pressure.decides and other.decides == pressure.decides:
                raise ValueError(
                    f"{type(other).__name__} and {name} both decide {pressure.decides}; expected one that does; leave one out"
                )


def check_number(what: str, value: float) -> None:
    """Refuse a strength that is negative or not finite."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{what} is {value}; expected a finite number of at least 0 (0: no pressure)")


def check_share(what: str, value: float) -> None:
    """Refuse a share that keeps nothing or more than all."""
    if not 0 < value <= 1:
        raise ValueError(f"{what} is {value}; expected a share above 0 and at most 1 (1: no pressure)")
