"""Loss against readability at each compute budget: what the networks of a sweep reach, how large their circuits are, the price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cutaway.dial.frontier.circuits import checked, circuits, solved_by_all, swept
from cutaway.dial.frontier.sizes import MEASURES, Sizes, ratio, shared
from cutaway.dial.price import Price, notes_of, prices
from cutaway.dial.prune.prune import Settings
from cutaway.dial.published import against
from cutaway.dial.resampling import Estimate, estimate, weights
from cutaway.dial.setting import Setting, best_rates, budgets, settings_of
from cutaway.runs import Engine, Progress, Table, silent

LIKE = 0.01
"""Validation losses that differ by at most so many nats are called equal."""
DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Point:
    """A setting in a budget: its loss and the sizes of its circuits; `best` of its pressure in the budget, by loss."""

    budget: int
    compute: float
    sizes: Sizes
    loss: Estimate
    means: dict[str, Estimate | None]
    best: bool

    @property
    def setting(self) -> Setting:
        """Its runs."""
        return self.sizes.setting


@dataclass(frozen=True, eq=False)
class Compared:
    """A pressed setting beside a dense one of equal compute or of equal loss: the dense circuits ÷ the pressed ones."""

    at: str
    dense: Point
    pressed: Point
    tasks: tuple[str, ...]
    ratios: dict[str, Estimate | None]

    @property
    def apart(self) -> float:
        """By how many nats the pressed loss is higher."""
        return self.pressed.loss.value - self.dense.loss.value


@dataclass(frozen=True, eq=False)
class Frontier:
    """What became of a sweep's networks: a row for each in `sweep`, one for each network and task in `circuits`."""

    sweep: Table
    circuits: Table
    tasks: tuple[str, ...]
    target: float
    prices: tuple[Price, ...]
    seed: int = 0

    @cached_property
    def points(self) -> list[Point]:
        """A point for every setting, by budget."""
        rows = {(row["name"], row["task"]): row for row in self.circuits}
        found = []
        for place, group in enumerate(budgets(settings_of(self.sweep))):
            compute = sum(each.mean("executed_gflop") for each in group) / len(group)
            best = {pressure: min(same, key=_loss) for pressure, same in _by_pressure(group).items()}
            for setting in sorted(group, key=lambda each: (-each.share, _loss(each))):
                sizes = Sizes.of(setting, rows, self.tasks)
                means = {measure: sizes.mean(measure, self.seed) for measure in MEASURES}
                first = setting is best[setting["pressure"]]
                found.append(Point(place, compute, sizes, mean_loss(setting, self.seed), means, first))
        return found

    @cached_property
    def compared(self) -> list[Compared]:
        """Every pressed setting, at its best learning rate, beside the best dense one of its budget and the one nearest in loss."""
        kept = best_rates(point.setting for point in self.points)
        points = [point for point in self.points if any(point.setting is each for each in kept)]
        dense, found = [point for point in points if point.setting.dense], []
        for pressed in (point for point in points if not point.setting.dense):
            beside = [point for point in dense if point.budget == pressed.budget and point.best]
            near = sorted(dense, key=lambda point: abs(point.loss.value - pressed.loss.value))[:1]
            near = [point for point in near if abs(point.loss.value - pressed.loss.value) <= LIKE]
            for at, others in (("compute", beside), ("loss", near)):
                found += [self._compared(at, other, pressed) for other in others]
        return found

    def _compared(self, at: str, dense: Point, pressed: Point) -> Compared:
        ratios = {measure: ratio(dense.sizes, pressed.sizes, measure, self.seed) for measure in MEASURES}
        return Compared(at, dense, pressed, shared(dense.sizes, pressed.sizes), ratios)

    @cached_property
    def published(self) -> list[str]:
        """Each pressure's price in executed operations beside the literature's."""
        return [self._published(each) for each in self.prices if each.cost == "executed_gflop"]

    def _published(self, price: Price) -> str:
        settings = [point.setting for point in self.points if point.setting["pressure"] == price.pressure]
        last = settings[-1]  # of the largest budget
        equal = [
            each for each in self.compared if each.at == "loss" and each.pressed.setting["pressure"] == price.pressure
        ]
        smaller = equal[-1].ratios["edges"] if equal else None
        return against(price, last.share, last["corpus"], last["tokens"], smaller)

    @cached_property
    def notes(self) -> list[str]:
        """What is missing or misleads, in sentences."""
        said = [
            f"{row['name']} diverged, and counts nowhere: {row['why']}" for row in self.sweep if row["why"] is not None
        ]
        if not self.tasks:
            said.append(
                f"no circuits: no task is solved by every network at {self.target:g}; {_nearly(self.sweep, self.target)}"
            )
        for point in self.points:
            lacking = "; ".join(f"{task} {why}" for task, why in point.sizes.lacking.items())
            said += [f"{point.setting}: without {lacking}"] if lacking else []
            if point.sizes.floored:
                said.append(f"{point.setting}: {point.sizes.floored} circuits have no edge or no null; 0 counts as 1")
        if any(len(point.setting) < 2 for point in self.points):
            said.append(
                "one run of a setting says nothing of the spread between seeds: no interval; sweep with --seeds 3"
            )
        if 0 < len(self.tasks) < 2:
            said.append(
                "one task says nothing of the spread between tasks: no interval of sizes and ratios; give more --tasks"
            )
        if alone := list(dict.fromkeys(each for one in self.prices for each in one.untuned)):
            said.append(f"tried with one learning rate, so not tuned: {', '.join(alone)}")
        return [*said, *notes_of(self.prices)]


def frontier(
    folder: Path | str,
    tasks: Sequence[str] = (),
    settings: Settings = Settings(),  # noqa: B008 (a frozen value)
    extrapolate: bool = False,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> Frontier:
    """The frontier of the sweep in `folder`, with circuits of `tasks` (none given: those that every network solves).

    Circuits are kept in the folder: the same call goes on where it was stopped, and more tasks take what is there. Raises
    RunError for a folder without a sweep, ValueError for a task that there is not, before anything is pruned.
    """
    sweep = swept(folder)
    checked(folder, sweep, tasks)
    asked = tuple(tasks) or solved_by_all(sweep, settings.target)
    found = circuits(folder, sweep, asked, settings, engine, progress)
    cost = prices(sweep, extrapolate, settings.seed)
    return Frontier(sweep, found, asked, settings.target, tuple(cost), settings.seed)


def mean_loss(setting: Setting, seed: int = 0) -> Estimate:
    """The mean validation loss of a setting, with an interval over its runs."""
    import numpy as np

    drawn = weights(len(setting), DRAWS, np.random.default_rng((seed, DRAWS))) @ setting.column("loss")
    return estimate(setting.mean("loss"), drawn, drawn[:, None, None], [len(setting)])


def _loss(setting: Setting) -> float:
    return setting.mean("loss")


def _by_pressure(settings: Sequence[Setting]) -> dict[str, list[Setting]]:
    found: dict[str, list[Setting]] = {}
    for setting in settings:
        found.setdefault(setting["pressure"], []).append(setting)
    return found


def _nearly(sweep: Table, target: float) -> str:
    """The task that most networks solve."""
    ended = [row for row in sweep if row["why"] is None]
    counts: dict[str, int] = {}
    for row in ended:
        for task, loss in zip(row["tasks"], row["task_losses"]):
            counts[task] = counts.get(task, 0) + (loss <= target)
    most: Any = max(counts, key=lambda task: counts[task], default=None)
    said = "" if most is None else f"most solve {most} ({counts[most]} of {len(ended)}); "
    return f"{said}give --tasks, a higher --target, or train longer"
