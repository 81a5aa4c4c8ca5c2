"""A sweep: width × pressure × tokens × seed over one corpus, every run metered and asked which tasks it solves.

Training and asking are kept apart: a run depends on its plan and the data, what it is asked on its network and the examples.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cutaway.dial.corpora import Corpus, corpus_named
from cutaway.dial.plan import LATER, Plan, carried_out
from cutaway.dial.pressure.words import DENSE
from cutaway.dial.prune.prune import own_loss
from cutaway.dial.store import Stored, load, save
from cutaway.dial.tasks import Examples
from cutaway.dial.train import Kernels
from cutaway.ledger import Cost, append, entries_of, meter
from cutaway.runs import LEDGER, Engine, Progress, Table, resumable, save_parquet, silent
from cutaway.training.loop import TrainingDivergedError

SHOWN = (
    "width",
    "pressure",
    "tokens",
    "seed",
    "lr",
    "loss",
    "live",
    "executed_gflop",
    "useful_gflop",
    "cpu_s",
    "solved",
)
"""What of a row is printed; the rest is in the table."""
COLUMNS = (
    *("name", *(one.name for one in fields(Plan) if one.name not in LATER), "steps", "predicted", "loss", "live", "of"),
    "executed_gflop",
    *("useful_gflop", "cpu_s", "wall_s", "peak_memory_mb", "solved", "asked", "solved_tasks", "tasks", "task_losses"),
    "why",
)
TABLE = "sweep.parquet"
"""The table of the latest sweep in a folder."""
ASKED = 7919
"""The seed of the tasks' selection examples: the same for every network of a sweep."""


@dataclass(frozen=True)
class Grid:
    """Every combination of these is one training run; the fields are those of a `Plan`.

    `lrs` None stands for the pressure's own learning rate. A task is solved where its loss on `examples` examples of its
    selection split is at most `target` nats.
    """

    corpus: str = "tiny"
    widths: tuple[int, ...] = (64, 128)
    pressures: tuple[str, ...] = (DENSE, "regrowth=1/16")
    tokens: tuple[int, ...] = (1_000_000,)
    seeds: tuple[int, ...] = (0,)
    lrs: tuple[float | None, ...] = (None,)
    layers: int = 2
    batch: int = 32
    context: int = 0
    target: float = 0.15
    examples: int = 128
    kernels: Kernels = "fastest"

    def __post_init__(self) -> None:
        for name in ("widths", "pressures", "tokens", "seeds", "lrs"):
            values = getattr(self, name)
            if not values or len(set(values)) != len(values):
                raise ValueError(f"Grid.{name} is {values}; expected one or more different values")
        if self.examples < 2 or self.examples % 2:
            raise ValueError(f"Grid.examples is {self.examples}; expected an even number, as they come in pairs")
        if not self.target > 0:
            raise ValueError(f"Grid.target is {self.target}; expected nats above 0; try 0.15")

    def plans(self) -> list[Plan]:
        """The runs, small ones first: the peak of memory of a process is then that of the run it has just ended."""
        axes = product(sorted(self.widths), sorted(self.tokens), self.pressures, self.lrs, self.seeds)
        plan = partial(Plan, kernels=self.kernels)
        return [
            plan(self.corpus, width, self.layers, pressure, tokens, seed, lr, self.batch, self.context)
            for width, tokens, pressure, lr, seed in axes
        ]


@dataclass(frozen=True)
class Sweep:
    """A row for every run of a grid.

    `loss` is that of the held-out tokens in nats per token, None where training diverged (`why` says how). `live` of `of`
    parameters are not 0, the table of bigrams left out. `executed_gflop` with dense kernels, `useful_gflop` with weights
    that are not 0 in the end; `cpu_s` over all resumed parts; `peak_memory_mb` of the process since its start. `solved` of
    `asked` tasks, with their names and the loss of each; one whose prompts are longer than the context is not asked.
    """

    table: Table
    target: float

    def __str__(self) -> str:
        rows = [{name: row[name] for name in SHOWN} for row in self.table]
        for row, whole in zip(rows, self.table):
            row["solved"] = f"{whole['solved']} of {whole['asked']}"
            row["live"] = f"{whole['live'] / whole['of']:.1%}" if whole["of"] else None
        failed = [f"{row['name']}: {row['why']}" for row in self.table if row["why"] is not None]
        return "\n".join(
            [f"{len(self.table)} runs; a task is solved at a loss of {self.target:g}", str(Table.of(rows)), *failed]
        )


def sweep(
    grid: Grid, folder: Path | str | None = None, engine: Engine | None = None, progress: Progress = silent
) -> Sweep:
    """Every run of the grid, in this process or where `engine` says.

    In `folder` every run leaves its network and its ledger in a folder of its name, beside `sweep.parquet`; until it ends
    its checkpoints are in NAME.partial. A sweep that was killed goes on where it was, and a larger grid takes what is
    there; other examples are asked of the networks that are there, and another target only reads the losses anew. Without a
    folder nothing is kept. Raises ValueError, before any run, for a plan that cannot be carried out.
    """
    corpus, plans = corpus_named(grid.corpus), grid.plans()
    for plan in plans:
        plan.check(corpus)
    examples_of(corpus, grid.examples)  # a task that has not so many is refused before anything is trained
    with TemporaryDirectory() as nowhere:
        home = Path(folder or nowhere)
        trained, asked = partial(run, home=str(home)), partial(losses_of, home=str(home), examples=grid.examples)
        rows = resumable(home / "rows", trained, plans, partial(key, corpus=corpus), engine, progress)
        about = partial(asked_key, corpus=corpus, examples=grid.examples)
        losses = resumable(home / "asked", asked, rows, about, engine, progress)
        whole = [{**row, **tasks_of(each, grid.target)} for row, each in zip(rows, losses)]
        found = Sweep(Table.of(whole, COLUMNS), grid.target)
        if folder is not None:
            save_parquet(found.table, home / TABLE)
    return found


def key(plan: Plan, corpus: Corpus) -> dict[str, Any]:
    """Everything that a network depends on, but the code."""
    return {**plan.given, **plan.came_from(), "data": corpus.hash}


def asked_key(row: Mapping[str, Any], corpus: Corpus, examples: int) -> dict[str, Any]:
    """Everything that the losses of a network on the tasks depend on, but the code."""
    return {"name": row["name"], "data": corpus.hash, "examples": examples, "seed": ASKED}


def run(plan: Plan, home: str) -> dict[str, Any]:
    """The row of one run, which leaves its network in a folder of its own."""
    mark = hashlib.sha256(json.dumps(key(plan, corpus_named(plan.corpus)), sort_keys=True).encode()).hexdigest()[:6]
    folder = Path(home) / f"{plan.name}-{mark}"
    checkpoints = folder.with_name(f"{folder.name}.partial")
    with meter(plan.name) as meters:
        try:
            stored, why = carried_out(plan, checkpoints), None
        except TrainingDivergedError as error:
            stored, why = None, str(error).replace(str(checkpoints), checkpoints.name)
    if stored is None:
        append(Path(home) / LEDGER, *entries_of(meters.cost, seed=plan.seed, purpose="train", state="failed"))
    else:
        save(stored, folder, overwrite=True, arguments=plan.given, costs=[meters.cost])
        shutil.rmtree(checkpoints, ignore_errors=True)
    return {"name": folder.name, **plan.given, **measured(stored, meters.cost, plan), "why": why}


def losses_of(row: Mapping[str, Any], home: str, examples: int) -> dict[str, float]:
    """The losses on the tasks of the network that a row tells of; none where training diverged."""
    if row["why"] is not None:
        return {}
    return task_losses(load(Path(home) / row["name"]), corpus_named(row["corpus"]), examples)


def measured(stored: Stored | None, cost: Cost, plan: Plan) -> dict[str, Any]:
    """What a run reached and took."""
    seen = {"wall_s": cost.wall_s, "peak_memory_mb": cost.peak_memory_bytes / 1e6}
    if stored is None:
        return {"lr": plan.lr, **seen}
    record = stored.record
    live, of = record.alive
    return {
        "lr": record.recipe["lr"],
        "steps": len(record.losses),
        "predicted": record.tokens,
        "loss": record.held_out,
        "live": live,
        "of": of,
        "executed_gflop": record.executed / 1e9,
        "useful_gflop": record.useful / 1e9,
        "cpu_s": record.cpu_seconds,
        **seen,
    }


def task_losses(stored: Stored, corpus: Corpus, examples: int) -> dict[str, float]:
    """The network's loss on each task whose prompts it can take, in nats, on fresh selection examples."""
    return {
        name: own_loss(stored.network, asked)
        for name, asked in examples_of(corpus, examples).items()
        if asked.prompts.shape[1] <= stored.network.shape.context
    }


@cache
def examples_of(corpus: Corpus, count: int) -> dict[str, Examples]:
    """The examples on which every network of a sweep is asked."""
    return {task.name: task.examples(count, "selection", ASKED) for task in corpus.tasks}


def tasks_of(losses: Mapping[str, float], target: float) -> dict[str, Any]:
    """Which tasks are solved."""
    names = [name for name, loss in losses.items() if loss <= target]
    return {
        "solved": len(names),
        "asked": len(losses),
        "solved_tasks": names,
        "tasks": list(losses),
        "task_losses": list(losses.values()),
    }
