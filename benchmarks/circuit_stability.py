"""Does a circuit depend on which prompts were taken and how they are worded, and does it tell decisions apart that differ?

Stability: the edges named on three batches of fresh decisions of one network, and on the first of these in two other
wordings (circuit_batches.py); Jaccard over the pairs of batches, averaged within the network, which is the unit. A set that
is always the same and always wrong has a Jaccard of 1, so F1 against the true edges of the shipped decisions stands beside
it; and the same of public EAP-IG on the same batches, where its environment is there (peers/eap_ig.py). Classes: programs
whose decisions differ in what they use; fresh decisions of one class only, and the parts at the ends of the named edges
against those that this class uses.
"""

from __future__ import annotations

import os
from typing import Any

from benchmarks.circuit_batches import Pair, batches_of, compared, fresh, known_of, reworded
from benchmarks.circuit_judged import DEPENDS as JUDGED
from benchmarks.circuit_judged import (
    QUICK,
    asked,
    cutter_of,
    decisions_of,
    each_kept,
    edge_ends,
    explained,
    ranking,
    source,
)
from benchmarks.kept import Kept
from benchmarks.peers.eap_ig import PYTHON, Scorer
from benchmarks.peers.eap_ig_judged import beside
from cutaway.decisions.circuit.circuit import Circuit
from cutaway.decisions.circuit.share import shares
from cutaway.organisms.compiled import PROGRAMS, Organism, compile
from cutaway.organisms.compiled.program import Program

OWN = ("circuit_stability.py", "circuit_batches.py", "peers/eap_ig.py", "peers/eap_ig_judged.py")
DEPENDS = (*JUDGED, *OWN)
MINUTES = 12.0
SEEDS = (8301, 8302)
ROUTED = {"router": range(8401, 8421), "liar": range(8401, 8406)}
FEWEST, OF_CLASS = 8, 32


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated. EAP-IG only where its interpreter is given."""
    networks = [(program, seed) for seed in SEEDS for program in PROGRAMS]
    if python := os.environ.get(PYTHON):
        with Scorer(python) as scorer:
            kept.setting("EAP-IG")["facts"]["versions"] = scorer.versions
            each_kept(kept, "EAP-IG", lambda program, seed: beside(scorer, program, seed), networks)
    each_kept(kept, "batches", stable, networks)
    each_kept(kept, "classes", by_class, [(program, seed) for program, seeds in ROUTED.items() for seed in seeds])


def stable(program: str, seed: int) -> dict[str, Any]:
    """The edges named on each batch, fresh and reworded; how the quick shares rank them on the shipped decisions."""
    organism, written, batches = compile(program, seed), source(program, seed), batches_of(program, seed)
    known, cutter = known_of(program, seed), cutter_of(organism, decisions_of(organism))
    first, *others = (of(organism, written, batch) for batch in batches["resampled"])
    found = {"resampled": [first, *others]}
    found["rephrased"] = [first, *(of(organism, written, batch) for batch in batches["rephrased"][1:])]
    return {
        "program": program,
        "seed": seed,
        "decisions": len(batches["resampled"][0]),
        "true": len(known.edges),
        **ranking(cutter, shares(cutter, QUICK, path="inputs"), known),
        **{
            kind: {
                **compared([one.names for one in several], known.edges),
                "explained": [one.explained for one in several],
                "passes": [list(one.passes) for one in several],
                "runs": [list(one.runs) for one in several],
                "other words": [reworded(batches[kind][0], batch) for batch in batches[kind][1:]],
            }
            for kind, several in found.items()
        },
    }


def of(organism: Organism, written: Program, pairs: list[Pair]) -> Circuit:
    """What is found behind these decisions."""
    decision = asked(pairs, [written.solve(row) for row, _ in pairs], [written.solve(other) for _, other in pairs])
    found, _ = explained(cutter_of(organism, decision))
    return found


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
    return {"program": program, "seed": seed, "classes": judged}


def parts_of(organism: Organism, written: Program, pairs: list[Pair], true: frozenset[str]) -> dict[str, Any]:
    """The parts named in decisions of one class, against those it uses."""
    found = of(organism, written, pairs)
    parts = edge_ends(found.names) - {"embed", "output"}
    return {
        "exact": parts == true,
        "explained": found.explained,
        "missing": sorted(true - parts),
        "extra": sorted(parts - true),
    }
