"""Planted circuits as the pruner would give them, and random ones of the same size."""

from functools import cache

import torch

from cutaway.dial.planted import Planted
from cutaway.dial.prune.edges import matrices, touched, weight_of
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.prune import TaskCircuit

SEED = 7001
TEXTS = tuple(f"t{token}" for token in range(32))


@cache
def planted(program: str, seed: int = SEED) -> Planted:
    return Planted(program, seed)


@cache
def circuit(program: str, seed: int = SEED) -> TaskCircuit:
    """The planted circuit."""
    each = planted(program, seed)
    return TaskCircuit(each.task.name, nodes_of(each.network, each.windows(64, 0)), each.nodes, each.edges, True)


def random_circuit(program: str, seed: int) -> TaskCircuit:
    """As many edges, drawn from all live weights."""
    right, network = circuit(program), planted(program).network
    live = [
        (matrix.name, *place)
        for matrix in matrices(network, right.nodes)
        for place in weight_of(network, matrix).nonzero().tolist()
    ]
    edges = {name: torch.zeros_like(there) for name, there in right.edges.items()}
    for at in torch.randperm(len(live), generator=torch.Generator().manual_seed(seed))[: right.size[0]].tolist():
        name, row, column = live[at]
        edges[name][row, column] = True
    return TaskCircuit(right.task, right.nodes, touched(network, right.nodes, edges), edges, False)
