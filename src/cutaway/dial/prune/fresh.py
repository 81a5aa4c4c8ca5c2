"""Does a circuit do on fresh examples what is said of it, and would as much be said of a wrong one?

Wrong are the circuit less one edge, and random connected sets of as many nodes with all weights between them: a check that those
pass too says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import torch
from jaxtyping import Bool
from torch import Tensor

from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.edges import between
from cutaway.dial.prune.null import connected, neighbours
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.prune.reruns import Edges, Reruns, alone, beside, without
from cutaway.dial.tasks import CHANCE
from cutaway.runs.table import Table

WRONG = 10
"""Wrong circuits of each kind."""
ON = 128
"""Fresh examples that they are asked on."""
DRAWS = 8
"""Random complements there."""
ITSELF, RANDOM = "the circuit", "random, as many nodes"


@dataclass(frozen=True)
class Fresh:
    """What a circuit and its network reach on `count` examples that chose nothing.

    `own`: the network's loss in nats; `solved`: the share of right answers of the circuit with everything else at its mean.
    `power`: how many wrong circuits pass the same checks, and the loss of the one that came closest; and the circuit itself.
    """

    count: int
    own: float
    solved: float
    power: Table


@torch.no_grad()
def fresh(reruns: Reruns) -> Fresh:
    """What a circuit and wrong ones reach on the fresh examples of its reruns."""
    circuit, criterion = reruns.saved.circuit, reruns.fresh
    found = criterion.cut(circuit.kept, circuit.edges, 0, criterion.examples)
    return Fresh(len(found), reruns.own, float((found < CHANCE).float().mean()), power(reruns))


def power(reruns: Reruns) -> Table:
    """Who passes the checks on some of the fresh examples: the circuit should, and no wrong one."""
    whole, circuit = reruns.fresh, reruns.saved.circuit
    pairs = min(ON, len(whole.examples)) // 2
    some = replace(whole, examples=whole.examples.take(torch.arange(pairs)), draws=min(DRAWS, pairs))
    sets = random_sets(some, circuit.size[1], reruns.seed)
    enough = {
        ITSELF: [worse(some, circuit.kept, circuit.edges)],
        "less one edge": [worse(some, circuit.kept, one) for one in less(circuit)],
        RANDOM: [worse(some, one, between(some.network, some.nodes, one)) for one in sets],
    }
    needed = {ITSELF: [without(some, circuit.kept).mean], RANDOM: [without(some, one).mean for one in sets]}
    rows = [row("sufficient", name, loss, some.target) for name, loss in enough.items()]
    return Table.of([*rows, *(row("necessary", name, loss, reruns.needed) for name, loss in needed.items())])


def row(check: str, nodes: str, loss: Sequence[float], limit: float) -> dict[str, object]:
    """How many of these losses pass the check, and the best of them, None where nothing was tried."""
    low = check == "sufficient"
    passed = sum(each <= limit if low else each > limit for each in loss)
    return {
        "check": check,
        "of": nodes,
        "tried": len(loss),
        "passed": passed,
        "best loss": (min if low else max)(loss, default=None),
    }


def worse(criterion: Criterion, kept: Bool[Tensor, "node"], edges: Edges) -> float:
    """The loss alone or beside random complements, whichever is larger; the latter only where the former meets the target."""
    found = alone(criterion, kept, edges).mean
    return found if found > criterion.target else max(found, beside(criterion, kept, edges).mean)


def less(circuit: TaskCircuit) -> list[Edges]:
    """The circuit's edges without one of them, evenly over all."""
    places = [(name, *place) for name, there in circuit.edges.items() for place in there.nonzero().tolist()]
    chosen = places[:: max(1, -(-len(places) // WRONG))]
    return [circuit.without(*place).edges for place in chosen]


def random_sets(criterion: Criterion, size: int, seed: int) -> list[Bool[Tensor, "node"]]:
    """Random connected sets of so many nodes; none of no nodes."""
    near, random = neighbours(criterion.network, criterion.nodes), Random(seed)
    return [connected(near, size, random) for _ in range(WRONG if size else 0)]
