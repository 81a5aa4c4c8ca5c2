"""The circuit of each task in each network of a sweep: a row for every pair, also where there is none to find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from cutaway.dial.prune.null import counting_null
from cutaway.dial.prune.prune import NotSolved, Pruned, Settings, prune
from cutaway.dial.store import Stored, load
from cutaway.dial.sweep import TABLE
from cutaway.dial.tasks import Task, task_named
from cutaway.runs import Engine, Progress, RunError, Table, load_parquet, open_run, resumable, silent

CIRCUITS = ("name", "task", "own", "edges", "nodes", "null", "minimal", "searches", "failed", "cpu_s", "why")
"""The columns of the table of circuits."""
Row = Mapping[str, Any]


def swept(folder: Path | str) -> Table:
    """The table of the latest sweep in `folder`. Raises RunError where there is none."""
    path = Path(folder) / TABLE
    if not path.is_file():
        raise RunError(
            f"{folder}: holds no {TABLE}; expected the folder of a finished sweep, as cutaway dial sweep --folder writes it"
        )
    return load_parquet(path)


def solved_by_all(sweep: Table, target: float) -> tuple[str, ...]:
    """The tasks that every network of a sweep solves, by the losses that the sweep measured."""
    losses = [dict(zip(row["tasks"], row["task_losses"])) for row in sweep if row["why"] is None]
    names = list(dict.fromkeys(name for each in losses for name in each))
    return tuple(name for name in names if all(each.get(name, target + 1) <= target for each in losses))


def checked(folder: Path | str, sweep: Table, tasks: Sequence[str]) -> None:
    """Raises ValueError for a task that the corpus lacks or that is named twice, before anything is pruned."""
    if len(set(tasks)) < len(tasks):
        raise ValueError(f"the tasks are {', '.join(tasks)}; expected each once")
    ended = [row for row in sweep if row["why"] is None]
    if ended:
        stored = load(Path(folder) / ended[0]["name"])
        for name in tasks:
            task_of(stored, name)


def circuits(
    folder: Path | str,
    sweep: Table,
    tasks: Sequence[str],
    settings: Settings = Settings(),  # noqa: B008 (a frozen value)
    engine: Engine | None = None,
    progress: Progress = silent,
) -> Table:
    """A row for each network of `sweep` that ended and each task, kept under `folder`/circuits: what is done is not done again.

    `edges` and `nodes` of the smallest circuit, and `null`, the counting null of as many nodes; None, and `why`, where the
    network does not solve the task or no search found a circuit. `failed` of `searches` found none.
    """
    home = Path(folder)
    pairs = [(row["name"], task) for row in sweep if row["why"] is None for task in tasks]
    weights = {name: _weights(home / name) for name in dict.fromkeys(name for name, _ in pairs)}
    rows = resumable(
        home / "circuits",
        partial(circuit_row, home=str(home), settings=settings),
        pairs,
        lambda pair: {"network": pair[0], "weights": weights[pair[0]], "task": pair[1], **asdict(settings)},
        engine,
        progress,
    )
    return Table.of(rows, CIRCUITS)


def circuit_row(pair: tuple[str, str], home: str, settings: Settings) -> dict[str, Any]:
    """What pruning one network on one task came to."""
    name, task = pair
    stored, row = load(Path(home) / name), {"name": name, "task": task}
    asked = task_of(stored, task)
    context = stored.network.shape.context
    if (longest := asked.examples(settings.selection, "selection", settings.seed).prompts.shape[1]) > context:
        return {**row, "why": f"not asked: its prompts have up to {longest} tokens, the network takes {context}"}
    try:
        pruned = prune(stored.network, asked, stored.windows, settings)
    except NotSolved as error:
        return {**row, "why": str(error).partition(";")[0]}
    return {**row, **_found(pruned, stored, settings)}


def _found(pruned: Pruned, stored: Stored, settings: Settings) -> dict[str, Any]:
    failed = sum(search.circuit is None for search in pruned.searches)
    took = sum(search.cpu_seconds for search in pruned.searches)
    row = {"own": pruned.own, "searches": len(pruned.searches), "failed": failed, "cpu_s": took}
    if pruned.circuit is None:
        return {**row, "why": f"no circuit in {failed} searches"}
    edges, nodes = pruned.circuit.size
    null = counting_null(stored.network, pruned.circuit.nodes, nodes, seed=settings.seed) if nodes else 0.0
    return {**row, "edges": edges, "nodes": nodes, "null": null, "minimal": pruned.circuit.minimal}


def task_of(stored: Stored, name: str) -> Task:
    """The task of this name on the corpus of a network; ValueError names the nearest."""
    return task_named(name, None if stored.record.corpus == "tiny" else stored.tokenizer)


def _weights(folder: Path) -> str:
    return next(file["sha256"] for file in open_run(folder).info["files"] if file["name"] == "model.safetensors")
