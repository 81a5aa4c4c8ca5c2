"""Differences made by hand, with everything that a page or a folder must hold: no network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from tests.concepts.matched import lacking, match

from cutaway.concepts.diff import Behaviour, Carried, Difference, Differences
from cutaway.concepts.match import Share
from cutaway.runs import Table

TASKS = [{"task": "recall", "prompts": 48, "otherwise": 0.0, "low": 0.0, "high": 0.07}]
MATRICES = [{"weight": "layers.0.down_proj.weight", "relative": 0.2, "rank": 8, "full": 48}]
PARTS = [{"part": "z.1[head=0]", "there": "z.1[head=2]", "weights": 0.4, "activations": 1.2}]


def behaviour(side: Any, a: int, b: int) -> Behaviour:
    """So many of 48 in each network."""
    return Behaviour.of(side, *(torch.arange(48) < count for count in (a, b)))


def carried(**changed: Any) -> Carried:
    """A set that is named, but for what is changed."""
    whole: dict[str, Any] = {
        "parts": ("z.1[head=0]", "mlp_act.1[neuron=3]"),
        "counterparts": ("z.1[head=2]", "mlp_act.1[neuron=3]"),
        "brought": Share.of(47, 48),
        "taken": Share.of(48, 48),
        "control": Share.of(1, 48),
        "p": 1e-20,
        "spare": (Share.of(1, 100), "recall"),
        "weights": 7,
        "activations": 3,
        "searched": 204,
    }
    return Carried(**{**whole, **changed})


def difference(**changed: Any) -> Difference:
    """One that is located, but for what is changed."""
    whole: dict[str, Any] = {
        "concept": "own.lies",
        "definition": "the speaker lies",
        "verdict": "located",
        "why": "prompts: all in A, none in B",
        "prompts": behaviour("prompts", 48, 0),
        "partners": behaviour("partners", 47, 48),
        "side": "prompts",
        "q": 1e-12,
        "carried": carried(),
        "in_a": match(),
        "in_b": lacking(),
    }
    return Difference(**{**whole, **changed})


def same(**changed: Any) -> Difference:
    """A concept in which nothing differs."""
    none: dict[str, Any] = {"carried": None, "in_a": None, "in_b": None, "q": 1.0}
    prompts = behaviour("prompts", 30, 30)
    return difference(**{"concept": "own.same", "verdict": "same", "prompts": prompts, **none, **changed})


def differences(*others: Difference) -> Differences:
    """A concept of each verdict."""
    refused = carried(spare=(Share.of(40, 100), "recall"))
    found = (
        difference(),
        difference(concept="own.spread", verdict="differs", carried=refused, in_a=None, in_b=None),
        same(),
        same(concept="own.mute", verdict="not testable", prompts=None, partners=None, side=None, q=None),
        *others,
    )
    return Differences("one", "other", "one shape", found, *map(Table.of, (TASKS, MATRICES, PARTS)), 3)


def hostile(text: str) -> Differences:
    """The same with a text in the place of every name and word."""
    one = difference(concept=text, definition=text, why=text, carried=carried(parts=(text,), counterparts=(text,)))
    tables = [
        Table.of([{**row, name: text}])
        for row, name in ((TASKS[0], "task"), (MATRICES[0], "weight"), (PARTS[0], "part"))
    ]
    return replace(
        differences(), a=text, b=text, compared=text, found=(one,), tasks=tables[0], matrices=tables[1], parts=tables[2]
    )
