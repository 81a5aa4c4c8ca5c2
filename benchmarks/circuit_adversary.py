"""Do more steps of the adversary find what few do not? Compiled programs and untrained networks, at 0, 20, 80 and 320 steps.

A trace asks at 0 and 20 unless told otherwise. Each restart fits one strength for each edge that is not named on the half
that chose the circuit; what it moves is read on the other half. The unit is the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean
from typing import Any

import torch
from tests.decisions.circuit.small import cutter

from benchmarks.circuit_judged import DEPENDS as JUDGED
from benchmarks.circuit_judged import cutter_of, decisions_of, each_kept, make
from benchmarks.kept import Kept
from cutaway.decisions.circuit.checks import CURVE
from cutaway.decisions.circuit.circuit import circuit
from cutaway.organisms.compiled import PROGRAMS

DEPENDS = (*JUDGED, "circuit_adversary.py")
MINUTES = 10.0
SEEDS = (8001,)
RESTARTS = 5


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    each_kept(kept, "programs", program, [(name, seed) for seed in SEEDS for name in PROGRAMS])
    each_kept(kept, "untrained", untrained, [(seed,) for seed in range(8001, 8005)])


def program(name: str, seed: int) -> dict[str, Any]:
    """A compiled program as it comes."""
    organism = make("plain", name, seed)
    return {"name": name, "seed": seed, **_curve(cutter_of(organism, decisions_of(organism)))}


def untrained(seed: int) -> dict[str, Any]:
    """A network of random weights, of which no small circuit is true."""
    return {"name": "untrained", "seed": seed, **_curve(cutter(seed, rows=16, dtype=torch.float32))}


def _curve(given: Any) -> dict[str, Any]:
    found = circuit(given, steps=CURVE, restarts=RESTARTS)
    asked = {check.what: check for check in found.checks if "adversary" in check.what}
    return {
        "verdict": found.verdict,
        "repaired": any(note.startswith("a check failed") for note in found.notes),
        "edges": [len(found.names), len(given.graph)],
        "moved": [asked[f"sufficient: adversary, {steps} steps"].moved.mean for steps in CURVE] if asked else [],
        "holds": [asked[f"sufficient: adversary, {steps} steps"].holds for steps in CURVE] if asked else [],
    }


def section(result: dict[str, Any]) -> Iterator[str]:
    """The curve: what the worst strengths move, of the total, and how many networks pass."""
    yield from (f"**the adversary's curve**: {', '.join(map(str, CURVE))} steps, {RESTARTS} restarts", "")
    for name, setting in result["settings"].items():
        here = [n for n in setting["facts"]["networks"] if n["moved"]]
        moved, pass_ = zip(*(n["moved"] for n in here)), zip(*(n["holds"] for n in here))
        curve = ", ".join(f"{mean(at):.2%} (worst {max(at):.2%}; {sum(ok)} pass)" for at, ok in zip(moved, pass_))
        grown = sum(n["repaired"] for n in here)
        part = mean(n["edges"][0] / n["edges"][1] for n in here)
        yield f"- {name}: {len(here)} networks; everything else moves {curve}; {part:.0%} of the edges named; {grown} repaired"
    yield ""
