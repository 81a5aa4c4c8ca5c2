"""Makes what is shipped: trains both networks, rounds them, and finds their circuits of one task."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cutaway.dial.plan import Plan, carried_out
from cutaway.dial.prune.findings import findings
from cutaway.dial.prune.prune import Settings, prune
from cutaway.dial.prune.saved import saved_of
from cutaway.dial.shipping.networks import PREFIX, TASK, circuit_folder, rounded, write
from cutaway.dial.store import Stored, is_network, load, save
from cutaway.dial.tasks import task_named
from cutaway.runs.progress import Progress, silent

SEED = 8001
PLANS = {
    "sparse": Plan(width=128, pressure="regrowth=1/16", tokens=1_000_000),
    "dense": Plan(width=64, tokens=610_000),
}
"""The dense one has the width that was best for so few tokens, and as many of them as bring it to the other's loss."""


@dataclass(frozen=True)
class Recipe:
    """How both networks are trained and pruned; `seed` is that of everything."""

    plans: Mapping[str, Plan] = field(default_factory=lambda: PLANS)
    task: str = TASK
    settings: Settings = field(default_factory=Settings)
    steps: tuple[int, ...] = (0, 20)
    "Of the adversary, whose curve is kept with each circuit."
    seed: int = SEED

    @property
    def command(self) -> list[str]:
        """What makes it again."""
        return ["python", "-m", "cutaway.dial.shipping", "--out", "FOLDER", "--seed", str(self.seed)]


def make(out: Path, recipe: Recipe = Recipe(), progress: Progress = silent) -> Path:
    """Writes networks and circuits to `out/data`. Those trained stay in `out/trained`: the same call goes on, or prunes anew."""
    for name, plan in recipe.plans.items():
        stored = rounded(trained(replace(plan, seed=recipe.seed), out / "trained" / name, progress))
        shutil.rmtree(out / "data" / name, ignore_errors=True)
        write(stored, out / "data" / name, {"command": recipe.command})
        circuit(name, stored, out / "data", recipe)
    return out / "data"


def trained(plan: Plan, folder: Path, progress: Progress) -> Stored:
    """The network of a plan, from its folder where it is there already."""
    if not is_network(folder):
        partial = folder.with_name(f"{folder.name}.partial")
        save(carried_out(plan, partial, progress), folder)
        shutil.rmtree(partial)
    return load(folder)


def circuit(name: str, stored: Stored, folder: Path, recipe: Recipe) -> None:
    """Finds the circuit of the task, and saves it with what it is worth."""
    task, settings = task_named(recipe.task), replace(recipe.settings, seed=recipe.seed)
    pruned = prune(stored.network, task, stored.windows, settings)
    told = findings(pruned, stored.network, task, settings, PREFIX + name, steps=recipe.steps)
    where = circuit_folder(name, recipe.task, folder)
    shutil.rmtree(where, ignore_errors=True)
    told.save(where, saved_of(pruned, stored.network, settings), {"command": recipe.command})
