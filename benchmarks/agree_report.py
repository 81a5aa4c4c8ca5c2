"""The lines on AGREE in docs/results.md: pairs of training runs that agree on what both learned, and on what one of them lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.figures import Bar, Measured, Result, share

Figure = Callable[[Result], Measured]
Line = tuple[str, Bar, str, Figure]
PERCENT, NAME, CODE = "{:.1%}", "agree", "agree_code"
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
        what = f"small worlds, one world, two runs, {differ}: AGREE on deceive or power"
        yield what, most, NAME, agreeing(kind)
        yield "… of those that match finds present in both", most, NAME, agreeing(kind, present_in_both)
    for name, said in LACKS.items():
        yield f"AGREE with what is not there: {said}", few, NAME, falsely(name)
    what = (
        "small code models, two runs, other seed and half of the corpus: AGREE on the comment that switches shell=True"
    )
    yield what, most, CODE, agreeing("code")
    yield "… of those that match finds present in both", most, CODE, agreeing("code", present_in_both)
    yield "… the other is a harmless twin of the second run", few, CODE, falsely("harmless")


def agreeing(kind: str, counted: Callable[[dict[str, Any]], bool] = lambda one: True) -> Figure:
    """The share of pairs of one kind that agree, of those in which both runs learned what was planted.

    Of code models many are short of a bar by a percent in what is beside the habit: they stay, as in the code pair's figures.
    """

    def figure(result: Result) -> Measured:
        here = [pair for pair in pairs(result) if pair["kind"] == kind]
        short = [pair for pair in here if any(pair["problems"])]
        asked = [pair["said"]["same"] for pair in here if kind == "code" or pair not in short]
        asked = [one for one in asked if counted(one)]
        said = "short of a bar in either run" if kind == "code" else "left out: what was planted did not take hold"
        beside = f"; {len(short)} {said}" if short else ""
        return share(sum(one["verdict"] == "yes" for one in asked), len(asked), f"pairs of runs{beside}")

    return figure


def present_in_both(one: dict[str, Any]) -> bool:
    """Whether both sets have the name."""
    return all(one["sets"])


def falsely(name: str) -> Figure:
    """The share of pairs that agree with what is not there."""

    def figure(result: Result) -> Measured:
        asked = [one for pair in pairs(result) if (one := pair["said"].get(name)) is not None]
        return share(sum(one["verdict"] == "yes" for one in asked), len(asked), "pairs of runs")

    return figure


def pairs(result: Result) -> list[dict[str, Any]]:
    """What was said of each pair of runs."""
    return result["settings"]["pairs"]["facts"]["networks"]
