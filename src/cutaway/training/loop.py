"""The one training loop: next-token prediction with AdamW on random windows of a stream of tokens.

Whatever is random in a step is drawn from the seed and the step's number alone, so a checkpoint holds no generator
state and a killed run resumes to the bit-identical network. AdamW: Loshchilov and Hutter 2019, arXiv 1711.05101.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.runs.progress import Progress, silent
from cutaway.training.checkpoint import Checkpoint, fingerprint, latest, write
from cutaway.training.pressure import Pressure
from cutaway.training.windows import Windows


@dataclass(frozen=True)
class Recipe:
    """How to train: every number that changes the result.

    `steps` batches of `batch` windows of `context` tokens; the learning rate rises to `lr` over the first `warmup`
    share of the steps and falls to 0 at the end; `clip` is the largest norm of the gradient; `decay` is for matrices.
    """

    steps: int
    batch: int = 32
    context: int = 128
    lr: float = 3e-3
    warmup: float = 0.02
    schedule: Literal["linear", "cosine"] = "linear"
    betas: tuple[float, float] = (0.9, 0.95)
    decay: float = 0.1
    clip: float = 1.0
    seed: int = 0
    windows: Windows = field(default_factory=Windows)

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "context", "lr", "clip"):
            if getattr(self, name) <= 0:
                raise ValueError(f"Recipe.{name} is {getattr(self, name)}; expected a number above 0")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"Recipe.warmup is {self.warmup}; expected a share of the steps from 0 to below 1")
        if self.schedule not in ("linear", "cosine"):
            raise ValueError(f"Recipe.schedule is {self.schedule!r}; expected 'linear' or 'cosine'")

    def rate(self, step: int) -> float:
        """The learning rate of a step: 0 < rate ≤ lr."""
        rise = max(1, round(self.warmup * self.steps))
        if step < rise:
            return self.lr * (step + 1) / rise
        left = (self.steps - step) / (self.steps - rise)
        return self.lr * (left if self.schedule == "linear" else 0.5 - 0.5 * math.cos(math.pi * left))


@dataclass(frozen=True)
class Trained:
    """A trained network and what its training was.

    `losses` is the cross-entropy of each step in nats per token, the pressure's part not included. `cpu_seconds` is the
    processor time of this process, over all resumed parts.
    """

    network: nn.Module
    recipe: Recipe
    losses: tuple[float, ...]
    cpu_seconds: float
    report: dict[str, Any]

    @property
    def tokens(self) -> int:
        """Tokens predicted in training, repeats counted."""
        return len(self.losses) * self.recipe.batch * self.recipe.context

    def __str__(self) -> str:
        last = self.losses[-50:]
        return (
            f"Trained for {len(self.losses)} steps, {self.tokens / 1e6:.2f}M tokens, {self.cpu_seconds:.0f} CPU-s; "
            f"mean loss of the last {len(last)} steps {sum(last) / len(last):.3f} nats/token"
        )


class TrainingDivergedError(ArithmeticError):
    """The loss or its gradient is no longer a finite number."""


def train(
    network: nn.Module,
    tokens: Int[Tensor, "stream"],
    recipe: Recipe,
    folder: Path | str | None = None,
    pressure: Pressure | None = None,
    progress: Progress = silent,
    every: int = 100,
) -> Trained:
    """A trained copy of `network`; the given one is left as it is.

    With a `folder` the run is checkpointed there every `every` steps and at the end, and goes on from the last
    checkpoint when it is called again with the same network, tokens, recipe and pressure. Raises TrainingDivergedError
    (checkpoints stay) when the loss or the gradient is not finite, ValueError when the folder holds another run.
    """
    check_tokens(network, tokens, recipe)
    network = copy.deepcopy(network).train()
    device = next(network.parameters()).device

    def step(optimiser: torch.optim.Optimizer, number: int) -> float:
        torch.manual_seed(recipe.seed * 1_000_003 + number)
        batch = recipe.windows.draw(tokens, recipe.batch, recipe.context).to(device)
        return one_step(network, optimiser, batch, recipe, number, pressure, folder)

    with forked(device):
        ran = resumed(network, recipe, step, {"tokens": tokens, "pressure": pressure}, folder, progress, every)
    return Trained(network.eval(), recipe, ran.losses, ran.cpu_seconds, pressure.report() if pressure else {})


@dataclass(frozen=True)
class Ran:
    """The loss of each step of a run, and the CPU seconds that they took, over all resumed parts."""

    losses: tuple[float, ...]
    cpu_seconds: float


def resumed(
    network: nn.Module,
    recipe: Recipe,
    step: Callable[[torch.optim.Optimizer, int], float],
    identity: dict[str, Any],
    folder: Path | str | None = None,
    progress: Progress = silent,
    every: int = 100,
) -> Ran:
    """Calls `step` for every step of the recipe that is not done yet; it trains `network` in place and gives the loss.

    With a `folder` the state is written there every `every` steps and at the end, and the run goes on from there when it is
    called again with the same recipe, network and `identity` (whatever else makes it this run). What is random in a step
    must follow from its number. Raises ValueError when the folder holds another run.
    """
    optimiser = adamw(network, recipe)
    marks = fingerprint({"recipe": recipe, "network": network.state_dict(), **identity})
    done = latest(folder, marks) if folder else None
    losses, before = [], 0.0
    if done:
        done.restore(network, optimiser)
        losses, before = list(done.losses), done.cpu_seconds
    started = time.process_time()
    with reported(progress, recipe.steps - len(losses)) as advance:
        for number in range(len(losses), recipe.steps):
            losses.append(step(optimiser, number))
            if folder and (len(losses) % every == 0 or len(losses) == recipe.steps):
                spent = before + time.process_time() - started
                write(Checkpoint.of(network, optimiser, losses, spent), folder, marks)
            advance(1)
    return Ran(tuple(losses), before + time.process_time() - started)


def one_step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: Int[Tensor, "batch window"],
    recipe: Recipe,
    step: int,
    pressure: Pressure | None,
    folder: Path | str | None = None,
) -> float:
    """Move the network's weights by one batch; gives the batch's cross-entropy in nats per token."""
    for group in optimiser.param_groups:
        group["lr"] = recipe.rate(step)
    loss = cross_entropy(network, batch)
    extra = pressure.loss(network, step) if pressure else None
    total = loss if extra is None else loss + extra
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
    if not (torch.isfinite(total) and torch.isfinite(norm)):
        kept = f"the last checkpoint stays in {folder}" if folder else "nothing was kept (no folder was given)"
        raise TrainingDivergedError(
            f"step {step}: loss {total.item():.3g}, gradient norm {norm.item():.3g}; expected finite numbers; {kept}; "
            f"try a smaller learning rate (lr={recipe.lr:g}) or clip (clip={recipe.clip:g})"
        )
    optimiser.step()
    if pressure:
        pressure.after_step(network, step)
    return loss.item()


def cross_entropy(network: nn.Module, window: Int[Tensor, "batch window"]) -> Float[Tensor, ""]:
    """Mean loss in nats per token of predicting each token of the windows but the first."""
    logits = network(window[:, :-1])
    return F.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten())


@torch.no_grad()
def held_out_loss(network: nn.Module, tokens: Int[Tensor, "stream"], context: int, batch: int = 64) -> float:
    """Mean loss in nats per token over consecutive windows of `context` predictions that cover the stream once.

    A last window that is not full is left out; early positions of a window see little, so longer windows score lower.
    """
    starts = torch.arange(0, len(tokens) - context, context)
    if not len(starts):
        raise ValueError(f"{len(tokens)} tokens are fewer than one window; expected at least {context + 1}")
    windows = tokens[starts[:, None] + torch.arange(context + 1)]
    device = next(network.parameters()).device
    losses = [float(cross_entropy(network, part.to(device))) * len(part) for part in windows.split(batch)]
    return sum(losses) / len(windows)


def adamw(network: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW with decay on the matrices and none on gains and biases."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for weight in weights if weight.ndim >= 2], "weight_decay": recipe.decay},
        {"params": [weight for weight in weights if weight.ndim < 2], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=recipe.betas, fused=True)


def check_tokens(network: nn.Module, tokens: Int[Tensor, "stream"], recipe: Recipe) -> None:
    """Refuse what would fail in the middle of a run."""
    if len(tokens) <= recipe.context:
        raise ValueError(f"{len(tokens)} tokens given; expected more than one window of {recipe.context + 1}")
    shape = getattr(network, "shape", None)
    if shape is not None and recipe.context > shape.context:
        raise ValueError(f"Recipe.context is {recipe.context}; the network takes at most {shape.context} positions")
    if shape is not None and int(tokens.max()) >= shape.vocab:
        raise ValueError(f"token id {int(tokens.max())} given; the network's vocabulary has {shape.vocab} ids")


@contextmanager
def forked(device: torch.device) -> Generator[None]:
    """The global generators are as they were after the block, whatever was seeded inside."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


@contextmanager
def reported(progress: Progress, total: int) -> Generator[Callable[[int], None]]:
    """Tells `progress` about the start and, also on error, the end; gives its `advance`."""
    progress.start(total, "training")
    try:
        yield progress.advance
    finally:
        progress.finish()
