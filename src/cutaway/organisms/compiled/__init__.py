"""Small transformers with weights written by hand, whose used heads and MLP blocks are known exactly.

program.py what a program is · copying.py, lookup.py, counting.py the programs · writing.py heads and gates into
weights · placing.py random slots · distractors.py inert parts, decoys, noise · rotate.py no meaning on an axis ·
measuring.py true effects · compiling.py all of it in order · organism.py the result · untrained.py its control ·
tokenizer.py text prompts.
"""

from cutaway.organisms.compiled.compiling import PROGRAMS, compile, named, names, random_organism
from cutaway.organisms.compiled.organism import Organism, parts
from cutaway.organisms.compiled.tokenizer import Words, words
from cutaway.organisms.compiled.untrained import untrained

__all__ = [
    "PROGRAMS",
    "Organism",
    "Words",
    "compile",
    "named",
    "names",
    "parts",
    "random_organism",
    "untrained",
    "words",
]
