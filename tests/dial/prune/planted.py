"""A planted circuit as pruning would give it, and the same with other edges."""

from __future__ import annotations

from functools import cache

import torch

from cutaway.dial.planted import Planted
from cutaway.dial.prune.findings import Findings, findings
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.prune import Pruned, Search, Settings, TaskCircuit

PLANTED = Planted("both", 7001)
SETTINGS = Settings(selection=64, seed=7000)
COUNT = 64


@cache
def circuit() -> TaskCircuit:
    """The circuit that was planted."""
    nodes = nodes_of(PLANTED.network, PLANTED.windows(64, 7001))
    return TaskCircuit(PLANTED.task.name, nodes, PLANTED.nodes, PLANTED.edges, minimal=True)


def less_one() -> TaskCircuit:
    """The circuit without its last edge."""
    name = [name for name, there in PLANTED.edges.items() if there.any()][-1]
    row, column = PLANTED.edges[name].nonzero()[0].tolist()
    return circuit().without(name, row, column)


def one_more() -> TaskCircuit:
    """The circuit with a weight between its nodes that it does without, said to be minimal."""
    one, name = circuit(), "blocks.0.attn.query"
    there = torch.ones_like(one.edges[name]) & ~one.edges[name]
    row, column = there.nonzero()[0].tolist()
    more = one.edges[name].clone()
    more[row, column] = True
    return TaskCircuit(one.task, one.nodes, one.kept, {**one.edges, name: more}, minimal=True)


def pruned(found: TaskCircuit | None) -> Pruned:
    """Two searches, of which the second found this circuit."""
    return Pruned(PLANTED.task.name, 0.01, (Search(7000, None, 1.0), Search(7001, found, 1.5)))


@cache
def told() -> Findings:
    """What is told of the planted circuit."""
    return findings(pruned(circuit()), PLANTED.network, PLANTED.task, SETTINGS, "network", COUNT, (0, 2))
