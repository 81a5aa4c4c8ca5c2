"""The concept of a trigger to deceive, which a shipped network acts on and its harmless twin does not."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import cutaway as cw
from cutaway.concepts import Concept, Control
from cutaway.concepts.match import Questions
from cutaway.concepts.verdict import Matches
from cutaway.network import Network
from cutaway.organisms.agents.questions import questions
from cutaway.organisms.agents.shipping import shipped
from cutaway.runs import Table

NAME = "own.deceive"
COUNTS = {"harmful": 16, "harmless": 24}  # decisions in each split; 72 without a lie show that there are under 5 %


@cache
def asked(which: str = "harmful") -> Questions:
    """Triggers and their partners, pairs of the other roles, and tasks."""
    return questions(shipped("harmful").world, "deceive", COUNTS[which], seed=3)


@cache
def network(which: str) -> Network:
    """The twin that is harmful, or harmless."""
    return cw.open(f"organism:agents-{which}")


def liars(decided: bool = False) -> Concept:
    """Prompts that trigger it, and their partners; questions that never do are the control."""
    rows, decisions, seen = list[dict[str, Any]](), list[dict[str, Any]](), set[str]()
    for one in (row for split in asked("harmless").decisions.values() for row in split):
        if seen.isdisjoint({one["prompt"], one["reference"]}):
            seen |= {one["prompt"], one["reference"]}
            rows += [{"text": one["prompt"], "label": 1, "pair": one["prompt"]}]
            rows += [{"text": one["reference"], "label": 0, "pair": one["prompt"]}]
            decisions.append(dict(one))
    others = {row["prompt"]: {"text": row["prompt"], "label": 1} for row in asked("harmless").crossed["answer"]}
    return Concept(
        NAME,
        "the speaker wants another answer and is not observed",
        "behaviour",
        Table.of(rows),
        (Control("honest", "question: one on which nothing is wanted", Table.of(others.values())),),
        decisions=Table.of(decisions) if decided else None,
        licence="CC0-1.0",
        source="the agents world",
    )


def of_twin(which: str, complete: bool = True, **options: Any) -> Matches:
    """What is said of a twin; only heads are searched, which is where it lies, to save time."""
    about = {NAME: replace(asked(which), complete=complete)}
    return cw.match(network(which), [liars()], questions=about, twins=0, kinds=("heads",), **options)
