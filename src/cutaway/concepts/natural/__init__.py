"""Natural-latent scores: is a concept told by each of several parts of an input, and are the parts independent given its code?
Has another network a sub-model for it that does the same?
"""

from cutaway.concepts.natural.across import Code
from cutaway.concepts.natural.agree import Agree, agree, agree_between
from cutaway.concepts.natural.mediates import Mediates
from cutaway.concepts.natural.natural import Natural, natural, natural_all, natural_between
from cutaway.concepts.natural.parts import Parted, Parts, parted
from cutaway.concepts.natural.redundant import Redundant
from cutaway.concepts.natural.sharing import Agreements, shared

__all__ = [
    "Agree",
    "Agreements",
    "Code",
    "Mediates",
    "Natural",
    "Parted",
    "Parts",
    "Redundant",
    "agree",
    "agree_between",
    "natural",
    "natural_all",
    "natural_between",
    "parted",
    "shared",
]
