"""Training of small networks on problems drawn without end: AdamW down any loss, resumable, the same from the same seed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.runs import Progress, silent
from cutaway.training.loop import Recipe, TrainingDivergedError, resumed

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Fitted(Generic[Network]):
    """A trained network, frozen; the loss of each step; the CPU seconds that they took."""

    network: Network
    losses: tuple[float, ...]
    cpu_seconds: float


def fitted(
    network: Network,
    loss: Callable[[Network, int], Float[Tensor, ""]],
    recipe: Recipe,
    identity: dict[str, Any] | None = None,
    folder: Path | str | None = None,
    progress: Progress = silent,
    every: int = 500,
    after: Callable[[Network, int], None] | None = None,
) -> Fitted[Network]:
    """A copy of `network`, moved down `loss(network, step)` for every step of the recipe; the given one stays as it is.

    What is random in a loss must follow from the step's number. `identity` says what else makes the run this one; `after` is
    called with the network after each step. Raises TrainingDivergedError where the loss or its gradient is not finite.
    """
    network = copy.deepcopy(network).train().requires_grad_(True)

    def step(optimiser: torch.optim.Optimizer, number: int) -> float:
        value = loss(network, number)
        _move(network, optimiser, value, recipe, number)
        if after is not None:
            after(network, number + 1)
        return value.item()

    ran = resumed(network, recipe, step, identity or {}, folder, progress, every)
    return Fitted(network.eval().requires_grad_(False), ran.losses, ran.cpu_seconds)


def _move(
    network: nn.Module, optimiser: torch.optim.Optimizer, loss: Float[Tensor, ""], recipe: Recipe, number: int
) -> None:
    """One step of the optimiser, at the recipe's rate and clip."""
    for group in optimiser.param_groups:
        group["lr"] = recipe.rate(number)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        raise TrainingDivergedError(
            f"step {number}: loss {loss.item():.3g}, gradient norm {norm.item():.3g}; expected finite numbers; try a "
            f"smaller learning rate (lr={recipe.lr:g}) or clip (clip={recipe.clip:g})"
        )
    optimiser.step()
