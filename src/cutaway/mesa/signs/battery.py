"""Every sign of one network, and what each cost."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from time import process_time

import torch

from cutaway.mesa.signs import SIGNS
from cutaway.mesa.signs.sign import Reading
from cutaway.mesa.subject import Subject, TooShallow
from cutaway.mesa.tasks import Task
from cutaway.mesa.watched import Watched


@dataclass(frozen=True)
class Cost:
    """CPU seconds, and layers × problems run; what signs share is on the account of the first that asks for it."""

    seconds: float
    layers: int


@dataclass(frozen=True)
class Battery:
    """What every sign reads of a network, by the sign's name; `alike` are the optimizers whose path is nearest, step for step."""

    readings: dict[str, Reading]
    costs: dict[str, Cost]
    seed: int
    alike: tuple[str, ...] = ()

    def values(self) -> dict[str, float]:
        """The signs' values."""
        return {name: reading.value for name, reading in self.readings.items()}

    @property
    def cost(self) -> Cost:
        """All signs together."""
        return Cost(sum(cost.seconds for cost in self.costs.values()), sum(cost.layers for cost in self.costs.values()))


def battery(subject: Subject, task: Task, seed: int) -> Battery:
    """Read every sign of a network on novel problems of a task.

    Errors: fewer than two layers, answers that are not finite.
    """
    if subject.depth < 2:
        raise TooShallow(
            f"the network has {subject.depth} layer{'s' * (subject.depth != 1)}: too shallow for a verdict: needs ≥ 2 steps"
        )
    return read(Watched.of(subject, task, seed))


@torch.no_grad()
def read(watched: Watched) -> Battery:
    """Every sign of a watched network."""
    _check(watched)
    readings, costs = {}, {}
    for sign in SIGNS:
        seconds, layers = process_time(), watched.subject.layers
        reading = sign.read(watched)
        if not all(isfinite(value) for value in (reading.value, *reading.null, *reading.course)):
            raise ArithmeticError(f"the sign {sign.name!r} reads {reading}; expected finite numbers: please report it")
        readings[sign.name] = reading
        costs[sign.name] = Cost(process_time() - seconds, watched.subject.layers - layers)
    return Battery(readings, costs, watched.seed, watched.alike.families)


def _check(watched: Watched) -> None:
    """That the network's answers are numbers."""
    answers = watched.subject.subject.answer(watched.states[-1])
    if not answers.isfinite().all():
        bad = int((~answers.isfinite()).sum())
        raise ValueError(f"{bad} of {answers.numel()} answers of the network are NaN or infinite; expected finite ones")
