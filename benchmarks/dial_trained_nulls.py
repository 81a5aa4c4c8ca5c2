"""Does the pruner find circuits where there are none? Trained weight-sparse networks with shuffled weights, and shuffled answers.

The networks and tasks of `dial_circuits`. The search runs although the task is not solved, which `prune` would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.dial_circuits import PLANS, SEEDS, SPARSE, TARGET, TASKS
from benchmarks.dial_networks import TRAINING, row_of, stored, trained
from benchmarks.dial_nulls import NULLS, Shuffled, with_shuffled_weights
from benchmarks.dial_planted import SEARCH
from benchmarks.figures import Bar, Result, clustered
from benchmarks.kept import Kept
from benchmarks.timing import seconds
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.prune import Pruned, Settings, search_all
from cutaway.dial.tasks import task_named

DEPENDS = (*TRAINING, *SEARCH, "dial/tasks", "dial_nulls.py", "dial_circuits.py", "dial_trained_nulls.py")
MINUTES = 30.0


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, task and null, each kept as it is done; nothing is repeated."""
    each_kept(kept, "networks", lambda seed: trained(replace(PLANS[SPARSE], seed=seed)), [(seed,) for seed in SEEDS])
    rows = kept.setting("networks")["facts"]["networks"]
    asked = [(seed, task, null) for seed in SEEDS for task in TASKS for null in NULLS]
    each_kept(kept, "nulls", lambda *one: row(rows, *one), asked)


def row(rows: list[dict[str, Any]], seed: int, task: str, null: str) -> dict[str, Any]:
    """What the pruner finds where nothing is."""
    of, asked, found = replace(PLANS[SPARSE], seed=seed), task_named(task), []
    kept = stored(of, row_of(rows, of)["name"])
    network = with_shuffled_weights(kept.network, seed) if null == "weights" else kept.network
    nodes, settings = nodes_of(network, kept.windows), Settings(target=TARGET, seed=seed)
    told = asked if null == "weights" else Shuffled(asked)
    spent = seconds(lambda: found.append(search_all(network, told, nodes, settings)))
    pruned: Pruned = found[0]
    circuits = [search.circuit and list(search.circuit.size) for search in pruned.searches]
    return {"seed": seed, "task": task, "null": null, "own": pruned.own, "circuits": circuits, "cpu seconds": spent}


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for null, said in (("weights", "shuffled weights"), ("answers", "shuffled answers")):
        what = f"trained weight-sparse networks with {said}: a circuit found"
        yield what, Bar(0.0, False, "{:.1%}"), "dial_trained_nulls", false(null)


def false(null: str) -> Any:
    """The share of searched tasks in which any search found a circuit; training runs are the unit."""

    def figure(result: Result) -> Any:
        rows = [row for row in result["settings"]["nulls"]["facts"]["networks"] if row["null"] == null]
        return clustered([[any(row["circuits"]) for row in rows if row["seed"] == seed] for seed in SEEDS], "tasks")

    return figure
