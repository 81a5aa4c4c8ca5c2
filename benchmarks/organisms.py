"""Small programs written into weights by hand: are exactly the heads and MLPs that a decision uses called used?

Every program, three networks each, at the default settings of `cw.trace`. The seeds are used nowhere else: no test, no
threshold was chosen on these networks.
"""

from __future__ import annotations

from typing import Any

import cutaway as cw
from benchmarks.kept import RESULTS, Kept
from benchmarks.timing import seconds
from cutaway.organisms import open_compiled
from cutaway.organisms.compiled import PROGRAMS, Organism, compile
from cutaway.runs import resumable, terminal

DEPENDS = ("network", "submodels", "decisions/*.py", "organisms", "organisms.py")
MINUTES = 1.0
SEEDS = (2001, 2002, 2003)


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network; nothing here is repeated, so `repetitions` changes nothing."""
    known = kept.setting("programs")
    known["facts"]["networks"] = resumable(
        RESULTS / "organisms.tmp-networks",
        lambda item: take_apart(compile(*item)),
        [(program, seed) for program in PROGRAMS for seed in SEEDS],
        lambda item: {"program": item[0], "seed": item[1], "code": kept.code},
        progress=terminal(),
    )
    kept.write()


def take_apart(organism: Organism) -> dict[str, Any]:
    """What a trace at its default settings says of an organism, against what is so."""
    found: list[cw.Trace] = []
    spent = seconds(lambda: found.append(_trace(organism)))
    rows = [row for row in found[0].nodes if row["within"] is None]
    state = {row["part"]: row["state"] for row in rows}
    used = {part for part, said in state.items() if said == "used"}
    selective = {row["part"] for row in rows if row["selective"]}
    faint = organism.decoys | organism.noise
    return {
        "name": organism.name,
        "seed": organism.seed,
        "parts": len(rows),
        "used": len(organism.used),
        "called used": len(used),
        "found": len(organism.used & used),
        "missed": sorted(organism.used - used),
        "false, inert": sorted(organism.inert & used),
        "false, faint": sorted(faint & used),
        "faint": len(faint),
        "undecided": sorted(part for part, said in state.items() if said == "undecided"),
        "selective": len(selective),
        "selective, inert": len(selective & organism.inert),
        "selective, faint": len(selective & faint),
        "tested for selectivity": sum(row["q"] is not None for row in rows),
        "seconds": spent,
        "notes": list(found[0].notes),
    }


def _trace(organism: Organism) -> cw.Trace:
    prompts = [list(prompt) for prompt in organism.prompts]
    return cw.trace(open_compiled(organism), cw.Decision(prompts, list(organism.answers), list(organism.instead)))
