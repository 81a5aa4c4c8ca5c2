"""A family of the zoo: how to draw one of its members, given where to draw from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cutaway.mesa.tasks import Logistic, Regression, Smooth, Task
from cutaway.mesa.zoo.recipe import Argument, Recipe, Truth
from cutaway.mesa.zoo.region import Region


@dataclass(frozen=True)
class Draw:
    """One draw in progress: the dice, where from, and the depth and task that they gave."""

    dice: Random
    region: Region
    depth: int
    task: Task

    @property
    def layer(self) -> int:
        """Any of the layers, the first being 1."""
        return self.dice.randint(1, self.depth)

    @property
    def share(self) -> float:
        """A share of the largest stable rate."""
        return self.dice.uniform(*self.region.rates)

    @property
    def seed(self) -> int:
        """A seed of its own."""
        return self.dice.randrange(2**31)


Problems = Callable[[Random, Region], Task]
"""Dice and where from -> what the network is for."""


@dataclass(frozen=True)
class Option:
    """One kind of network that a family holds, with how its arguments are drawn."""

    kind: str
    arguments: Callable[[Draw], dict[str, Argument]]


@dataclass(frozen=True)
class Family:
    """Networks that are counted together: what they certainly are, what they may be, on what problems, faded in, relayed."""

    name: str
    truth: Truth
    options: tuple[Option, ...]
    problems: Problems
    sham: Callable[[Draw], dict[str, Argument]] | None = None
    relay: bool = False

    def recipe(self, region: Region, seed: int) -> Recipe:
        """One member: the same for the same seed."""
        dice = Random(f"{region.name}/{self.name}/{seed}")
        depth = dice.choice(region.depths)
        draw = Draw(dice, region, depth - self.relay, self.problems(dice, region))
        option = dice.choice(self.options)
        return Recipe(
            option.kind,
            self.name,
            self.truth,
            option.arguments(draw),
            draw.task,
            dice.randrange(2**31),
            depth,
            dice.choice(region.extras),
            dice.choice(region.spares),
            self.sham(draw) if self.sham else {},
            self.relay,
        )


def regression(dice: Random, region: Region) -> Regression:
    """Linear regression from two to five times as many points as dimensions."""
    dim = dice.choice(region.dims)
    points = round(dim * dice.choice(region.points))
    return Regression(dim, points, noise=dice.choice(region.noises), condition=dice.choice(region.conditions))


def classes(dice: Random, region: Region) -> Logistic:
    """Two classes, from twice as many points as a regression has: a label says less."""
    dim = dice.choice(region.dims)
    return Logistic(dim, round(2 * dim * dice.choice(region.points)), sharpness=dice.choice((3.0, 5.0)))


def smooth(dice: Random, region: Region) -> Smooth:
    """A smooth function of one or two coordinates: of more, it would take too many points."""
    dim = dice.choice((1, 2))
    points = round(8 * dim * dice.choice(region.points) / 3)
    return Smooth(dim, points, bandwidth=dice.choice((1.5, 2.0)), noise=dice.choice(region.noises))


def any_problem(dice: Random, region: Region) -> Task:
    """Linear regression in four cases of six; two classes, or a smooth function, in one each."""
    return dice.choice((regression, regression, regression, regression, classes, smooth))(dice, region)
