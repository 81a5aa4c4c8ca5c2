"""Makes what is shipped: trains both networks, rounds them, and finds their circuits of one task."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cutaway.dial.plan import Plan, carried_out
from cutaway.dial.prune.findings import Findings, findings
from cutaway.dial.prune.prune import Settings, prune
from cutaway.dial.prune.saved import Saved, saved_of
from cutaway.dial.shipping.networks import PREFIX, TASK, circuit_folder, rounded, write
from cutaway.dial.store import Stored, is_network, load, save
from cutaway.dial.tasks import task_named
from cutaway.runs.progress import Progress, silent

SEED = 8001
PLANS = {
    "sparse": Plan(width=128, pressure="regrowth=1/32", tokens=1_500_000),
    "dense": Plan(width=64, tokens=650_000),
}
"""The dense one is half as wide, and has as many tokens as bring it to within .01 nats of the other's loss."""


@dataclass(frozen=True)
class Recipe:
    """How both networks are trained and pruned.

    `seed` is that of everything; where the sparse network's circuit has not `fewer` edges the next seed is tried, `seeds` of them.
    The losses of the two may differ by `near` nats.
    """

    plans: Mapping[str, Plan] = field(default_factory=lambda: PLANS)
    task: str = TASK
    settings: Settings = field(default_factory=lambda: Settings(searches=1))
    fewer: int = 20
    near: float = 0.01
    seed: int = SEED
    seeds: int = 8

    @property
    def command(self) -> list[str]:
        """What makes it again."""
        return ["python", "-m", "cutaway.dial.shipping", "--out", "FOLDER", "--seed", str(self.seed)]


@dataclass(frozen=True, eq=False)
class Made:
    """A rounded network, and what pruning it came to."""

    stored: Stored
    told: Findings
    saved: Saved | None

    @property
    def edges(self) -> int | None:
        """Of its circuit; None without one."""
        return None if self.told.minimal is None else len(self.told.edges)

    def write(self, name: str, folder: Path, arguments: Mapping[str, Any]) -> None:
        """Replaces what is there of this name."""
        network, circuit = folder / name, circuit_folder(name, self.told.task, folder)
        for path in (network, circuit):
            shutil.rmtree(path, ignore_errors=True)
        write(self.stored, network, arguments)
        self.told.save(circuit, self.saved, arguments)


def make(out: Path, recipe: Recipe = Recipe(), progress: Progress = silent) -> Path:
    """Writes networks and circuits to `out/data`, and into each `run.json` which seeds were tried and the edges that they gave.

    Those trained stay in `out/trained`: the same call goes on. Raises ValueError where no seed gives a circuit that is small
    enough, or the losses differ.
    """
    tried: dict[str, int | None] = {}
    for seed in range(recipe.seed, recipe.seed + recipe.seeds):
        sparse = made("sparse", seed, recipe, out, progress)
        tried[str(seed)] = sparse.edges
        if sparse.edges is not None and sparse.edges < recipe.fewer:
            break
    else:
        raise ValueError(f"circuits by seed have {tried} edges; expected fewer than {recipe.fewer}; try other seeds")
    dense = made("dense", seed, recipe, out, progress)
    apart = dense.stored.record.held_out - sparse.stored.record.held_out
    if abs(apart) > recipe.near:
        raise ValueError(
            f"the dense network's loss is {apart:+.3f} nats from the sparse one's; expected at most {recipe.near:g}; give it "
            "other tokens in PLANS"
        )
    for name, each in (("sparse", sparse), ("dense", dense)):
        each.write(name, out / "data", {"command": recipe.command, "tried": tried})
    return out / "data"


def made(name: str, seed: int, recipe: Recipe, out: Path, progress: Progress) -> Made:
    """One network and its circuit."""
    plan = replace(recipe.plans[name], seed=seed)
    stored = rounded(trained(plan, out / "trained" / plan.name, progress))
    task, settings = task_named(recipe.task), replace(recipe.settings, seed=seed)
    pruned = prune(stored.network, task, stored.windows, settings)
    told = findings(pruned, stored.network, task, settings, PREFIX + name, steps=(0,))
    return Made(stored, told, saved_of(pruned, stored.network, settings))


def trained(plan: Plan, folder: Path, progress: Progress) -> Stored:
    """The network of a plan, from its folder where it is there already."""
    if not is_network(folder):
        partial = folder.with_name(f"{folder.name}.partial")
        save(carried_out(plan, partial, progress), folder)
        shutil.rmtree(partial)
    return load(folder)
