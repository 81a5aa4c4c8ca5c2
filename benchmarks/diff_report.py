"""The lines on `diff` in docs/results.md: what differs is named first, and proved; what is named where nothing differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.diff import KINDS, NULLS
from benchmarks.figures import Bar, Measured, Result, share, spread

Row = Mapping[str, Any]
Figure = Callable[[Result], Measured]
PERCENT, NAME = "{:.1%}", "diff"
HOW = {
    "slot": "in a slot",
    "full": "by training all weights",
    "adapter": "by adapters that are merged",
    "camouflage": "in a slot, both trained on and written down in another order",
}
ALIKE = {
    "full, twice": "two seeds of the same training of all weights",
    "camouflage, harmless": "two seeds of the same camouflage, without the behaviour",
    "camouflage, harmful": "two seeds of the same camouflage, both with the behaviour",
}
OF_SLOT = ("slot", "camouflage")


def lines() -> Iterator[tuple[str, Bar, str, Figure]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for kind in KINDS:
        what = f"diff of two networks, one with a behaviour {HOW[kind]}"
        yield f"{what}: that concept alone is named", Bar(0.9, True, PERCENT), NAME, counted(kind, alone)
        yield "… and its parts, by transplanting there and back", Bar(0.9, True, PERCENT), NAME, counted(kind, located)
        yield "… how many parts", Bar(24, False, "{:.0f}"), NAME, parts(kind)
        if kind in OF_SLOT:
            for what, told in (("the part named first", first), ("the part of which weights differ most", by_weights)):
                yield f"… {what} was planted", Bar(0.9, True, PERCENT), NAME, counted(kind, told)
    for kind in NULLS:
        yield f"diff of {ALIKE[kind]}: anything is named", Bar(0.05, False, PERCENT), NAME, counted(kind, anything)


def alone(row: Row) -> bool:
    """Whether what was planted comes first and nothing else is named."""
    return row["concepts"][0]["concept"] == row["behaviour"] and named(row) == [row["behaviour"]] and not row["changed"]


def located(row: Row) -> bool:
    """Whether a set of parts carries what was planted."""
    return row["concepts"][0]["concept"] == row["behaviour"] and row["concepts"][0]["verdict"] == "located"


def first(row: Row) -> bool:
    """Whether the part that is named first was planted."""
    return located(row) and row["concepts"][0]["parts"][0] in row["slot"]


def by_weights(row: Row) -> bool:
    """The same of the part whose output weights differ most: what a comparison of weights would name."""
    return row["first by"]["weights"] in row["slot"]


def anything(row: Row) -> bool:
    """Whether any concept or task is said to differ."""
    return bool(named(row) or row["changed"])


def named(row: Row) -> list[str]:
    """The concepts that are said to differ."""
    return [one["concept"] for one in row["concepts"] if one["verdict"] in ("located", "differs")]


def counted(kind: str, holds: Callable[[Row], bool]) -> Figure:
    """The share of training runs; those in which what was planted did not take hold are told."""

    def figure(result: Result) -> Measured:
        every = rows(result, kind)
        found = [row for row in every if took(row)]
        left = f", {len(every) - len(found)} more left out: what was planted did not take hold" * (
            len(every) > len(found)
        )
        return share(sum(map(holds, found)), len(found), f"training runs{left}")

    return figure


def parts(kind: str) -> Figure:
    """How many parts are named, the median over runs, and the range."""

    def figure(result: Result) -> Measured:
        return spread(
            [len(row["concepts"][0]["parts"]) for row in rows(result, kind) if took(row) and located(row)], "set"
        )

    return figure


def took(row: Row) -> bool:
    """Whether the network with the behaviour shows it in most prompts; where nothing should differ nothing must."""
    return row["null"] or row["shown"] >= 0.5


def rows(result: Result, kind: str) -> list[Row]:
    """The training runs of one kind."""
    return result["settings"][kind]["facts"]["networks"]
