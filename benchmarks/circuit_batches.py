"""Batches of decisions of one compiled program: fresh ones, and the same questions in other words.

A decision is a row and its matched row. What it asks is its question: the right answer of both, which parts each uses
where that differs, and whether the two differ in one place or in several. All else is wording: the words that do not
matter, where in the row the others stand, which of several lists has the same next member. A phrasing has a taste, a
random weight for every word at every place, and of many valid decisions with one question it takes the one that it likes
best. So a rephrased batch asks exactly what the first one asks, row by row; its rows are alike in wording, as those made
from one template are, and unlike those of the other phrasings. Nothing is told of the network: only the program's own
generator is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations, islice
from random import Random
from statistics import mean
from typing import Any

from benchmarks.circuit_judged import source
from cutaway.decisions.circuit.stability import jaccard
from cutaway.organisms.compiled import Truth, compile, truth
from cutaway.organisms.compiled.program import Program, Row

Pair = tuple[Row, Row]
BATCHES, PHRASINGS, ROWS = 3, 2, 32
POOL, TRIES = 12_000, 50
"""Decisions drawn for phrasings to choose from; draws for each decision asked for, after which a small program is exhausted."""


def fresh(written: Program, most: int, seed: int) -> list[Pair]:
    """Up to `most` different decisions; a program with few rows gives what it has."""
    return list(islice(drawn(written, Random(f"fresh {seed}"), TRIES * most), most))


def drawn(written: Program, rng: Random, tries: int) -> Iterator[Pair]:
    """Different decisions, each with a matched row whose right token is another."""
    found: set[Row] = set()
    for number in range(tries):
        row = written.sample(rng) if written.asked is None else written.asked(rng, number)
        if row not in found and written.eligible(row):
            other = written.twist(row, rng)
            if written.solve(other) != written.solve(row):
                found.add(row)
                yield row, other


def question(written: Program, pair: Pair) -> tuple[Any, ...]:
    """What a decision asks, whatever its wording."""
    row, other = pair
    uses = None if written.uses is None else tuple(written.uses(one) for one in pair)
    return written.solve(row), written.solve(other), uses, sum(a != b for a, b in zip(row, other)) == 1


def rephrased(written: Program, pairs: Sequence[Pair], phrasings: int, seed: int) -> list[list[Pair]]:
    """The questions of `pairs` in each of several phrasings, row by row; a question with one wording keeps it."""
    same: dict[tuple[Any, ...], list[Pair]] = defaultdict(list)
    for pair in [*pairs, *drawn(written, Random(f"wordings {seed}"), POOL)]:
        same[question(written, pair)].append(pair)
    return [_in(written, pairs, same, Random(f"phrasing {seed} {number}")) for number in range(phrasings)]


def _in(written: Program, pairs: Sequence[Pair], same: dict[tuple[Any, ...], list[Pair]], rng: Random) -> list[Pair]:
    """One phrasing; two decisions with one question get its two best wordings."""
    taste = [[rng.random() for _ in written.vocabulary] for _ in range(written.length)]

    def liked(pair: Pair) -> float:
        return sum(weights[token] for weights, token in zip(taste, pair[0]))

    best = {key: iter(sorted(dict.fromkeys(among), key=liked, reverse=True)) for key, among in same.items()}
    return [next(best[question(written, pair)], pair) for pair in pairs]


def reworded(before: Sequence[Pair], after: Sequence[Pair]) -> float:
    """The share of places with another word, over all rows."""
    places = [a != b for (row, _), (other, _) in zip(before, after) for a, b in zip(row, other)]
    return sum(places) / len(places)


def batches_of(program: str, seed: int) -> dict[str, list[list[Pair]]]:
    """Batches of fresh decisions, and the first of them in its own and other wordings."""
    written = source(program, seed)
    every = fresh(written, BATCHES * ROWS, seed)
    size = len(every) // BATCHES
    several = [every[i * size : (i + 1) * size] for i in range(BATCHES)]
    return {"resampled": several, "rephrased": [several[0], *rephrased(written, several[0], PHRASINGS, seed)]}


@cache
def known_of(program: str, seed: int) -> Truth:
    """The true edges of the decisions that an organism is shipped with."""
    return truth(compile(program, seed))


def compared(sets: Sequence[frozenset[str]], true: frozenset[str]) -> dict[str, Any]:
    """How alike the edges named on several batches are (mean over the pairs), and how right (mean over the batches)."""
    everywhere = frozenset.intersection(*sets)
    return {
        "jaccard": mean(jaccard(a, b) for a, b in combinations(sets, 2)),
        "F1": mean(f1(names, true) for names in sets),
        "named": [len(names) for names in sets],
        "not in every batch": {
            edge: sum(edge in names for names in sets) for edge in sorted(frozenset().union(*sets) - everywhere)
        },
    }


def f1(named: frozenset[str], true: frozenset[str]) -> float:
    """The harmonic mean of precision and recall; 1 for two empty sets."""
    return 2 * len(named & true) / (len(named) + len(true)) if named or true else 1.0
