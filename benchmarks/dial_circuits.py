"""How small are the circuits of a weight-sparse network beside those of dense ones of equal loss, and do their claims hold?

One recipe, tasks and tokens chosen on seeds 7001 and 7002, reported on others; the same searches on both sides. Of every
circuit: its size and counting null, and its claims, run again on examples they were not made on; of some sparse ones the curve of
an adversary.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.circuit_judged import each_kept
from benchmarks.dial_networks import TRAINING, home, row_of, stored, trained
from benchmarks.dial_planted import SEARCH
from benchmarks.kept import Kept
from cutaway.dial.plan import Plan
from cutaway.dial.prune.adversary import curves
from cutaway.dial.prune.claims import said, verify
from cutaway.dial.prune.findings import findings
from cutaway.dial.prune.prune import NotSolved, Settings, frozen, prune
from cutaway.dial.prune.reruns import Reruns
from cutaway.dial.prune.saved import read, saved_of
from cutaway.dial.tasks import task_named

DEPENDS = (
    *TRAINING,
    *SEARCH,
    *(f"dial/prune/{name}.py" for name in ("adversary", "claims", "findings", "fresh", "null", "reruns")),
    "dial/tasks",
    "dial_circuits.py",
)
MINUTES = 80.0
SEEDS = (8001, 8002, 8003)
SPARSE, DENSE, WIDE = "sparse", "dense", "dense, as wide"
PLANS = {
    SPARSE: Plan(width=128, pressure="regrowth=1/32", tokens=1_500_000),
    DENSE: Plan(width=64, tokens=650_000),
    WIDE: Plan(width=128, tokens=400_000),
}
"""What is compared, of equal loss: a dense width that reaches it at little compute, and the sparse network's own width."""
TASKS = (
    *("quote_kind", "for_while", "dict_list", "comment_string", "list_call", "file_str"),
    *("with_as", "if_assign", "def_call", "indent", "if_else", "step"),
)
"""Those that every network of seeds 7001 and 7002 solved."""
SOME = TASKS[:6]
"""Those that are asked of the dense network as wide as the sparse one, whose searches take longest."""
TARGET = 0.15
ATTACKED = TASKS[:3]
"""Tasks whose sparse circuits are attacked for as many steps as the curve has."""
STEPS = (0, 20, 80, 320)
ON = 32
"""Examples that are attacked."""


def plan(setting: str, seed: int) -> Plan:
    """The plan of one run."""
    return replace(PLANS[setting], seed=seed)


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, a circuit, an attacked circuit, each kept as it is done; nothing is repeated."""
    runs = [(setting, seed) for setting in PLANS for seed in SEEDS]
    each_kept(kept, "networks", lambda *run: {"setting": run[0], **trained(plan(*run))}, runs)
    rows = kept.setting("networks")["facts"]["networks"]
    asked = [(setting, seed, task) for seed in SEEDS for task in TASKS for setting in (SPARSE, DENSE)]
    each_kept(kept, "circuits", lambda *one: circuit(rows, *one), asked)
    some = [(seed, task) for seed in SEEDS for task in ATTACKED]
    each_kept(kept, "attacked", lambda *one: attacked(rows, *one), some)
    wide = [(WIDE, seed, task) for seed in SEEDS for task in SOME]
    each_kept(kept, "wide", lambda *one: circuit(rows, *one), wide)


def circuit(rows: list[dict[str, Any]], setting: str, seed: int, task: str) -> dict[str, Any]:
    """What pruning one network on one task came to, what is claimed of it, and how much of that held on other examples."""
    of, asked, settings = plan(setting, seed), task_named(task), Settings(target=TARGET, seed=seed)
    row = row_of(rows, of)
    found, about = stored(of, row["name"]), {"setting": setting, "seed": seed, "name": row["name"], "task": task}
    try:
        pruned = prune(found.network, asked, found.windows, settings)
    except NotSolved as error:
        return {**about, "why": str(error).partition(";")[0]}
    about |= {
        "own": pruned.own,
        "cpu_s": sum(search.cpu_seconds for search in pruned.searches),
        "searches": [search.circuit and list(search.circuit.size) for search in pruned.searches],
    }
    told = findings(pruned, found.network, asked, settings, steps=(0,))
    if told.worth is None:
        return {**about, "why": "no circuit"}
    folder = folder_of(setting, seed, task)
    shutil.rmtree(folder, ignore_errors=True)
    told.save(folder, saved_of(pruned, found.network, settings))
    claims = [said(check) for check in told.worth.checks]
    held = verify(folder, found.network, asked, seed).held if {"holds", "redundant"} & set(claims) else 0
    edges, nodes = len(told.edges), len(told.nodes)
    sizes = {"edges": edges, "nodes": nodes, "null": told.worth.null, "bits": told.worth.bits.total}
    power = told.worth.fresh.power.rows()
    return {**about, "why": None, **sizes, "minimal": told.minimal, "claims": claims, "held": held, "power": power}


def attacked(rows: list[dict[str, Any]], seed: int, task: str) -> dict[str, Any]:
    """What an adversary makes of one sparse circuit, of it less one node, and of random nodes."""
    of, folder = plan(SPARSE, seed), folder_of(SPARSE, seed, task)
    if not folder.is_dir():
        return {"seed": seed, "task": task, "curves": []}
    network = frozen(stored(of, row_of(rows, of)["name"]).network)
    reruns = Reruns(network, read(folder), task_named(task), seed)
    kept = reruns.saved.circuit.kept
    found = curves(reruns.tried, kept, reruns.fresh.examples.take(torch.arange(ON // 2)), STEPS, seed=seed)
    return {"seed": seed, "task": task, "curves": found.rows()}


def folder_of(setting: str, seed: int, task: str) -> Path:
    """Where a circuit is kept, for an adversary and to be looked at."""
    return home() / "circuits" / f"{setting.replace(', ', '-').replace(' ', '-')}-{seed}-{task}"
