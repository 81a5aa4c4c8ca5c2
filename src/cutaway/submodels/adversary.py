"""The worst masks: is a set of parts enough even if the rest is ablated in the most harmful way?

A claim "these parts suffice" is checked under masks that the method did not choose: every other part gets a mask in
[0, 1] (1: as it is, 0: at the baseline), one for the whole batch so that it cannot be fitted to single examples, moved by
projected sign-gradient ascent to change the decision most. Optimised with some donors, scored with others. Works for
every kind of part, because it needs only masks. Source: the adversarial reconstruction of parameter decomposition
(Bushnaq et al. 2026; Goodfire), and Madry et al. 2018 (arXiv 1706.06083) for the ascent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from cutaway.network import Batch, Edit, Metric, Network, Site
from cutaway.network.edit import Receipt
from cutaway.network.passes import Pass
from cutaway.submodels.baseline import Baseline
from cutaway.submodels.submodel import SubModel, take_away


@dataclass(frozen=True)
class Curve:
    """How far the decision moves (|change|, mean over rows) under the worst masks found in so many `steps`.

    `found` is measured with the donors that the masks were fitted to, `moved` with others: the figure to believe. Steps 0
    is the mean over the random starts.
    """

    steps: tuple[int, ...]
    found: tuple[float, ...]
    moved: tuple[float, ...]
    restarts: int
    seed: int
    masks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Faded:
    """A part at m · itself + (1 − m) · what `away` puts in its place."""

    away: Any
    mask: Tensor

    def __call__(self, x: Tensor, rows: Tensor, read: Mapping[Site, Tensor]) -> Tensor:
        return x + (self.mask.to(x) - 1) * (x - self.away(x, rows, read))


def adversary(
    net: Network,
    inputs: Any,
    metric: Metric,
    rest: Sequence[SubModel],
    baseline: Baseline,
    steps: Sequence[int] = (0, 20, 80),
    restarts: int = 5,
    rate: float = 0.1,
    seed: int = 0,
) -> Curve:
    """The curve of worst masks on the parts `rest`, those that a claim says are not needed.

    Cost: restarts × steps forward and backward passes. Needs a baseline of ≥ 2 draws to score on donors of their own.
    """
    if not rest:
        return Curve(tuple(steps), (0.0,) * len(steps), (0.0,) * len(steps), 0, seed)
    batch = net.batch(inputs)
    rows = torch.arange(batch.rows, device=net.device)
    against = _Against(net, batch, rows, metric, rest, baseline, metric(net.run(batch).output, rows))
    half = max(1, baseline.draws // 2)
    fit, score = list(range(half)), list(range(half, baseline.draws)) or [0]
    generator = torch.Generator().manual_seed(seed)
    found = {step: [] for step in steps}
    held = {step: [] for step in steps}
    worst: tuple[float, Tensor] = (-1.0, torch.ones(len(rest)))
    for _ in range(restarts):
        masks = torch.rand(len(rest), generator=generator)
        best = (-1.0, masks)  # of this restart so far: an ascent by signs overshoots
        for step in range(max(steps) + 1):
            if step in found:
                best = max(best, (against.scored(masks, fit), masks.clone()), key=lambda pair: pair[0])
                found[step].append(best[0])
                held[step].append(against.scored(best[1], score))
                worst = max(worst, (held[step][-1], best[1]), key=lambda pair: pair[0])
            if step < max(steps):
                masks = (masks + rate * against.slope(masks, fit[step % len(fit)]).sign()).clamp(0, 1)
    most = {step: max(range(restarts), key=lambda r, s=step: found[s][r]) for step in steps}
    return Curve(
        tuple(steps),
        tuple(sum(found[s]) / restarts if s == 0 else found[s][most[s]] for s in steps),
        tuple(sum(held[s]) / restarts if s == 0 else held[s][most[s]] for s in steps),
        restarts,
        seed,
        {part.name: float(m) for part, m in zip(rest, worst[1])},
    )


@dataclass(frozen=True, eq=False)
class _Against:
    """A claim under attack: how far the decision moves from `clean` when the parts `rest` are masked."""

    net: Network
    batch: Batch
    rows: Tensor
    metric: Metric
    rest: Sequence[SubModel]
    baseline: Baseline
    clean: Tensor

    def moved(self, masks: Tensor, draw: int, gradients: bool = False) -> Tensor:
        """Mean |change| of the decision under these masks, with one draw of the baseline."""
        away = [(i, take_away(self.net, part, self.baseline, draw)) for i, part in enumerate(self.rest)]
        edits = [_fade(edit, masks[i]) for i, several in away for edit in several]
        self.net.locate_for(self.batch, [edit.site for edit in edits])
        values: dict[Site, Tensor] = {}
        touches = []
        for edit in edits:
            touches += self.net.read_touches(edit.reads, values)
            touches.append(self.net.edit_touch(edit, Receipt(edit.site), self.rows, values))
        output = Pass(self.net.wiring, touches, gradients=gradients)(self.batch)
        return (self.metric(output, self.rows) - self.clean).abs().mean()

    def scored(self, masks: Tensor, draws: Sequence[int]) -> float:
        """The mean over draws."""
        return sum(float(self.moved(masks, draw)) for draw in draws) / len(draws)

    def slope(self, masks: Tensor, draw: int) -> Tensor:
        """Which way each mask moves the decision further."""
        leaf = masks.clone().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(self.moved(leaf, draw, gradients=True), leaf)[0]


def _fade(edit: Edit, mask: Tensor) -> Edit:
    return Edit(edit.site, Faded(edit.change, mask), edit.reads)
