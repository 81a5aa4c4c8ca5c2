"""How long a description of a circuit is: which nodes, which of the weights between them, and each weight as coarse as it may be.

Nodes and edges are told as subsets, log2 of a binomial coefficient each; weights as multiples of a step per matrix. Sizes in
edges alone do not say how many weights there were to choose from. Given the network's support: which weights of it live is not paid
for, nor are the steps and the counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log
from typing import TYPE_CHECKING

import torch

from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.edges import between, count, linear, matrices, wired
from cutaway.dial.prune.masked import losses

if TYPE_CHECKING:
    from cutaway.dial.prune.prune import TaskCircuit

FINEST = 16


@dataclass(frozen=True)
class Bits:
    """The length of a description in bits: `nodes`, `edges`, `weights`; each weight has `each` bits, its sign among them.

    `each` is the smallest number with which the circuit alone still meets its target on the criterion's examples, None where
    even FINEST bits do not: weights are then counted with those.
    """

    nodes: float
    edges: float
    weights: float
    each: int | None

    @property
    def total(self) -> float:
        """All of it."""
        return self.nodes + self.edges + self.weights


def description(criterion: Criterion, circuit: TaskCircuit) -> Bits:
    """The length of a description of `circuit`; values at which cut things stand are the corpus's, and not counted."""
    network, nodes = criterion.network, circuit.nodes
    edges, kept = circuit.size
    among = count(between(network, nodes, circuit.kept))
    each = next(
        (bits for bits in range(1, FINEST + 1) if rounded_loss(criterion, circuit, bits) <= criterion.target), None
    )
    return Bits(subset(len(nodes), kept), subset(among, edges), float((each or FINEST) * edges), each)


@torch.no_grad()
def rounded_loss(criterion: Criterion, circuit: TaskCircuit, bits: int) -> float:
    """The circuit's loss alone with weights of so many bits: a sign, and multiples of a step that reaches the largest."""
    network = wired(criterion.network, circuit.nodes, circuit.edges)
    for matrix in matrices(network, circuit.nodes):
        weight = linear(network, matrix).weight
        there = circuit.edges[matrix.name]
        if there.any():
            # One bit is the sign alone, at the mean magnitude; more share the range up to the largest.
            steps = 2 ** (bits - 1) - 1
            step = weight[there].abs().max() / steps if steps else weight[there].abs().mean()
            coarse = (weight / step).round().clamp(-steps, steps) * step if steps else weight.sign() * step
            weight.copy_(torch.where(there, coarse, weight))
    return float(losses(network, circuit.nodes, criterion.examples, criterion.masks(circuit.kept)[:1]).mean())


def subset(of: int, size: int) -> float:
    """The bits that say which `size` of `of` things are meant."""
    return (lgamma(of + 1) - lgamma(size + 1) - lgamma(of - size + 1)) / log(2)
