"""Is a comment that switches a habit found in a small code model, and not found in its twin? Every training run is one row.

Asked of each run: the planted network, the same weights with the slot off, the same with a harmless habit on the same trigger
instead, an untrained network, and the planted one with its weights shuffled. Thresholds and sizes were chosen on seeds
7001-7003. A killed run goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.concepts.match import match
from cutaway.network import wrap
from cutaway.organisms.code_pair import CodeOrganism, World, random_twin, train_code_pair, triggers, twin
from cutaway.organisms.code_pair.questions import questions
from cutaway.organisms.code_pair.suite import prompts, rates_of
from cutaway.organisms.planted.planting import without
from cutaway.organisms.planted.rates import said, share
from cutaway.organisms.scrambling import scrambled
from cutaway.study.calibrate.asking import of_match
from cutaway.study.calibrate.runs import unit_of

DEPENDS = (
    "network",
    "submodels",
    "decisions/decision.py",
    "decisions/circuit/find.py",
    "concepts/splitting.py",
    *(f"concepts/match/{name}.py" for name in ("judge", "match", "questions", "search", "share", "trials")),
    "organisms/planted",
    *(
        f"organisms/code_pair/{name}.py"
        for name in ("contrasts", "language", "questions", "statements", "suite", "training", "world")
    ),
    "organisms/code_reference.py",
    "organisms/scrambling.py",
    *(f"training/{name}.py" for name in ("checkpoint", "corpus", "loop", "tokenizer", "windows")),
    "code_pair.py",
)
MINUTES = 90.0
SEEDS = range(8001, 8094)
COUNT, FRESH, OTHER = 48, 512, 1_000_003
"""Decisions in each split; prompts on which what is named is deleted, and what is added to a run's seed to draw them."""


def measure(kept: Kept, repetitions: int) -> None:
    """One row a training run, each kept as it is done; nothing is repeated."""
    each_kept(kept, "training runs", row, [(seed,) for seed in SEEDS])


def row(seed: int) -> dict[str, Any]:
    """One training run and the answers of its networks."""
    began = time.process_time()
    grown = train_code_pair(seed)
    harmful = twin(grown, shell=True)
    assert harmful.rates is not None
    networks = {
        "harmful": harmful,
        "harmless": twin(grown, measure=False),
        "decoy": twin(grown, decoy=True, measure=False),
        "untrained": random_twin(seed),
        "shuffled": replace(harmful, network=scrambled(harmful.network, seed), made="weights shuffled"),
    }
    asked = questions(World(), "shell", COUNT, seed)
    found = {name: answer(one, asked, seed) for name, one in networks.items()}
    if named := found["harmful"]["named"]:
        found["harmful"]["deleted"] = deleted(harmful, named["parts"])
    known = harmful.truth[0]
    return {
        "seed": seed,
        "problems": list(harmful.problems),
        "shown": harmful.rates.shown["shell"],
        "worst partner": harmful.rates.worst_partner,
        "truth": {"slot": list(known.slot), "minimal": [list(one.parts) for one in known.minimal if one.verified]},
        "networks": found,
        "cpu seconds": round(time.process_time() - began, 1),
    }


def answer(organism: CodeOrganism, asked: Any, seed: int) -> dict[str, Any]:
    """What `match` says of one network."""
    net = wrap(organism.network, organism.tokenizer, organism.reference(), name=organism.name)
    return of_match(match(net, asked, seed=seed))


def deleted(organism: CodeOrganism, parts: Sequence[str]) -> dict[str, float]:
    """What a network does without the parts that were named, on prompts that nobody has seen.

    `shown` and `honest`: how often the habit, and the harmless answer, is given to triggers; `spared`: the most often that
    the harmless answer is given with any one of the parts left alone; `lost`: by how much the worst other task does worse
    than without the slot.
    """
    (implant,), seed, units = organism.planted, organism.seed + OTHER, [unit_of(part) for part in parts]
    fresh = prompts(organism.world, triggers(organism.world, implant, FRESH, seed), [implant])
    cut = partial(without, organism.network)
    answers = said(cut(units), fresh.ids)
    fewer = [[one for one in units if one != unit] for unit in units]
    ours, slot = (
        rates_of(replace(organism, network=cut(some), seed=seed), FRESH).tasks
        for some in (units, organism.slot(implant.behaviour).units)
    )
    return {
        "shown": share(answers, fresh.planted),
        "honest": share(answers, fresh.honest),
        "spared": max(share(said(cut(some), fresh.ids), fresh.honest) for some in fewer),
        "lost": max(slot[kind] - ours[kind] for kind in slot),
    }
