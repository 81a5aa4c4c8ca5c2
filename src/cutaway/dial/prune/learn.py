"""Which nodes a task needs most: masks learned by gradient, under a price for each node that rises while the task is solved.

One pass finds the price by itself, so that no sweep over coefficients is needed. Each step looks at the kept nodes alone and
with the rest masked at random: without the second, errors of the ablation that cancel are found instead of a mechanism.
Sources: Gao et al. 2025 (arXiv 2511.13653) for thresholds that are learned straight through; Bengio et al. 2013
(arXiv 1308.3432) for the estimator.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.dial.prune.masked import Nodes, complements, losses, with_rest
from cutaway.dial.tasks import Examples
from cutaway.dial.transformer import SparseTransformer


@dataclass(frozen=True)
class Learning:
    """How masks are learned: `steps` of Adam at `lr`, on `batch` examples each (minimal pairs stay together).

    `temperature` is the width of the threshold that gradients see; the price of a node is multiplied or divided by `push` at
    each step, whichever brings the loss to the target.
    """

    steps: int = 120
    batch: int = 12
    lr: float = 0.1
    temperature: float = 0.5
    price: float = 1.0
    push: float = 1.08


def learned(
    network: SparseTransformer, nodes: Nodes, examples: Examples, target: float, how: Learning, seed: int
) -> Float[Tensor, "node"]:
    """How much each node is needed: those above 0 were kept at the end; the order is what counts."""
    height = torch.ones(len(nodes), requires_grad=True)
    optimiser = torch.optim.Adam([height], lr=how.lr)
    generator = torch.Generator().manual_seed(seed)
    draws = complements(nodes, how.steps, seed)
    price, seen = how.price, target
    for step in range(how.steps):
        soft = torch.sigmoid(height / how.temperature)
        kept = (height > 0).float() + soft - soft.detach()
        few = examples.take(torch.randint(len(examples) // 2, (how.batch // 2,), generator=generator))
        loss = losses(network, nodes, few, with_rest(kept, draws[step : step + 1])).mean()
        seen = 0.9 * seen + 0.1 * loss.item()
        price *= how.push if seen < target else 1 / how.push
        optimiser.zero_grad()
        (loss + price * soft.mean()).backward()
        optimiser.step()
    return height.detach()
