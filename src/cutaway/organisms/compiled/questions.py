"""What a matcher is asked about a program, and which sets of its parts are the right answers, by brute force.

The concept is what the program decides. In a chain, where a head reads for a block that looks up, either of them alone
carries the decision: every smallest set that flips all decisions with the matched row's values, and all matched rows with
the prompt's, is right.
"""

from __future__ import annotations

from itertools import combinations
from random import Random

from cutaway.concepts.match import Questions
from cutaway.concepts.match.trials import Trials, several
from cutaway.concepts.splitting import SPLITS
from cutaway.organisms.compiled.compiling import program_named
from cutaway.organisms.compiled.organism import Organism
from cutaway.organisms.compiled.tokenizer import words
from cutaway.organisms.compiled.truth import opened


def questions(organism: Organism, count: int = 24, seed: int = 0) -> Questions:
    """`count` fresh decisions of a compiled program in each split, with their matched rows. Raises ValueError where the
    program has too few."""
    source = program_named(organism.name, Random(f"{organism.name}/{organism.seed}"))
    decode = words(organism).decode
    rows = [
        {
            "prompt": decode(row),
            "target": f" {decode([source.solve(row)])}",
            "foil": f" {decode([source.solve(other)])}",
            "reference": decode(other),
        }
        for row, other in source.decisions(len(SPLITS) * count, Random(f"questions {seed}"))
    ]
    dealt = {split: rows[place * count : (place + 1) * count] for place, split in enumerate(SPLITS)}
    return Questions(organism.name, dealt, complete=True)


def carriers(organism: Organism, asked: Questions) -> tuple[frozenset[str], ...]:
    """The smallest sets of used parts that alone flip every test decision and every partner; none holds another."""
    trials = Trials.of(opened(organism), asked.decisions["test"])
    found: list[frozenset[str]] = []
    for size in range(1, len(organism.used) + 1):
        for some in combinations(sorted(organism.used), size):
            if any(one <= set(some) for one in found):
                continue
            if all(bool(side.flips([several(some)]).all()) for side in (trials, trials.turned)):
                found.append(frozenset(some))
    return tuple(found)
