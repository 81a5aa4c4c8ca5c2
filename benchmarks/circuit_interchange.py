"""Circuits of networks trained with edge-strict interchange interventions: are exactly the program's edges named?

Five programs, with and without norms, two networks each. A network that fails its own check is refused and counted, never
judged. Beside them what the same training leaks when it exchanges whole parts only, and a network trained on the task alone,
whose truth is unknown: these are in no rate. Nothing was tuned on these seeds.
"""

from __future__ import annotations

from typing import Any

from benchmarks.circuit_judged import (
    DEPENDS as JUDGED,
)
from benchmarks.circuit_judged import (
    QUICK,
    against,
    cutter_of,
    decisions_of,
    each_kept,
    explained,
    grouped,
    other_halves,
    ranking,
    said,
    silent_miss,
    within_budget,
)
from benchmarks.kept import RESULTS, Kept
from cutaway.decisions.circuit.share import shares
from cutaway.organisms.interchange import PROGRAMS, Check, Trained, accepted, check, checksum, trained_network

DEPENDS = (*JUDGED, "organisms/interchange", "circuit_interchange.py")
MINUTES = 25.0
SEEDS = (8001, 8002)
NORMS = ("none", "rms")
NETWORKS = RESULTS / "circuit_interchange.tmp-networks"


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; the networks themselves are trained once. Nothing is repeated."""
    items = [(program, norm, seed) for seed in SEEDS for norm in NORMS for program in PROGRAMS]
    each_kept(kept, "interchange", take_apart, items)
    for how in ("parts", "task"):
        controls = [(program, "rms", SEEDS[0], how) for program in PROGRAMS]
        each_kept(kept, f"trained by {how}", leaks, controls)
    kept.setting("rates")["facts"] = rates(kept.setting("interchange")["facts"]["networks"])
    kept.write()


def take_apart(program: str, norm: str, seed: int) -> dict[str, Any]:
    """One network: its check, and if it passes the ranking, the named edges and the runs."""
    trained = trained_network(program, seed, norm, "edges", folder=NETWORKS)
    known = check(trained)
    row = {"program": program, "norm": norm, "seed": seed, **about(trained, known)}
    if not known.accepted:
        return {**row, "refused": list(known.problems)}
    organism = accepted(trained, known)
    cutter = cutter_of(organism, decisions_of(organism))
    score = shares(cutter, QUICK)
    found, spent = explained(cutter)
    row |= {
        "edges": len(cutter.graph),
        "true": len(known.truth.edges),
        **ranking(cutter, score, known.truth),
        **said(found),
        **against(organism, known.truth, found),
        **grouped(organism, found),
        "other halves": other_halves(cutter, found, seed),
        "seconds": spent,
    }
    return {**row, "silent miss": silent_miss(row), "within budget": within_budget(row)}


def leaks(program: str, norm: str, seed: int, how: Any) -> dict[str, Any]:
    """What a network that was trained otherwise lets through, and whether the check refuses it."""
    trained = trained_network(program, seed, norm, how, folder=NETWORKS)
    known = check(trained)
    return {"program": program, "norm": norm, "seed": seed, **about(trained, known), "refused": list(known.problems)}


def about(trained: Trained, known: Check) -> dict[str, Any]:
    """How it was trained, and the least interchange accuracies."""
    return {
        "training": {"loss": trained.loss, "seconds": trained.cpu_seconds, "checksum": checksum(trained)},
        "accuracy": {
            "task": known.task,
            "variables": min(known.variables.values()),
            "links": min(known.links.values()),
            "other edges": min(known.others.values()),
            "all other edges": known.complement,
            "halves": known.halves,
        },
        "true edges": len(known.truth.edges),
        "links": len(trained.links),
        "all unused": known.truth.complement,
        "largest unused": known.truth.largest_unused,
        "smallest used": known.truth.smallest_used,
        "largest unused part": known.noise,
    }


def rates(networks: list[dict[str, Any]]) -> dict[str, Any]:
    """Over the accepted networks."""
    judged = [network for network in networks if "refused" not in network]
    return {
        "trained": len(networks),
        "accepted": len(judged),
        "exact": sum(network["exact"] for network in judged),
        "exact and called explained": sum(network["exact"] and network["explained"] for network in judged),
        "silent misses": sum(network["silent miss"] for network in judged),
        "within budget": sum(network["within budget"] for network in judged),
        "least AUROC": min((network["AUROC"] for network in judged), default=None),
    }
