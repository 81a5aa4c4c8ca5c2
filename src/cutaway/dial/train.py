"""Training under pressure: the one loop of `cutaway.training`, with what the pressures ask for between its parts.

Without pressures it trains bit for bit what `cutaway.training.loop.train` trains.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from cutaway.dial.pressure.pressure import Pressure, Step, check_combination
from cutaway.dial.pressure.regrowth import Regrowth
from cutaway.dial.sparse.training import Layers, sparse_layers
from cutaway.runs.progress import Progress, silent
from cutaway.training.checkpoint import steps
from cutaway.training.loop import Recipe, Trained, TrainingDivergedError, check_tokens, forked, resumed

Kernels = Literal["fastest", "dense"]
"""Which layers compute their live weights only, under regrowth: those that are faster so on this device, or none."""


def train(
    network: nn.Module,
    tokens: Int[Tensor, "stream"],
    recipe: Recipe,
    pressures: Sequence[Pressure] = (),
    folder: Path | str | None = None,
    progress: Progress = silent,
    every: int = 100,
    kernels: Kernels = "fastest",
) -> Trained:
    """A copy of `network` trained under `pressures`; the given one is left as it is.

    Give a fresh network to train from scratch, a trained dense one to anneal it, and `Distil(dense)` among the pressures
    to distil from it. `folder` and `every` are as in `cutaway.training.loop.train`: a killed run resumes to the identical
    network. Under regrowth, layers that are faster so compute their live weights only (`cutaway.dial.sparse.training`), which
    differs by rounding from `kernels="dense"`. The report holds what each pressure reached, under its name, and which layers
    were sparse. Raises ValueError before the first step for pressures that do not fit the network or each other,
    TrainingDivergedError where the loss or the gradient is not finite.
    """
    check_tokens(network, tokens, recipe)
    check_combination(pressures)
    network = copy.deepcopy(network).train()
    device = next(network.parameters()).device
    pressed = Pressed(network, tuple(pressures))

    def step(optimiser: Optimizer, number: int) -> float:
        torch.manual_seed(recipe.seed * 1_000_003 + number)
        batch = recipe.windows.draw(tokens, recipe.batch, recipe.context).to(device)
        return one_step(pressed, optimiser, batch, recipe, number, folder)

    with forked(device), pressed.sparsely(recipe, kernels) as pressed.layers:
        sparse = {"sparse layers": list(pressed.layers.each)} if pressed.layers.each else {}
        identity = {
            "tokens": tokens,
            "pressures": {one.name: one.pressure for one in pressed.each} | {name: {} for name in pressed.layers.each},
            "shape": getattr(network, "shape", None),  # how many channels and tokens survive is in no weight
        }
        ran = resumed(pressed, recipe, step, identity, folder, progress, every)
    report = {one.name: one.pressure.report(network) for one in pressed.each} | sparse
    return Trained(network.eval(), recipe, ran.losses, ran.cpu_seconds, report)


@dataclass(frozen=True)
class Prepared:
    """A pressure and what it remembers."""

    pressure: Pressure
    supports: nn.Module

    @property
    def name(self) -> str:
        """The pressure's kind."""
        return type(self.pressure).__name__


class Pressed(nn.Module):
    """The network that is trained, with what each pressure remembers beside it: what a checkpoint holds."""

    def __init__(self, network: nn.Module, pressures: tuple[Pressure, ...]) -> None:
        super().__init__()
        self.network = network
        self.supports = nn.ModuleDict({type(pressure).__name__: nn.Module() for pressure in pressures})
        self.each = tuple(Prepared(pressure, self.supports[type(pressure).__name__]) for pressure in pressures)
        for one in self.each:
            one.pressure.prepare(network, one.supports)
        self.layers = Layers()

    def sparsely(self, recipe: Recipe, kernels: Kernels) -> AbstractContextManager[Layers]:
        """Those of its layers that are faster so compute what lives, in the block."""
        for one in self.each:
            if isinstance(one.pressure, Regrowth) and kernels == "fastest":
                return sparse_layers(self.network, one.pressure, one.supports, recipe.batch * recipe.context)
        return nullcontext(Layers())


def one_step(
    pressed: Pressed,
    optimiser: Optimizer,
    batch: Int[Tensor, "batch window"],
    recipe: Recipe,
    number: int,
    folder: Path | str | None = None,
) -> float:
    """Move the network's weights by one batch; gives the batch's cross-entropy in nats per token."""
    network = pressed.network
    step = Step(number, recipe.steps, recipe.rate(number))
    step = replace(step, rate=step.rate * math.prod(one.pressure.rate(step) for one in pressed.each))
    for group in optimiser.param_groups:
        group["lr"] = step.rate
    for one in pressed.each:
        one.pressure.before_pass(network, step)
    pressed.layers.turn(step)
    logits = network(batch[:, :-1])
    loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
    extras = [one.pressure.loss(network, logits, batch, step) for one in pressed.each]
    total = sum((extra for extra in extras if extra is not None), start=loss)
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    for one in pressed.each:
        one.pressure.before_step(network, one.supports, optimiser, step)
    norm = nn.utils.get_total_norm([w.grad for w in network.parameters() if w.grad is not None])
    if not (torch.isfinite(total) and torch.isfinite(norm)):
        raise diverged(network, number, total.item(), step.rate, folder)  # before clipping spreads a NaN to all
    nn.utils.clip_grads_with_norm_(network.parameters(), recipe.clip, norm)
    optimiser.step()
    for one in pressed.each:
        one.pressure.after_step(network, one.supports, optimiser, step)
    return loss.item()


def diverged(network: nn.Module, number: int, loss: float, rate: float, folder: Path | str | None) -> Exception:
    """The error that says at which step, and in which parameters, numbers were no longer finite."""
    wrong = [name for name, w in network.named_parameters() if w.grad is not None and not w.grad.isfinite().all()]
    where = f"{wrong[0]} and {len(wrong) - 1} more" if wrong else "no single parameter"
    return TrainingDivergedError(
        f"step {number}: loss {loss:.3g}, gradient not finite in {where}; expected finite numbers; {kept(folder)}; "
        f"try a smaller learning rate (here {rate:.3g}), clip or pressure"
    )


def kept(folder: Path | str | None) -> str:
    """What a run that ends before its time leaves behind, in words."""
    if not folder:
        return "nothing was kept (no folder was given)"
    found = steps(Path(folder))
    if not found:
        return f"no checkpoint yet in {folder}"
    return f"the checkpoint of step {int(found[-1].name.removeprefix('step-'))} stays in {folder}"
