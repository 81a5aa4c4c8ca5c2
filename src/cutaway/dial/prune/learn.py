"""Which nodes a task needs most, and which edges between them: masks learned by gradient under a price that finds itself.

The price of a candidate rises while the task is solved and falls while it is not, so that one pass does without a sweep over
coefficients. Each step looks at what is kept alone and with the rest masked at random: without the second, errors of the
ablation that cancel are found instead of a mechanism.
Sources: Gao et al. 2025 (arXiv 2511.13653) for thresholds that are learned straight through; Bengio et al. 2013
(arXiv 1308.3432) for the estimator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cutaway.dial.prune import edges as edge
from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.eliminate import Over
from cutaway.dial.prune.masked import complements, losses, with_rest
from cutaway.dial.tasks import Examples

Slope = Callable[[Tensor, int], tuple[float, Tensor]]
"""A set, given as 1 or 0 for each of its candidates, and the number of the step -> the loss, and its slope in each candidate."""
ROUND = 8
"""Steps of a round."""


@dataclass(frozen=True)
class Learning:
    """How masks are learned: `steps` of Adam, on `batch` examples each (minimal pairs stay together).

    `lr` falls to a tenth on the way. `temperature` is the width of the threshold that gradients see; the price of a candidate is
    multiplied or divided by `push` at each step, whichever brings the loss to `aim` times the target: what is learned on few
    examples must hold on many.
    """

    steps: int = 120
    batch: int = 12
    lr: float = 0.1
    temperature: float = 0.25
    price: float = 1.0
    push: float = 1.08
    aim: float = 0.8
    rounds: int = 12


def learned(count: int, slope: Slope, over: Over, target: float, how: Learning) -> Float[Tensor, "candidate"]:
    """How much each of `count` candidates is needed: those above 0 were kept at the end, and the order counts.

    What is learned on few examples mostly misses the criterion by a little: then learning goes on at half the price, and at half
    of that, until what is kept is not `over` it, `rounds` times at most. It forgets how steep slopes were before.
    """
    height = torch.ones(count, requires_grad=True)
    first, again = (torch.optim.Adam([height], betas=betas) for betas in ((0.9, 0.999), (0.9, 0.9)))
    aim = how.aim * target
    price, seen = how.price, aim

    def step(optimiser: torch.optim.Optimizer, number: int, rate: float) -> float:
        optimiser.param_groups[0]["lr"] = rate
        loss, rise = slope((height > 0).float(), number)
        soft = torch.sigmoid(height.detach() / how.temperature)
        height.grad = (rise + price / count) * soft * (1 - soft) / how.temperature
        optimiser.step()
        return loss

    for number in range(how.steps):
        seen = 0.9 * seen + 0.1 * step(first, number, how.lr * (1 - 0.9 * number / how.steps))
        price *= how.push if seen < aim else 1 / how.push
    for round_ in range(how.rounds):
        if over(height > 0) <= 0:
            break
        price /= 2
        for number in range(ROUND):
            step(again, (ROUND * round_ + number) % how.steps, how.lr / 2)
    return height.detach()


def of_nodes(criterion: Criterion, examples: Examples, how: Learning) -> Slope:
    """What nodes are worth, alone and with a new complement at each step."""
    batch, draws = _batches(examples, how, criterion.seed), complements(criterion.nodes, how.steps, criterion.seed)

    @torch.enable_grad()
    def slope(kept: Float[Tensor, "node"], step: int) -> tuple[float, Tensor]:
        leaf = kept.clone().requires_grad_()
        masks = with_rest(leaf, draws[step : step + 1])
        loss = losses(criterion.network, criterion.nodes, batch(), masks).mean()
        return loss.item(), torch.autograd.grad(loss, leaf)[0]

    return slope


def of_edges(
    criterion: Criterion, kept: Bool[Tensor, "node"], flat: edge.Flat, examples: Examples, how: Learning
) -> Slope:
    """What the edges between kept nodes are worth, alone and with other weights and nodes live at random."""
    network, nodes = criterion.network, criterion.nodes
    batch, draws = _batches(examples, how, criterion.seed + 1), complements(nodes, how.steps, criterion.seed + 1)
    live = edge.Drawn(network, nodes, criterion.seed + 2)

    @torch.enable_grad()
    def slope(there: Float[Tensor, "edge"], step: int) -> tuple[float, Tensor]:
        few, total, rise = batch(), 0.0, torch.zeros_like(there)
        masks, edges, others = with_rest(kept.float(), draws[step : step + 1]), flat.edges(there.bool()), live.draw()
        for mask, beside in zip(masks, (None, others)):
            loss, costs = criterion.slopes(mask, edges, beside, few)
            total += loss / 2
            rise -= flat.row(costs) / 2
        return total, rise

    return slope


def _batches(examples: Examples, how: Learning, seed: int) -> Callable[[], Examples]:
    generator = torch.Generator().manual_seed(seed)
    return lambda: examples.take(torch.randint(len(examples) // 2, (how.batch // 2,), generator=generator))
