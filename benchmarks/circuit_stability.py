"""Does a circuit depend on which prompts were taken, and does it tell decisions apart that use different parts?

Stability: five batches of fresh decisions of one network each, drawn by its program; Jaccard of the named edges over the
ten pairs. Classes: programs whose decisions differ in what they use; fresh decisions of one class only, and the parts at
the ends of the named edges against those that this class uses.
"""

from __future__ import annotations

from itertools import combinations
from random import Random
from typing import Any

from benchmarks.circuit_judged import DEPENDS as JUDGED
from benchmarks.circuit_judged import asked, cutter_of, decisions_of, each_kept, edge_ends, explained, source
from benchmarks.kept import Kept
from cutaway.organisms.compiled import PROGRAMS, Organism, compile
from cutaway.organisms.compiled.program import Program, Row

DEPENDS = (*JUDGED, "circuit_stability.py")
MINUTES = 10.0
SEEDS = (8301, 8302)
BATCHES, ROWS = 5, 32
ROUTED, ROUTED_SEEDS = ("router", "liar"), range(8401, 8421)
FEWEST, OF_CLASS = 8, 32
Pair = tuple[Row, Row]


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    for name, one, items in (
        ("classes", by_class, [(program, seed) for seed in ROUTED_SEEDS for program in ROUTED]),
        ("batches", resampled, [(program, seed) for seed in SEEDS for program in PROGRAMS]),
    ):
        each_kept(kept, name, one, items)


def resampled(program: str, seed: int) -> dict[str, Any]:
    """The edges named on each of five batches of decisions that the network was not shipped with."""
    organism, written = compile(program, seed), source(program, seed)
    drawn = fresh(written, BATCHES * ROWS, seed)
    size = len(drawn) // BATCHES
    found = [of(organism, written, drawn[i * size : (i + 1) * size]) for i in range(BATCHES)]
    sets = [names for names, _ in found]
    pairs = [jaccard(a, b) for a, b in combinations(sets, 2)]
    everywhere = frozenset.intersection(*sets)
    return {
        "program": program,
        "seed": seed,
        "decisions": size,
        "named": [len(names) for names in sets],
        "explained": [explained for _, explained in found],
        "jaccard": sum(pairs) / len(pairs),
        "not in every batch": {
            edge: sum(edge in s for s in sets) for edge in sorted(frozenset().union(*sets) - everywhere)
        },
    }


def fresh(written: Program, most: int, seed: int) -> list[Pair]:
    """Up to `most` different decisions; a program with few rows gives what it has."""
    rng, found = Random(f"fresh {seed}"), {}
    for number in range(50 * most):
        row = written.sample(rng) if written.asked is None else written.asked(rng, number)
        if row not in found and written.eligible(row):
            other = written.twist(row, rng)
            if written.solve(other) != written.solve(row):
                found[row] = other
        if len(found) == most:
            break
    return list(found.items())


def of(organism: Organism, written: Program, pairs: list[Pair]) -> tuple[frozenset[str], bool]:
    """The edges named in these decisions, and whether they explain them."""
    decision = asked(pairs, [written.solve(row) for row, _ in pairs], [written.solve(other) for _, other in pairs])
    found, _ = explained(cutter_of(organism, decision))
    return found.names, found.explained


def jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    """Shared edges of all edges; 1 for two empty sets."""
    return len(a & b) / len(a | b) if a | b else 1.0


def by_class(program: str, seed: int) -> dict[str, Any]:
    """For every class of decisions (those that use the same parts) which parts are named."""
    organism, written = compile(program, seed), source(program, seed)
    assert written.uses is not None
    uses = {written.uses(tuple(row)): parts for row, parts in zip(organism.prompts, organism.used_by_prompt)}
    classes: dict[frozenset[str], list[Pair]] = {names: [] for names in uses}
    for row, other in fresh(written, 8 * OF_CLASS, seed):
        among = classes.get(written.uses(row))
        if among is not None and len(among) < OF_CLASS:
            among.append((row, other))
    judged = [
        {"rows": len(pairs), **parts_of(organism, written, pairs, uses[names])}
        for names, pairs in classes.items()
        if len(pairs) >= FEWEST
    ]
    return {"program": program, "seed": seed, "classes": judged, "shipped": shipped(organism)}


def parts_of(organism: Organism, written: Program, pairs: list[Pair], true: frozenset[str]) -> dict[str, Any]:
    """The parts named in decisions of one class, against those it uses."""
    names, said = of(organism, written, pairs)
    return compared(names, said, true)


def compared(names: frozenset[str], said: bool, true: frozenset[str]) -> dict[str, Any]:
    """Named parts and true ones."""
    parts = edge_ends(names) - {"embed", "output"}
    return {
        "exact": parts == true,
        "explained": said,
        "missing": sorted(true - parts),
        "extra": sorted(parts - true),
    }


def shipped(organism: Organism) -> dict[str, Any]:
    """All decisions in one: every part of any class should be named."""
    found, _ = explained(cutter_of(organism, decisions_of(organism)))
    return compared(found.names, found.explained, organism.used)
