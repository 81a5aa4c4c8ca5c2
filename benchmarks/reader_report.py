"""The lines on the reader in docs/results.md: what it decides, what is left without emotion, what is named wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import nan
from typing import Any

from benchmarks.figures import Bar, Measured, Result, share, spread
from benchmarks.reader import MADE_UP
from cutaway.concepts.match.judge import NEEDED

Run = dict[str, Any]
Figure = Callable[[Result], Measured]
Line = tuple[str, Bar, str, Figure]
PERCENT, POINTS, NAME, RUNS = "{:.0%}", "{:+.3f}", "reader", "training runs"
SPARED = 0.01


def lines() -> Iterator[Line]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    every, none = Bar(1.0, True, PERCENT), Bar(0.0, False, PERCENT)
    yield (
        "reader: right above the majority on held-out texts, the worst task's lower end (95 %)",
        Bar(0.15, True, POINTS),
        NAME,
        over(worst_task),
    )
    yield "… one training run: CPU seconds", Bar(900, False, "{:.0f} s"), NAME, over(lambda run: run["cpu seconds"])
    yield (
        "emotion: a set of heads and neurons has its name",
        every,
        NAME,
        counted(lambda run: run["emotion"]["verdict"] == "present"),
    )
    for what, key in (
        ("that set, or what was refused it last, deleted", "without its set"),
        ("a subspace erased", "erased"),
    ):
        yield f"{what}: emotion above the majority", Bar(0.05, False, POINTS), NAME, over(left(key))
        yield "… other tasks change by at most", Bar(SPARED, False, POINTS), NAME, over(moved(key))
        yield "… emotion above the majority with controls instead", Bar(0.15, True, POINTS), NAME, over(control(key))
    yield "a persona that is only stance: refused the name", every, NAME, counted(not_named)
    yield "… directions fitted to it, which decide it: refused", every, NAME, directions
    yield "concepts that it was not trained on: present", none, NAME, untrained(lambda name: True)
    yield "… made-up facts: present", none, NAME, untrained(lambda name: name.startswith(MADE_UP))


def runs(result: Result) -> list[Run]:
    """One row a training run."""
    return result["settings"]["training runs"]["facts"]["networks"]


def over(of: Callable[[Run], float | None]) -> Figure:
    """The median over runs with the range; runs in which there is nothing to measure are left out."""

    def figure(result: Result) -> Measured:
        found = [value for run in runs(result) if (value := of(run)) is not None]
        return spread(found, "training run") if found else Measured(nan, nan, nan, "no training run")

    return figure


def counted(is_so: Callable[[Run], bool]) -> Figure:
    """The share of runs."""
    return lambda result: share(sum(map(is_so, runs(result))), len(runs(result)), RUNS)


def worst_task(run: Run) -> float:
    """The least lower end of a task's right answers above its majority."""
    return min(one["low"] - one["majority"] for one in run["scores"].values())


def left(key: str) -> Callable[[Run], float | None]:
    """How far above the majority emotion is without it."""
    return lambda run: run[key] and run[key]["after"]["emotion"]["right"] - run["scores"]["emotion"]["majority"]


def control(key: str) -> Callable[[Run], float | None]:
    """The same with the controls, in the mean."""
    return lambda run: run[key] and run[key]["controls"]["emotion"] - run["scores"]["emotion"]["majority"]


def moved(key: str) -> Callable[[Run], float | None]:
    """The largest change of another task's share of right answers."""

    def figure(run: Run) -> float | None:
        before, after = run["scores"], run[key] and run[key]["after"]
        return after and max(abs(after[task]["right"] - before[task]["right"]) for task in before if task != "emotion")

    return figure


def not_named(run: Run) -> bool:
    """Whether the persona has no set of its name."""
    return run["persona"]["asked"]["verdict"] != "present"


def directions(result: Result) -> Measured:
    """The share of directions that are refused, of those that a persona's decisions need."""
    found = [one for run in runs(result) for one in run["persona"]["directions"] if one["need"] >= NEEDED]
    return share(sum(bool(one["refused"]) for one in found), len(found), f"directions of {RUNS}")


def untrained(counts: Callable[[str], bool]) -> Figure:
    """The share of concepts that are called present."""

    def figure(result: Result) -> Measured:
        found = [one["verdict"] for run in runs(result) for name, one in run["untrained"].items() if counts(name)]
        return share(found.count("present"), len(found), "concepts of training runs")

    return figure
