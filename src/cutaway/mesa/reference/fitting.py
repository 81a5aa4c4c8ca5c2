"""Training of small networks on problems drawn without end: AdamW down any loss, resumable, the same from the same seed.

What is left then can be taken on fixed problems, by L-BFGS: Liu and Nocedal 1989 (doi 10.1007/BF01589116).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
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


def polished(network: Network, loss: Callable[[Network], Float[Tensor, ""]], rounds: int) -> Fitted[Network]:
    """A copy of `network`, moved down one fixed loss by L-BFGS for so many rounds: no rate, and no chance, is left in it."""
    network, losses, started = copy.deepcopy(network).train().requires_grad_(True), [], process_time()
    optimiser = torch.optim.LBFGS(
        network.parameters(),
        max_iter=rounds,
        max_eval=rounds + rounds // 4,
        history_size=20,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Float[Tensor, ""]:
        optimiser.zero_grad()
        value = loss(network)
        value.backward()
        losses.append(value.item())
        return value

    optimiser.step(closure)
    if not all(weight.isfinite().all() for weight in network.parameters()):
        raise TrainingDivergedError(
            f"L-BFGS left weights that are not finite after {len(losses)} losses; try fewer rounds"
        )
    return Fitted(network.eval().requires_grad_(False), tuple(losses), process_time() - started)


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
