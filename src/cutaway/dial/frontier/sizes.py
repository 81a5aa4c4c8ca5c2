"""How large the circuits of a setting are: geometric means over tasks and runs, and how many times smaller than another's.

A task counts for a setting only if every run of it has a circuit for it, and a ratio is over the tasks that both sides have:
a mean over whatever was found would call a network readable that solves the easy tasks only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from cutaway.dial.resampling import DRAWS, Estimate, estimate, weights
from cutaway.dial.setting import Setting

MEASURES = ("edges", "nodes", "over_null")
"""Edges, nodes, and edges divided by those of the counting null."""
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Sizes:
    """The circuits of one setting.

    `tasks` have a circuit in every run, `lacking` says of each other one why and in how many runs. `logs` holds log sizes for
    each measure. What is 0 (a task that the mean of everything solves, a null without an edge) counts as 1: `floored` circuits.
    """

    setting: Setting
    tasks: tuple[str, ...]
    lacking: Mapping[str, str]
    logs: Mapping[str, Float[ndarray, "run task"]]
    floored: int

    @classmethod
    def of(cls, setting: Setting, circuits: Mapping[tuple[str, str], Row], tasks: Sequence[str]) -> Sizes:
        """From a row for each network and task."""
        runs = [row["name"] for row in setting.rows]
        why = {task: [circuits[name, task]["why"] for name in runs] for task in tasks}
        had = tuple(task for task in tasks if not any(why[task]))
        lacking = {task: _why(why[task]) for task in tasks if task not in had}
        counts = {
            name: np.array([[circuits[run, task][name] for task in had] for run in runs], dtype=float).reshape(
                len(runs), len(had)
            )
            for name in ("edges", "nodes", "null")
        }
        floored = np.minimum.reduce(list(counts.values())) < 1
        logs = {name: np.log(np.maximum(1.0, count)) for name, count in counts.items()}
        logs["over_null"] = logs["edges"] - logs.pop("null")
        return cls(setting, had, lacking, logs, int(floored.sum()))

    def mean(self, measure: str, seed: int = 0) -> Estimate | None:
        """The geometric mean, with an interval over runs and tasks together; None without a task."""
        return ratio(self, None, measure, seed)

    def only(self, tasks: Sequence[str], measure: str) -> Float[ndarray, "run task"]:
        """Log sizes of some of its tasks."""
        return self.logs[measure][:, [self.tasks.index(task) for task in tasks]]


def shared(one: Sizes, other: Sizes) -> tuple[str, ...]:
    """The tasks that both have."""
    return tuple(task for task in one.tasks if task in other.tasks)


def ratio(large: Sizes, small: Sizes | None, measure: str, seed: int = 0) -> Estimate | None:
    """The geometric mean of `large` ÷ `small` over the tasks that both have; of `large` alone where `small` is None.

    The interval (95 %) draws the runs of either side and the tasks anew together, and adds what each moves: what a run does on
    one task alone is counted with both, which errs on the wide side. There is none with one task, or one run on
    a side. None where they share no task.
    """
    tasks = large.tasks if small is None else shared(large, small)
    if not tasks:
        return None
    generator = np.random.default_rng((seed, DRAWS))
    sides = [large.only(tasks, measure)] + ([] if small is None else [-small.only(tasks, measure)])
    value = float(sum(logs.mean() for logs in sides))
    moved = [weights(len(tasks), DRAWS, generator) @ sum(logs.mean(0) for logs in sides)]
    moved += [weights(len(logs), DRAWS, generator) @ logs.mean(1) for logs in sides]
    units = [len(tasks), *map(len, sides)]
    if min(units) < 2:
        return Estimate(value).factor
    return estimate(value, np.sum(moved, 0), np.stack(moved, 1)[:, :, None], units).factor


def _why(reasons: Sequence[str | None]) -> str:
    """In words, with how many of the runs lack it."""
    lacks = [each for each in reasons if each is not None]
    kinds = dict.fromkeys(each.partition(":")[0].partition(" in ")[0] for each in lacks)
    return f"{' or '.join(kinds)} in {len(lacks)} of {len(reasons)} runs"
