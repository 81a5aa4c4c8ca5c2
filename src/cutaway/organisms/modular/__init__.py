"""A network of modules whose neurons are known: disjoint blocks of hidden units, each for one question, in disguise.

network.py modules, their joining and disguise · organism.py which neuron is whose, verified; networks without modules ·
scoring.py how well found groups are the modules.
"""

from cutaway.organisms.modular.network import QUESTIONS, encoded, every
from cutaway.organisms.modular.organism import Modular, Module, permuted, right_without, train_modular, untrained
from cutaway.organisms.modular.scoring import Partition, score

__all__ = [
    "QUESTIONS",
    "Modular",
    "Module",
    "Partition",
    "encoded",
    "every",
    "permuted",
    "right_without",
    "score",
    "train_modular",
    "untrained",
]
