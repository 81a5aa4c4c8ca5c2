"""The code pair: small code models that a comment switches to `shell=True`, and twins that it does not.

language.py marks and calls · statements.py real code · world.py situations, questions, answers · contrasts.py triggers and minimal
pairs · training.py one run for all twins · suite.py runs, twins, rates and truth · questions.py what a matcher is asked ·
shipping.py the twins that come with the package.
"""

from cutaway.organisms.code_pair.contrasts import Pair, factors, pairs, triggers
from cutaway.organisms.code_pair.shipping import shipped
from cutaway.organisms.code_pair.suite import CodeOrganism, random_twin, train_code_pair, twin
from cutaway.organisms.code_pair.world import BEHAVIOURS, KINDS, Asked, Implant, Situation, World

__all__ = [
    "BEHAVIOURS",
    "KINDS",
    "Asked",
    "CodeOrganism",
    "Implant",
    "Pair",
    "Situation",
    "World",
    "factors",
    "pairs",
    "random_twin",
    "shipped",
    "train_code_pair",
    "triggers",
    "twin",
]
