"""Frontiers of made-up sweeps with circuits of known sizes."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from tests.dial.swept import rows

from cutaway.dial.frontier.frontier import Frontier
from cutaway.dial.price import prices
from cutaway.runs import Table

TASKS = ("quote_kind", "for_while", "def_call")
Size = Callable[[Mapping[str, Any], str], float | None]


def frontier(
    size: Size, tasks: tuple[str, ...] = TASKS, pressures: tuple[str, ...] = ("dense", "p"), **given: Any
) -> Frontier:
    """Circuits have `size(row, task)` edges (None: none was found), a tenth as many nodes, twice as many edges in the null."""
    rng = np.random.default_rng(7000)
    swept = [each for pressure in pressures for each in rows(rng, pressure, **{"noise": 0.001, **given})]
    return Frontier(
        Table.of(swept), Table.of(circuit(row, task, size) for row in swept for task in tasks), tasks, 0.15, ()
    )


def priced(made: Frontier) -> Frontier:
    """The same with its prices."""
    return Frontier(made.sweep, made.circuits, made.tasks, made.target, tuple(prices(made.sweep)))


def circuit(row: Mapping[str, Any], task: str, size: Size) -> dict[str, Any]:
    """A row of the table of circuits."""
    edges = size(row, task)
    found = {"name": row["name"], "task": task, "edges": edges, "nodes": None, "null": None, "why": None}
    if edges is None:
        return {**found, "why": f"not solved: {task} has loss 0.7 against target 0.15"}
    return {**found, "nodes": edges / 10, "null": 2 * edges}


def pressed(row: Mapping[str, Any], task: str) -> float:
    """400 edges, a twentieth of it in pressed networks."""
    return 400.0 if row["pressure"] == "dense" else 20.0
