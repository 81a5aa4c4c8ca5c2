"""Code concepts on the shipped code model: of which is a sub-model *present*, and what stands in the way of the others?

Every concept of Python's grammar with decisions is asked of the model, with the others' decisions that it answers right as
tasks to be spared, and of a random twin. Heads and MLPs are searched. Beside the verdict stands what the model answers: the
decision one way and its partner the other, or crosswise. There is one code model, so figures are of concepts, not of runs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cutaway as cw
from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.concepts.asking import asked_of
from cutaway.concepts.code import code_concepts, standard_library_sources
from cutaway.concepts.match import Questions, match
from cutaway.concepts.match.trials import Trials, askable, said
from cutaway.concepts.read import random_twin
from cutaway.network import Network
from cutaway.study.calibrate.asking import of_match

DEPENDS = (
    "network",
    "submodels",
    "concepts/asking.py",
    "concepts/concept.py",
    "concepts/splitting.py",
    "concepts/code",
    "concepts/match",
    "code_match.py",
)
MINUTES = 30.0
SEED, PER = 8001, 200  # decisions of a concept at most
KINDS = ("heads", "mlps")


def measure(kept: Kept, repetitions: int) -> None:
    """One row a concept and network, each kept as it is done; nothing is repeated."""
    for of in ("code model", "random twin"):
        each_kept(kept, of, row, [(of, name) for name in questions(of)])


def row(of: str, name: str) -> dict[str, Any]:
    """One concept: how its decisions are answered, and what `match` says."""
    net, asked = network(of), questions(of)[name]
    return {"concept": name, **answered(net, asked), **of_match(match(net, asked, KINDS, SEED))}


@cache
def network(of: str) -> Network:
    """The code model, or a copy with random weights."""
    net = cw.open("organism:code")
    return net if of == "code model" else random_twin(net, SEED)


@cache
def questions(of: str) -> dict[str, Questions]:
    """By concept."""
    concepts = code_concepts(standard_library_sources(), per=PER, seed=SEED)
    return asked_of((network(of),), list(concepts.values()), {})


def answered(net: Network, asked: Questions) -> dict[str, Any]:
    """Of all test decisions: with target and partner's answer each in its place, and crosswise."""
    rows = askable(net, asked.decisions["test"])
    if not rows:
        return {"asked": 0, "in order": 0, "crosswise": 0}
    trials = Trials.of(net, rows)
    there, back = said(net, trials.prompts.batch), said(net, trials.partners.batch)
    crosswise = (there == trials.foils) & (back == trials.targets)
    return {"asked": len(rows), "in order": int(trials.shown.sum()), "crosswise": int(crosswise.sum())}
