"""Single-edge runs as networks grow around the same program; and what is said of networks that hold no circuit.

Growth: one program among ever more parts that it does not use. Controls: untrained networks, where any edge may move the
decision but none for a reason; and decisions whose counterfactual differs in a word that the program does not read: without
noise parts cutting everything changes nothing, with them only noise is left to explain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.circuit_judged import DEPENDS as JUDGED
from benchmarks.circuit_judged import cutter_of, decisions_of, each_kept, explained, said
from benchmarks.error_rates import SMALL
from benchmarks.kept import Kept
from cutaway.organisms.compiled import Organism, compile, random_organism, untrained
from cutaway.training.transformer import Shape

DEPENDS = (*JUDGED, "circuit_growth.py", "error_rates.py")
MINUTES = 15.0
GROWN = ("fact", "conditional", "reverse", "router")
INERT = (4, 20, 60)
SEED = 8501
DEEP, DEEP_SEEDS = Shape(vocab=32, context=8, width=32, layers=24, heads=1, d_head=16, hidden=48), (8511, 8512)
CONTROLS = 10


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    for name, one, items in (
        ("growth", grown, [(program, inert) for inert in INERT for program in GROWN]),
        ("deep", deep, [(seed,) for seed in DEEP_SEEDS]),
        ("controls", control, CONTROL_SEEDS),
    ):
        each_kept(kept, name, one, items)


CONTROL_SEEDS = [
    (name, first + i)
    for i in range(CONTROLS)
    for name, first in (("untrained", 8600), ("scrambled", 8700), ("unread word", 8800), ("unread word, noise", 8900))
]


def grown(program: str, inert: int) -> dict[str, Any]:
    """One program among so many inert parts."""
    organism = compile(program, SEED, inert=inert)
    cutter = cutter_of(organism, decisions_of(organism))
    found, spent = explained(cutter)
    ends = {row["from"] for row in found.edges} | {row["to"] for row in found.edges}
    return {
        "program": program,
        "inert": inert,
        "seed": SEED,
        "layers": organism.network.shape.layers,
        "heads": organism.network.shape.heads,
        "edges": len(cutter.graph),
        **said(found),
        "missing parts": sorted(organism.used - ends),
        "idle parts": sorted(ends & (organism.inert | organism.decoys | organism.noise)),
        "seconds": spent,
    }


def deep(seed: int) -> dict[str, Any]:
    """Random weights in 24 layers: nearly every edge matters a little."""
    cutter = cutter_of(organism := untrained(seed, DEEP), decisions_of(organism))
    found, spent = explained(cutter)
    return {"layers": DEEP.layers, "seed": seed, "edges": len(cutter.graph), **said(found), "seconds": spent}


def control(name: str, seed: int) -> dict[str, Any]:
    """One network without a circuit, or a decision without an effect."""
    organism = _control(name, seed)
    cutter = cutter_of(organism, decisions_of(organism))
    found, spent = explained(cutter)
    return {"name": name, "seed": seed, "edges": len(cutter.graph), **said(found), "seconds": spent}


def _control(name: str, seed: int) -> Organism:
    if name == "untrained":
        return untrained(seed, SMALL)
    if name == "scrambled":
        return untrained(seed, random_organism(seed))
    faint = 0 if name == "unread word" else 2
    organism = compile("first-token", seed, decoys=faint, noise=faint)
    letters = len(organism.vocabulary)
    others = tuple((first, (second + 1) % letters, *rest) for first, second, *rest in organism.prompts)
    return replace(organism, counterfactuals=others)
