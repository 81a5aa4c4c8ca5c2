"""The lines on single decisions in docs/results.md: of each state, how often it is told where it is so, and so where it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.figures import Bar, Measured, Result, clustered
from cutaway.concepts.match.each import ACTIVE, STATES

Figure = Callable[[Result], Measured]
Line = tuple[str, Bar, str, Figure]
PERCENT, RESULT = "{:.1%}", "concept_decisions"
CAUSES = ("used", "overdetermined")
TRAINED = ("agents", "twice")
BARS = {state: Bar(0.95 if state == "used" else 0.9, True, PERCENT) for state in STATES}


def lines() -> Iterator[Line]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for where, sources, states in (
        ("single decisions, by hand and trained", ("gates", *TRAINED), CAUSES),
        ("… in trained networks only", TRAINED, (*CAUSES, "idle")),
        # What zeroing moves is no full account of what is active: known of circuits by hand only.
        ("… in circuits by hand only", ("gates",), ("active but overruled", "active but not needed", "idle")),
    ):
        for state in states:
            yield f"{where}: {state}, recall", BARS[state], RESULT, recall(state, sources)
            yield "… precision", BARS[state], RESULT, precision(state, sources)
    yield (
        "… in trained networks, the parts named by a match: used, recall",
        BARS["used"],
        RESULT,
        recall("used", ("agents",), "matched"),
    )
    yield "… precision", BARS["used"], RESULT, precision("used", ("agents",), "matched")
    yield "… used or overdetermined, and told idle", Bar(0.02, False, PERCENT), RESULT, missed
    loud = (
        "… pushes by the values of another prompt in which it is not at stake either, loud enough to be called active"
    )
    yield loud, Bar(0.05, False, PERCENT), RESULT, chance


def networks(result: Result, sources: tuple[str, ...]) -> list[dict[str, Any]]:
    """Networks that do what was planted, of these sorts."""
    every = [one for name in sources for one in result["settings"][name]["facts"]["networks"]]
    if not (found := [one for one in every if not one["problems"]]):
        raise ValueError("nothing measured")
    return found


def recall(state: str, sources: tuple[str, ...], which: str = "decisions") -> Figure:
    """Of the decisions in which a state is known, those for which it is told; the unit is the network."""

    def figure(result: Result) -> Measured:
        found = networks(result, sources)
        told = [[told == state for _, known, told in one[which] if known == state] for one in found]
        return clustered(told, f"decisions{without(result, sources)}")

    return figure


def without(result: Result, sources: tuple[str, ...]) -> str:
    """How many networks are not counted, since what was planted did not take hold."""
    every = [one for name in sources for one in result["settings"][name]["facts"]["networks"]]
    left = sum(bool(one["problems"]) for one in every)
    return f" ({left} networks more left out: what was planted did not take hold)" if left else ""


def precision(state: str, sources: tuple[str, ...], which: str = "decisions") -> Figure:
    """Of the decisions for which a state is told, those in which it is known; where only "no cause" is known, causes count."""

    def figure(result: Result) -> Measured:
        return clustered(
            [
                [known == state for _, known, told in one[which] if told == state and (known or state in CAUSES)]
                for one in networks(result, sources)
            ],
            "decisions",
        )

    return figure


def missed(result: Result) -> Measured:
    """Of the decisions with a known cause, those that are told idle."""
    every = networks(result, ("gates", *TRAINED))
    return clustered(
        [[told == "idle" for _, known, told in one["decisions"] if known in CAUSES] for one in every], "decisions"
    )


def chance(result: Result) -> Measured:
    """Of the pushes by values that have nothing to do with it, those that are large enough to be called active."""
    return clustered([[push >= ACTIVE for push in one["placebo"]] for one in networks(result, ("agents",))], "pushes")
