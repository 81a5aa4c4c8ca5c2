"""Does a circuit do on fresh examples what is said of it, and would as much be said of a wrong one?

Beside the circuit stand the circuit less one edge, the worst of them, and random connected sets of as many nodes with all weights
between them: a check that those pass too says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import torch

from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.masked import losses
from cutaway.dial.prune.null import connected, neighbours
from cutaway.dial.tasks import Examples
from cutaway.dial.transformer import SparseTransformer

if TYPE_CHECKING:
    from cutaway.dial.prune.prune import TaskCircuit

COMPLEMENTS = 8
"""Random complements that no search has seen."""


@dataclass(frozen=True)
class Fresh:
    """Losses in nats on examples, and with complements, that chose nothing; chance is .693.

    `alone`: everything else at its mean; `solved`: the share of answers that are right then; `beside`: with the rest masked at
    random; `without`: the whole network with the circuit's nodes at their mean (near chance or above: it was needed; near the
    network's `own`: the rest can do the task too). `less_one`: alone with one edge fewer, the lowest loss over all edges (None
    where there are too many to try); `random`: alone, of the best of random connected sets of as many nodes.
    """

    count: int
    own: float
    alone: float
    solved: float
    beside: float
    without: float
    less_one: float | None
    random: float

    def holds(self, target: float) -> bool:
        """Whether the loss is at most `target` alone and beside random complements."""
        return max(self.alone, self.beside) <= target


@torch.no_grad()
def fresh(
    network: SparseTransformer,
    circuit: TaskCircuit,
    examples: Examples,
    target: float,
    sets: int = 5,
    seed: int = 104_729,
) -> Fresh:
    """What a circuit reaches on `examples`; `sets` random sets beside it, and complements from `seed`."""
    criterion = Criterion(network, circuit.nodes, examples, target, COMPLEMENTS, seed)
    alone = criterion.cut(circuit.kept, circuit.edges, 0, examples)
    beside = torch.cat(
        [criterion.cut(circuit.kept, circuit.edges, draw, on) for draw, on in enumerate(criterion.shares, 1)]
    )
    masks = torch.stack([torch.ones_like(circuit.kept), ~circuit.kept]).float()
    own, without = losses(network, circuit.nodes, examples, masks).mean(1).tolist()
    near, random = neighbours(network, circuit.nodes), Random(seed)
    others = [connected(near, circuit.size[1], random) for _ in range(sets)]
    return Fresh(
        count=len(examples),
        own=own,
        alone=float(alone.mean()),
        solved=float((alone < torch.tensor(2.0).log()).float().mean()),
        beside=float(beside.mean()),
        without=without,
        less_one=min((loss for _, loss in less_one(criterion, circuit)), default=None) if circuit.minimal else None,
        random=min(float(losses(network, circuit.nodes, examples, other.float()[None]).mean()) for other in others),
    )


def less_one(criterion: Criterion, circuit: TaskCircuit) -> list[tuple[tuple[str, int, int], float]]:
    """For each edge (its matrix, row and column) the loss alone without it."""
    found = []
    for name, there in circuit.edges.items():
        for row, column in there.nonzero().tolist():
            fewer = circuit.without(name, row, column)
            loss = criterion.cut(fewer.kept, fewer.edges, 0, criterion.examples)
            found.append(((name, row, column), float(loss.mean())))
    return found
