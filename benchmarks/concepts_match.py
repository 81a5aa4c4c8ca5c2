"""What `match` promises, measured: every stratum of `cutaway calibrate` on training runs that chose no threshold.

Thresholds and ways of searching were chosen on seeds 7001-7400. Those from 8001 on were reported on before, with other ways of
searching; they are not unseen, but nothing was chosen on them.
The unit is the training run. A killed run goes on where it stopped.
"""

from __future__ import annotations

from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.study.calibrate import STRATA, Run, cpu_hours, one_run, runs_of

DEPENDS = (
    "network",
    "submodels",
    "decisions/decision.py",
    "decisions/circuit/find.py",
    "concepts/concept.py",
    "concepts/splitting.py",
    "concepts/match",
    "organisms/agents",
    "organisms/planted",
    "organisms/quiz",
    "organisms/scrambling.py",
    "training/*.py",
    "study/calibrate",
    "concepts_match.py",
)
SEED = 8001
RUNS = runs_of(STRATA, seed=SEED)
MINUTES = 60 * cpu_hours(RUNS)


def measure(kept: Kept, repetitions: int) -> None:
    """One row a training run, each kept as it is done; nothing is repeated."""
    each_kept(kept, "training runs", row, [(run.recipe, run.seed, run.asks) for run in RUNS])


def row(recipe: str, seed: int, asks: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """One training run and the answers of its networks."""
    return dict(one_run(Run(recipe, seed, asks)))
