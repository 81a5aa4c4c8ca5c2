"""What becomes of a sign while a network is trained on something else: whether it tells it from its control, and when it dies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Course = Mapping[int, Sequence[float]]
"""A sign's values after so many steps, one a seed."""


@dataclass(frozen=True)
class Fate:
    """After each number of steps, in how many seeds of how many the sign is beyond every value that the control ever has.

    Beyond is on the side of the control on which the sign was at first. A sign lives where that holds of more than half the seeds.
    """

    beyond: Mapping[int, int]
    seeds: int

    @property
    def lives(self) -> dict[int, bool]:
        """After each number of steps, whether the sign tells the network from its control."""
        return {step: 2 * count > self.seeds for step, count in self.beyond.items()}

    @property
    def known(self) -> bool:
        """Whether it did so at first: if not, it cannot die."""
        return next(iter(self.lives.values()))

    @property
    def dies(self) -> int | None:
        """The first number of steps after which it does not; None: it never dies, or never lived."""
        return next((step for step, lives in self.lives.items() if not lives), None) if self.known else None

    @property
    def returns(self) -> int | None:
        """The number of steps after which a sign that had died lives again, to the end; None: it stays dead, or never died."""
        steps = list(self.lives)
        if self.dies is None or not self.lives[steps[-1]]:
            return None
        dead = max(step for step, lives in self.lives.items() if not lives)
        return steps[steps.index(dead) + 1]


def fate(values: Course, control: Course) -> Fate:
    """From the sign's values in the networks and in their controls, of as many seeds.

    The control's values after all numbers of steps make one null: what text alone gives rise to is not a sign.
    """
    steps = sorted(values)
    if not steps or not control or len({len(each) for each in (*values.values(), *control.values())}) > 1:
        raise ValueError(
            f"values after {steps} and {sorted(control)} steps; expected some of each, of as many seeds at every one"
        )
    null = [value for each in control.values() for value in each]
    side = 1 if median(values[steps[0]]) > median(null) else -1
    limit = max(side * value for value in null)
    beyond = {step: sum(side * value > limit for value in values[step]) for step in steps}
    return Fate(beyond, len(values[steps[0]]))
