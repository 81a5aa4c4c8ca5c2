"""Does the pruner find the circuit that is known? Programs planted into sparse weights, each at three seeds.

Exact means every edge and every node, none more and none less. What differs is listed, with what the circuit's proof says of
the network: where a network's own truth does not hold, the miss is the organism's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from benchmarks.timing import seconds
from cutaway.dial.planted import Planted, check, programs
from cutaway.dial.prune.prune import Pruned, Settings, TaskCircuit, prune

SEARCH = tuple(f"dial/prune/{name}.py" for name in ("criterion", "edges", "eliminate", "learn", "masked", "prune"))
"""What finds a circuit, without what tells of it."""
DEPENDS = ("dial/planted", *SEARCH, "dial/tasks/task.py", "dial/transformer.py", "dial_planted.py")
MINUTES = 15.0
SEEDS = (8001, 8002, 8003)
WINDOWS = 512
"""Windows of the corpus that means are taken over."""


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    each_kept(kept, "planted", recovered, [(program, seed) for program in programs() for seed in SEEDS])
    facts = kept.setting("planted")["facts"]
    facts["rate"] = rate(facts["networks"])
    kept.write()


def recovered(program: str, seed: int) -> dict[str, Any]:
    """What the pruner finds in one network, against what is there."""
    planted, found = Planted(program, seed), []
    spent = seconds(lambda: found.append(prune(planted.network, planted.task, corpus(planted), Settings(seed=seed))))
    return {
        "program": program,
        "seed": seed,
        "true": dict(zip(("edges", "nodes"), planted.size)),
        **against(planted, found[0]),
        "proof": list(check(planted).failures),
        "cpu seconds": spent,
    }


def corpus(planted: Planted) -> Tensor:
    """Windows for means, the same whatever is asked of the network."""
    return planted.windows(WINDOWS, planted.seed)


def against(planted: Planted, pruned: Pruned) -> dict[str, Any]:
    """Whether edges and nodes are exactly the true ones, what differs, and how large each search's circuit was."""
    sizes = [search.circuit and list(search.circuit.size) for search in pruned.searches]
    if (found := pruned.circuit) is None:
        return {"own": pruned.own, "searches": sizes, "edges exact": False, "nodes exact": False, "missing": None}
    missing, extra = differences(planted.edges, found.edges)
    nodes = [names(found, found.kept & ~planted.nodes), names(found, planted.nodes & ~found.kept)]
    return {
        "own": pruned.own,
        "searches": sizes,
        "edges exact": not missing and not extra,
        "nodes exact": not any(nodes),
        "missing": missing,
        "extra": extra,
        "extra nodes": nodes[0],
        "missing nodes": nodes[1],
    }


def differences(true: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> tuple[list[str], list[str]]:
    """Edges that are missing, and such as should not be there (`blocks.0.mlp.up[3, 17]`)."""

    def named(which: Mapping[str, Tensor]) -> list[str]:
        return [f"{name}[{row}, {column}]" for name, there in which.items() for row, column in there.nonzero().tolist()]

    return (
        named({name: there & ~found[name] for name, there in true.items()}),
        named({name: found[name] & ~there for name, there in true.items()}),
    )


def names(circuit: TaskCircuit, which: Tensor) -> list[str]:
    """The addresses of some nodes."""
    return [circuit.nodes.addresses[node] for node in which.nonzero()[:, 0].tolist()]


def rate(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many networks there are, and in how many edges, nodes and both are exact."""
    edges, nodes = (torch.tensor([row[f"{what} exact"] for row in rows]) for what in ("edges", "nodes"))
    return {
        "networks": len(rows),
        "edges exact": int(edges.sum()),
        "nodes exact": int(nodes.sum()),
        "both exact": int((edges & nodes).sum()),
    }
