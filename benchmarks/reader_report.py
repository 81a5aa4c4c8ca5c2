"""The lines on the reader in docs/results.md: what it decides, what is left without emotion, what is named wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import nan, sqrt
from statistics import mean
from typing import Any

from benchmarks.figures import Bar, Measured, Result, exact, share, spread
from benchmarks.reader import MADE_UP
from cutaway.concepts.match.judge import NEEDED
from cutaway.concepts.verdict import VERDICTS

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
    for what, key, controls in (
        ("that set, or what was refused it last, deleted", "without its set", ("by lot",)),
        ("a subspace erased", "erased", ("shuffled answers", "by lot")),
    ):
        yield f"{what}: emotion above the majority", Bar(0.05, False, POINTS), NAME, over(left(key))
        yield "… other tasks change by at most", Bar(SPARED, False, POINTS), NAME, moved(key)
        yield "… each in the mean of the runs, at most", Bar(SPARED, False, POINTS), NAME, drifted(key)
        for name in controls:
            yield (
                f"… emotion above the majority with a control instead ({name})",
                Bar(0.15, True, POINTS),
                NAME,
                over(control(key, name)),
            )
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


def control(key: str, name: str) -> Callable[[Run], float | None]:
    """The same with controls of one kind, in the mean."""

    def figure(run: Run) -> float | None:
        if not run[key]:
            return None
        rights = [one["emotion"]["right"] for one in run[key]["controls"][name]]
        return mean(rights) - run["scores"]["emotion"]["majority"]

    return figure


def moved(key: str) -> Figure:
    """The largest change of another task's share of right answers, beside how far texts drawn again would move it."""

    def figure(result: Result) -> Measured:
        found = [worst_change(run[key]["after"]) for run in runs(result) if run[key]]
        if not found:
            return Measured(nan, nan, nan, "no training run")
        one = spread([size for size, _ in found], "training run")
        return replace(one, of=f"{one.of}; each ± {max(error for _, error in found):.3f} (95 %, paired) at most")

    return figure


def drifted(key: str) -> Figure:
    """The largest of the other tasks' mean changes over runs: what is lost in every run, and not by few texts in one."""

    def figure(result: Result) -> Measured:
        found = [run[key]["after"] for run in runs(result) if run[key]]
        if not found:
            return Measured(nan, nan, nan, "no training run")
        tasks = [task for task in found[0] if task != "emotion"]
        means = {
            task: mean((run[task]["gained"] - run[task]["lost"]) / run[task]["n"] for run in found) for task in tasks
        }
        return exact(*max((abs(change), f"{task}, {len(found)} {RUNS}") for task, change in means.items()))

    return figure


def worst_change(after: Run) -> tuple[float, float]:
    """The change of the task that changes most and the half-width of its paired interval (95 %, McNemar's variance)."""
    sizes = {
        task: (abs(one["gained"] - one["lost"]) / one["n"], changing(one))
        for task, one in after.items()
        if task != "emotion"
    }
    return max(sizes.values())


def changing(one: Run) -> float:
    """Half the width of a paired change's interval: 1.96 √(b + c − (b − c)² / n) / n."""
    both, net = one["lost"] + one["gained"], one["gained"] - one["lost"]
    return 1.96 * sqrt(both - net**2 / one["n"]) / one["n"]


def not_named(run: Run) -> bool:
    """Whether the persona has no set of its name."""
    return run["persona"]["asked"]["verdict"] != "present"


def directions(result: Result) -> Measured:
    """The share of directions that are refused, of those that a persona's decisions need."""
    found = [one for run in runs(result) for one in run["persona"]["directions"] if one["need"] >= NEEDED]
    return share(sum(bool(one["refused"]) for one in found), len(found), f"directions of {RUNS}")


def untrained(counts: Callable[[str], bool]) -> Figure:
    """The share of verdicts that are *present*; the others are counted beside it."""

    def figure(result: Result) -> Measured:
        found = [one["verdict"] for run in runs(result) for name, one in run["untrained"].items() if counts(name)]
        others = ", ".join(f"{found.count(one)} {one}" for one in VERDICTS[1:])
        return share(found.count("present"), len(found), f"verdicts of {RUNS} ({others})")

    return figure
