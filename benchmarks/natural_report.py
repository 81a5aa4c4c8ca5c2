"""The lines on natural-latent scores in docs/results.md: what is called natural, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.figures import Bar, Measured, Result, share, spread

Figure = Callable[[Result], Measured]
Line = tuple[str, Bar, str, Figure]
PERCENT, NAME, LEVEL = "{:.1%}", "concepts_natural", 0.05


def lines() -> Iterator[Line]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    most, few = Bar(0.9, True, PERCENT), Bar(LEVEL, False, PERCENT)
    what = "planted networks, each part tells it and nothing else is shared"
    yield f"{what}: called redundant", most, NAME, of_kind("natural", redundant)
    yield "… more than chance passes through the code", most, NAME, of_kind("natural", passes)
    yield "… called mediating (more than half for certain)", most, NAME, of_kind("natural", mediating)
    yield "… share that passes, truth 1", Bar(0.9, True, "{:.2f}"), NAME, shares("natural")
    yield "each part tells it, three other latents shared: redundant", most, NAME, of_kind("redundant only", redundant)
    yield "… called mediating", few, NAME, of_kind("redundant only", mediating)
    yield "… share that passes, truth 0.12", Bar(0.25, False, "{:.2f}"), NAME, shares("redundant only")
    yield (
        "two of three parts tell it, nothing else shared: called redundant",
        few,
        NAME,
        of_kind("mediating only", redundant),
    )
    yield "… more than chance passes through the code", most, NAME, of_kind("mediating only", passes)
    yield "one of two parts tells it, three others shared: either", few, NAME, of_kind("neither", either)
    yield "nothing told, nothing shared: either", few, NAME, of_kind("nothing", either)
    yield "… mediation not testable", most, NAME, of_kind("nothing", lambda one: one["mediates"] == "not testable")
    yield "labels shuffled: any part counted", few, NAME, shuffled(lambda one: one["p of the best part"] <= LEVEL)
    yield "… p of the code against shuffled labels ≤ .05", few, NAME, shuffled(lambda one: one["p labels"] <= LEVEL)
    yield "… said to carry more than chance", few, NAME, shuffled(passes)
    nothing = "parts with nothing in common: p of dependence ≤ .05"
    yield nothing, few, NAME, shuffled(lambda one: one["p dependence of nothing"] <= LEVEL)
    yield (
        "random encoders, shipped concepts in halves: any part counted",
        few,
        NAME,
        untrained(lambda one: one["parts"] > 0),
    )
    yield "… called natural", few, NAME, untrained(lambda one: one["natural"])
    yield "both scores of a planted concept: CPU seconds", Bar(2.0, False, "{:.2f} s"), NAME, seconds


def redundant(one: dict[str, Any]) -> bool:
    """Every part tells it."""
    return one["redundant"] == "redundant"


def mediating(one: dict[str, Any]) -> bool:
    """More than half passes through the code, for certain."""
    return one["mediates"] == "mediates"


def passes(one: dict[str, Any]) -> bool:
    """More than chance passes through the code."""
    return one["mediates"] in ("mediates", "in part")


def either(one: dict[str, Any]) -> bool:
    """Redundant in some parts, or something passes."""
    return one["redundant"] != "not redundant" or passes(one)


def networks(result: Result, setting: str) -> list[dict[str, Any]]:
    """What was said of each network of one setting."""
    return result["settings"][setting]["facts"]["networks"]


def of_kind(kind: str, holds: Callable[[dict[str, Any]], bool]) -> Figure:
    """The share of networks of one kind of which something holds."""

    def figure(result: Result) -> Measured:
        here = [one for one in networks(result, "planted") if one["kind"] == kind]
        return share(sum(map(holds, here)), len(here))

    return figure


def shares(kind: str) -> Figure:
    """The share of the dependence that passes, the median over networks of one kind with their range."""

    def figure(result: Result) -> Measured:
        here = [one for one in networks(result, "planted") if one["kind"] == kind and one["share"] is not None]
        return spread([one["share"] for one in here], "network")

    return figure


def shuffled(holds: Callable[[dict[str, Any]], bool]) -> Figure:
    """The share of networks with shuffled labels of which something holds."""

    def figure(result: Result) -> Measured:
        here = networks(result, "shuffled")
        return share(sum(map(holds, here)), len(here))

    return figure


def untrained(holds: Callable[[dict[str, Any]], bool]) -> Figure:
    """The share of random networks and concepts of which something holds."""

    def figure(result: Result) -> Measured:
        here = [one for net in networks(result, "untrained") for one in net["concepts"].values()]
        return share(sum(map(holds, here)), len(here), "concepts in networks")

    return figure


def seconds(result: Result) -> Measured:
    """CPU seconds of a network."""
    return spread([one["cpu"] for one in networks(result, "planted")], "network")
