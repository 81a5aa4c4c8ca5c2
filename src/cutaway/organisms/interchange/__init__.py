"""Small transformers trained to implement a program part by part and edge by edge, whose circuit is therefore known.

Trained weights, soft attention, GELU, norms: nothing is exactly zero, unlike in compiled networks. program.py variables and
links of a task · programs.py five wirings · forward.py every reader with a stream of its own · exchange.py which edges are
exchanged · training.py the training · checking.py what an organism must show before it is one · kept.py on disk.
"""

from cutaway.organisms.interchange.checking import Check, NotImplementedByNetworkError, accepted, check
from cutaway.organisms.interchange.kept import Interchanged, checksum, train_interchange, trained_network
from cutaway.organisms.interchange.programs import PROGRAMS
from cutaway.organisms.interchange.training import Trained, train, untrained_start

__all__ = [
    "PROGRAMS",
    "Check",
    "Interchanged",
    "NotImplementedByNetworkError",
    "Trained",
    "accepted",
    "check",
    "checksum",
    "train",
    "train_interchange",
    "trained_network",
    "untrained_start",
]
