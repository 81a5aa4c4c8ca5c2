"""The worst that the rest of a network can do to a circuit's nodes: masks in [0, 1] on all others, moved to raise the loss.

Between the circuit's nodes all weights are there: what is attacked is its choice of nodes, not that of edges.
One mask for a whole batch, so that it cannot be fitted to single examples; fitted to one half of the minimal pairs and scored on
the other. Projected sign-gradient ascent: Madry et al. 2018 (arXiv 1706.06083).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.masked import Nodes, losses
from cutaway.dial.prune.null import connected, neighbours
from cutaway.dial.tasks import Examples
from cutaway.dial.transformer import SparseTransformer
from cutaway.runs.table import Table

ON = 64
"""Examples that a circuit is attacked on beside wrong ones."""


@dataclass(frozen=True)
class Curve:
    """The task's loss in nats, on examples that no mask was fitted to, under the worst masks found in so many steps.

    Steps 0 is the mean over the random starts; later ones are of the restart that was worst on the fitted half.
    """

    steps: tuple[int, ...]
    loss: tuple[float, ...]
    restarts: int
    seed: int


def adversary(
    network: SparseTransformer,
    nodes: Nodes,
    kept: Bool[Tensor, "node"],
    examples: Examples,
    steps: Sequence[int] = (0, 20, 80, 320),
    restarts: int = 5,
    rate: float = 0.1,
    seed: int = 0,
) -> Curve:
    """The curve for the nodes outside `kept`; costs restarts × max(steps) forward and backward passes of half the examples."""
    pairs = torch.arange(len(examples) // 2)
    fit, score = examples.take(pairs[::2]), examples.take(pairs[1::2])
    masks = torch.rand(restarts, len(nodes), generator=torch.Generator().manual_seed(seed))
    found = []

    def under(masks: Tensor, few: Examples) -> Float[Tensor, "restart"]:
        return losses(network, nodes, few, torch.where(kept, 1.0, masks)).mean(1)

    best, worst = masks.clone(), torch.full((restarts,), -1.0)
    for step in range(max(steps) + 1):
        leaf = masks.clone().requires_grad_()
        loss = under(leaf, fit)
        better = loss.detach() > worst
        best, worst = torch.where(better[:, None], masks, best), torch.where(better, loss.detach(), worst)
        if step in steps:
            with torch.no_grad():
                held = under(best, score)
            found.append(float(held.mean() if step == 0 else held[worst.argmax()]))
        if step < max(steps):
            masks = (masks + rate * torch.autograd.grad(loss.sum(), leaf)[0].sign()).clamp(0, 1)
    return Curve(tuple(sorted(steps)), tuple(found), restarts, seed)


def curves(
    criterion: Criterion,
    kept: Bool[Tensor, "node"],
    examples: Examples,
    steps: Sequence[int] = (0, 20, 80),
    restarts: int = 1,
    seed: int = 0,
) -> Table:
    """The curve of a circuit's nodes beside those of wrong sets: less one node, and random connected nodes.

    The node that goes is the one whose loss costs least, to first order, under the criterion.
    """
    size, sets = int(kept.sum()), {"the circuit": kept}
    if size:
        less = kept.clone()
        less[torch.where(kept, criterion.cost_of_nodes(kept).abs(), torch.inf).argmin()] = False
        random = connected(neighbours(criterion.network, criterion.nodes), size, Random(seed))
        sets |= {"less one node": less, "random, as many nodes": random}
    some = examples.take(torch.arange(min(ON, len(examples)) // 2))
    rows = []
    for name, nodes in sets.items():
        found = adversary(criterion.network, criterion.nodes, nodes, some, steps, restarts, seed=seed)
        rows.append({"of": name, **{f"{step} steps": loss for step, loss in zip(found.steps, found.loss)}})
    return Table.of(rows)
