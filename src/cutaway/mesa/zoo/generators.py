"""Zoos drawn from a seed: one that thresholds are chosen on, and a blind one of other sizes that they are judged on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice

from cutaway.mesa.zoo.control_families import CONTROL_FAMILIES, LATER_FAMILIES
from cutaway.mesa.zoo.family import Family
from cutaway.mesa.zoo.optimizer_families import OPTIMIZER_FAMILIES
from cutaway.mesa.zoo.recipe import Recipe
from cutaway.mesa.zoo.region import KNOWN, UNSEEN, Region

OPTIMIZERS, CONTROLS = 104, 480
"""How many of each a zoo holds unless it is told otherwise: at most one false positive in 473 controls bounds their rate by 1 %."""


def thresholds(seed: int, optimizers: int = OPTIMIZERS, controls: int = CONTROLS) -> list[Recipe]:
    """The zoo that thresholds are chosen on."""
    return drawn(KNOWN, seed, optimizers, controls, CONTROL_FAMILIES)


def blind(seed: int, optimizers: int = OPTIMIZERS, controls: int = CONTROLS) -> list[Recipe]:
    """The zoo that they are judged on: other sizes, rates from a wider range, and families that were written later."""
    return drawn(UNSEEN, seed, optimizers, controls, (*CONTROL_FAMILIES, *LATER_FAMILIES))


def drawn(
    region: Region, seed: int, optimizers: int, controls: int, families: Sequence[Family] = CONTROL_FAMILIES
) -> list[Recipe]:
    """Optimizers, then controls, the families taking turns: as many of each as can be."""
    return [*members(OPTIMIZER_FAMILIES, region, seed, optimizers), *members(families, region, seed, controls)]


def members(families: Sequence[Family], region: Region, seed: int, count: int) -> list[Recipe]:
    """So many members, the families taking turns; a family's members are the same whichever others there are."""
    turns = islice(cycle(families), count)
    return [family.recipe(region, (seed << 20) + place // len(families)) for place, family in enumerate(turns)]
