"""A toy model of superposition whose features and their directions are known (Elhage et al. 2022, arXiv 2209.10652).

network.py the network and its training · organism.py what it carries, verified; networks that carry nothing · scoring.py how
well found directions are the true ones.
"""

from cutaway.organisms.superposition.organism import Superposition, Truth, permuted, train_superposition, untrained
from cutaway.organisms.superposition.scoring import Recovery, recovered

__all__ = ["Recovery", "Superposition", "Truth", "permuted", "recovered", "train_superposition", "untrained"]
