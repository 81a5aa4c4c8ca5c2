"""The lines on AGREE in docs/results.md: pairs of training runs that agree on what both learned, and on what one of them lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from benchmarks.figures import Bar, Measured, Result, clustered, share

Figure = Callable[[Result], Measured]
Line = tuple[str, Bar, str, Figure]
PERCENT, NAME = "{:.1%}", "agree"
DIFFER = {
    "seed": "another seed",
    "width": "another seed and width",
    "depth": "another seed and one block more",
    "half": "another seed and the other half of the situations",
}
LACKS = {
    "harmless": "the other network is a harmless twin of the second run",
    "untrained": "… is untrained",
    "other behaviour": "the set of the other behaviour in the second network, offered",
    "random set": "… a random set of as many parts, offered",
}


def lines() -> Iterator[Line]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    most, few = Bar(0.9, True, PERCENT), Bar(0.05, False, PERCENT)
    for kind, differ in DIFFER.items():
        what = f"small worlds, one world, two runs, {differ}: AGREE on deceive, power"
        yield what, most, NAME, agreeing(kind)
        yield "… of those that match finds present in both", most, NAME, agreeing(kind, present_in_both)
    for name, said in LACKS.items():
        yield f"AGREE with what is not there, pairs with any: {said}", few, NAME, falsely(name)


def agreeing(kind: str, counted: Callable[[dict[str, Any]], bool] = lambda one: True) -> Figure:
    """The share of behaviours that agree, in pairs of one kind that are sound."""

    def figure(result: Result) -> Measured:
        here = [pair for pair in pairs(result) if pair["kind"] == kind]
        sound = [pair for pair in here if not any(pair["problems"])]
        each = [[one["same"] for one in pair["said"].values() if counted(one["same"])] for pair in sound]
        found = clustered([[one["verdict"] == "yes" for one in some] for some in each], "answers")
        out = len(here) - len(sound)
        left = f"; {out} pairs left out: what was planted did not take hold" if out else ""
        return replace(found, of=f"{found.of.replace('networks', 'pairs of runs')}{left}")

    return figure


def present_in_both(one: dict[str, Any]) -> bool:
    """Whether both sets have the name."""
    return all(one["sets"])


def falsely(name: str) -> Figure:
    """The share of pairs in which either behaviour agrees with what is not there."""

    def figure(result: Result) -> Measured:
        every = [[one[name] for one in pair["said"].values() if one[name] is not None] for pair in pairs(result)]
        asked = [some for some in every if some]
        hits = sum(any(one["verdict"] == "yes" for one in some) for some in asked)
        return share(hits, len(asked), "pairs of runs")

    return figure


def pairs(result: Result) -> list[dict[str, Any]]:
    """What was said of each pair of runs."""
    return result["settings"]["pairs"]["facts"]["networks"]
