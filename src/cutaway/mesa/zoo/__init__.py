"""The zoo: networks that certainly run an optimizer and look-alikes that certainly do not, as recipes drawn from a seed."""

from cutaway.mesa.zoo.control_families import CONTROL_FAMILIES, LATER_FAMILIES, TRAINED_FAMILIES
from cutaway.mesa.zoo.family import Draw, Family, Option
from cutaway.mesa.zoo.generators import blind, drawn, members, thresholds
from cutaway.mesa.zoo.optimizer_families import OPTIMIZER_FAMILIES, PLANNER_FAMILIES
from cutaway.mesa.zoo.recipe import Recipe, Truth, from_lines, to_lines
from cutaway.mesa.zoo.region import KNOWN, UNSEEN, Region

__all__ = [
    "CONTROL_FAMILIES",
    "KNOWN",
    "LATER_FAMILIES",
    "OPTIMIZER_FAMILIES",
    "PLANNER_FAMILIES",
    "TRAINED_FAMILIES",
    "UNSEEN",
    "Draw",
    "Family",
    "Option",
    "Recipe",
    "Region",
    "Truth",
    "blind",
    "drawn",
    "from_lines",
    "members",
    "thresholds",
    "to_lines",
]
