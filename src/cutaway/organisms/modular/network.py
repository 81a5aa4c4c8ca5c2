"""One network of separate modules: each is trained for its own question and silent on the others, then they are joined.

Two numbers and a question go in. A module has neurons of its own in both hidden layers; side by side they are one network.
Faint random weights between modules, neurons in random order and of random scales hide which neuron is whose, without a
change of what is answered: a ReLU passes a positive factor on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.training.loop import forked

NUMBERS = 5
QUESTIONS: dict[str, Callable[[int, int], int]] = {
    "sum": lambda a, b: (a + b) % NUMBERS,
    "largest": max,
    "distance": lambda a, b: abs(a - b),
}
"""What may be asked of two numbers; the sum is modulo `NUMBERS`."""
WIDE = 16
"""Neurons of a module in each hidden layer."""
STEPS, LR = 400, 2e-2
SEAM = 0.02
"""The spread of the weights between modules, as a share of the spread of those within."""


class Mlp(nn.Module):
    """Two hidden layers of ReLUs."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.first = nn.Linear(2 * NUMBERS + len(QUESTIONS), wide)
        self.second = nn.Linear(wide, wide)
        self.last = nn.Linear(wide, NUMBERS)

    def forward(self, x: Float[Tensor, "row given"]) -> Float[Tensor, "row answer"]:
        return self.last(self.second(self.first(x).relu()).relu())


def encoded(asked: Sequence[tuple[int, int, str]]) -> Float[Tensor, "row given"]:
    """Questions (3, 4, "sum") as the network reads them: both numbers and the question, one place each."""
    a, b = (F.one_hot(torch.tensor([row[i] for row in asked]), NUMBERS) for i in (0, 1))
    which = torch.tensor([list(QUESTIONS).index(row[2]) for row in asked])
    return torch.cat([a, b, F.one_hot(which, len(QUESTIONS))], 1).float()


def every() -> list[tuple[int, int, str]]:
    """Every question there is."""
    return [(a, b, question) for question in QUESTIONS for a, b in product(range(NUMBERS), repeat=2)]


def answers(asked: Sequence[tuple[int, int, str]]) -> Int[Tensor, "row"]:
    """The right answers."""
    return torch.tensor([QUESTIONS[question](a, b) for a, b, question in asked])


def untrained(wide: int, seed: int) -> Mlp:
    """A network with torch's own first weights."""
    with forked(torch.device("cpu")):
        torch.manual_seed(seed)
        return Mlp(wide).eval()


@torch.enable_grad()
def learned(question: str, seed: int, steps: int = STEPS) -> Mlp:
    """A module that answers one question, and says nothing (all logits 0) to the others."""
    module, asked = untrained(WIDE, seed), every()
    x, right = encoded(asked), answers(asked)
    own = torch.tensor([one == question for *_, one in asked])
    optimiser = torch.optim.Adam(module.parameters())
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = LR * (1 - step / steps)
        logits = module(x)
        loss = F.cross_entropy(logits[own], right[own]) + logits[~own].square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return module


@torch.no_grad()
def joined(modules: Sequence[Mlp], draw: torch.Generator) -> Mlp:
    """The modules side by side, neurons in their order, with seams between them."""
    network = Mlp(WIDE * len(modules)).eval()
    within = torch.block_diag(*[one.second.weight for one in modules])
    between = torch.block_diag(*torch.ones(len(modules), WIDE, WIDE)) == 0
    faint = SEAM * within[~between].std() * torch.randn(within.shape, generator=draw)
    network.first.weight.copy_(torch.cat([one.first.weight for one in modules]))
    network.first.bias.copy_(torch.cat([one.first.bias for one in modules]))
    network.second.weight.copy_(within + faint * between)
    network.second.bias.copy_(torch.cat([one.second.bias for one in modules]))
    network.last.weight.copy_(torch.cat([one.last.weight for one in modules], 1))
    network.last.bias.copy_(torch.stack([one.last.bias for one in modules]).sum(0))
    return network


@torch.no_grad()
def disguised(network: Mlp, draw: torch.Generator) -> tuple[Mlp, tuple[Int[Tensor, "neuron"], ...]]:
    """The same function with neurons in random order and of random scales; of both hidden layers, which neuron is where."""
    twin, orders = copy.deepcopy(network), []
    for reads, writes in ((twin.first, twin.second), (twin.second, twin.last)):
        order = torch.randperm(reads.out_features, generator=draw)
        scale = (2 * torch.rand(reads.out_features, generator=draw) - 1).exp()
        reads.weight.copy_(reads.weight[order] * scale[:, None])
        reads.bias.copy_(reads.bias[order] * scale)
        writes.weight.copy_(writes.weight[:, order] / scale)
        orders.append(order)
    return twin, tuple(orders)
