"""Public EAP-IG on the batches of circuit_stability.py: how it ranks the true edges, how alike and how right its sets are.

It gives scores and leaves their cut to its user. Two cuts are shown: the top n, with n the number of true edges, which only
somebody who knows the answer can choose; and those of at least a share of the largest score, the share with the best mean
F1 on other networks: `EAP_IG_PYTHON=ENV/bin/python python benchmarks/peers/eap_ig_judged.py` prints that fit. Nothing is
pruned after.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import mean
from typing import Any

if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import torch

from benchmarks.circuit_batches import Pair, batches_of, compared, f1, known_of
from benchmarks.circuit_judged import auroc, source
from benchmarks.peers.eap_ig import METHODS, PYTHON, Batch, Scored, Scorer
from cutaway.organisms.compiled import PROGRAMS, Organism, Truth, compile
from cutaway.organisms.compiled.program import Program

THRESHOLDS = {
    "EAP-IG-inputs, 5 steps": 0.051,
    "EAP-IG-inputs, 30 steps": 0.016,
    "EAP-IG-activations, 5 steps": 0.0062,
}
"""The share of the largest score from which an edge is taken: as fitted on `FITTED_ON`. The methods asked on batches."""
FITTED_ON = (7301, 7302, 7303)
GRID = [0.5 * 0.85**i for i in range(40)]


def beside(scorer: Scorer, program: str, seed: int) -> dict[str, Any]:
    """One network: the ranking on its shipped decisions, and its sets on the batches that `stable` asks about."""
    organism, written = compile(program, seed), source(program, seed)
    known, batches = known_of(program, seed), batches_of(program, seed)
    shipped = scorer(organism.network, shipped_batch(organism), list(METHODS))
    several = {
        kind: [scorer(organism.network, as_batch(written, pairs), list(THRESHOLDS)) for pairs in of_kind]
        for kind, of_kind in batches.items()
    }
    return {
        "program": program,
        "seed": seed,
        "true": len(known.edges),
        "methods": {name: ranked(scored, known) for name, scored in shipped.items()},
        **{
            kind: {name: cut([scored[name] for scored in found], known, THRESHOLDS[name]) for name in THRESHOLDS}
            for kind, found in several.items()
        },
    }


def shipped_batch(organism: Organism) -> Batch:
    """The decisions that an organism comes with."""
    return {
        "rows": organism.prompts,
        "others": organism.counterfactuals,
        "answers": organism.answers,
        "instead": organism.instead,
    }


def as_batch(written: Program, pairs: list[Pair]) -> Batch:
    """Drawn decisions with their right answers."""
    rows, others = zip(*pairs)
    return {
        "rows": rows,
        "others": others,
        "answers": [written.solve(row) for row in rows],
        "instead": [written.solve(other) for other in others],
    }


def ranked(scored: Scored, known: Truth) -> dict[str, Any]:
    """AUROC of the size of its scores, and the passes that it took."""
    if scored.scores.keys() != known.effects.keys():
        raise RuntimeError(f"its edges are not ours: {sorted(scored.scores.keys() ^ known.effects.keys())[:4]}, …")
    sizes = torch.tensor([abs(score) for score in scored.scores.values()])
    true = torch.tensor([edge in known.edges for edge in scored.scores])
    return {"AUROC": auroc(sizes, true), "passes": [scored.forward, scored.backward]}


def cut(found: list[Scored], known: Truth, threshold: float) -> dict[str, Any]:
    """Its sets on several batches, cut in both ways."""
    return {
        "top n": compared([top(scored, len(known.edges)) for scored in found], known.edges),
        "threshold": compared([above(scored, threshold) for scored in found], known.edges),
    }


def top(scored: Scored, count: int) -> frozenset[str]:
    """The `count` edges with the largest scores."""
    return frozenset(sorted(scored.scores, key=lambda edge: abs(scored.scores[edge]), reverse=True)[:count])


def above(scored: Scored, share: float) -> frozenset[str]:
    """The edges whose score is at least this share of the largest."""
    limit = share * max(map(abs, scored.scores.values()))
    return frozenset(edge for edge, score in scored.scores.items() if abs(score) >= limit)


def fitted(scorer: Scorer, seeds: tuple[int, ...]) -> dict[str, tuple[float, float]]:
    """For each method the share with the best mean F1 on the shipped decisions of other networks, and that F1."""
    told = []
    for program in PROGRAMS:
        for seed in seeds:
            organism = compile(program, seed)
            told.append((known_of(program, seed), scorer(organism.network, shipped_batch(organism), list(THRESHOLDS))))
    return {name: best(name, told) for name in THRESHOLDS}


def best(name: str, told: list[tuple[Truth, dict[str, Scored]]]) -> tuple[float, float]:
    """The best share of `GRID` for one method, and its mean F1."""
    rated = [(mean(f1(above(scored[name], share), known.edges) for known, scored in told), share) for share in GRID]
    right, share = max(rated)
    return share, right


if __name__ == "__main__":
    torch.set_num_threads(1)
    with Scorer(os.environ[PYTHON]) as asked:
        for method, (share, right) in fitted(asked, FITTED_ON).items():
            print(f"{method}: {share:.3f} of the largest, mean F1 {right:.3f}")
