"""Natural-latent scores: is a concept told by each of several parts of an input, and are the parts independent given its code?"""

from cutaway.concepts.natural.across import Code
from cutaway.concepts.natural.mediates import Mediates
from cutaway.concepts.natural.natural import Natural, natural, natural_all, natural_between
from cutaway.concepts.natural.parts import Parted, Parts, parted
from cutaway.concepts.natural.redundant import Redundant

__all__ = [
    "Code",
    "Mediates",
    "Natural",
    "Parted",
    "Parts",
    "Redundant",
    "natural",
    "natural_all",
    "natural_between",
    "parted",
]
