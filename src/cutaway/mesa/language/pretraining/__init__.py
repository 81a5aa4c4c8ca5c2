"""Layer-wise pretraining: blocks that compute optimizer steps in a language model that goes on to learn text."""

from cutaway.mesa.language.pretraining.course import Pretraining, code
from cutaway.mesa.language.pretraining.fate import Fate, fate
from cutaway.mesa.language.pretraining.host import Host
from cutaway.mesa.language.pretraining.refitted import Refitted

__all__ = ["Fate", "Host", "Pretraining", "Refitted", "code", "fate"]
