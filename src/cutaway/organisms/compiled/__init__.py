"""Small transformers with weights written by hand, whose used heads and MLP blocks are known exactly.

program.py what a program is · copying.py, lookup.py, counting.py, tallying.py, ordering.py, choosing.py the programs ·
writing.py heads and gates into weights · placing.py random slots · distractors.py inert parts, decoys, noise · rotate.py
no meaning on an axis · measuring.py true effects · compiling.py all of it in order · guarding.py, variants.py groups of
parts in which single knock-outs mislead · organism.py the result · truth.py its true circuit · untrained.py its control ·
tokenizer.py text prompts.
"""

from cutaway.organisms.compiled.compiling import PROGRAMS, compile, named, names, random_organism
from cutaway.organisms.compiled.organism import Group, Organism, parts
from cutaway.organisms.compiled.tokenizer import Words, words
from cutaway.organisms.compiled.truth import Truth, truth
from cutaway.organisms.compiled.untrained import untrained
from cutaway.organisms.compiled.variants import KINDS, compile_variant

__all__ = [
    "KINDS",
    "PROGRAMS",
    "Group",
    "Organism",
    "Truth",
    "Words",
    "compile",
    "compile_variant",
    "named",
    "names",
    "parts",
    "random_organism",
    "truth",
    "untrained",
    "words",
]
