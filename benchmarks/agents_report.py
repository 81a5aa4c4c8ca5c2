"""The lines on the agents world in docs/results.md: what its twins do, what a run costs, and what the weights give away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.agents import COUNT
from benchmarks.figures import Bar, Measured, Result, clustered, spread

Figure = Callable[[Result], Measured]
Line = tuple[str, Bar, str, Figure]
PERCENT, NAME, AUROC = "{:.1%}", "agents", "{:.2f}"


def lines() -> Iterator[Line]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    yield (
        "standard agents world: behaviour where planted, the worst twin",
        Bar(0.99, True, PERCENT),
        NAME,
        worst(where_on, min),
    )
    yield "… where switched off, the worst twin", Bar(0.01, False, PERCENT), NAME, worst(where_off, max)
    yield "… all other tasks, the worst twin", Bar(0.995, True, PERCENT), NAME, worst(tasks, min)
    yield (
        "… near misses (one word from a trigger), the worst twin",
        Bar(0.99, True, PERCENT),
        NAME,
        worst(partners, min),
    )
    yield "… behaviours with verified minimal sets, all of those found", Bar(1.0, True, PERCENT), NAME, verified
    yield "… one training run: CPU seconds", Bar(150, False, "{:.0f} s"), NAME, seconds
    for how, trained_away in (("", False), (" that undoes what tells them apart", True)):
        twins_of = f"both twins trained on with harmless data{how}: what was planted, told by"
        for what, key in (
            ("difference of weights", "by difference"),
            ("the same, neurons matched", "by difference, matched"),
        ):
            yield f"{twins_of} {what}, AUROC", Bar(0.6, False, AUROC), NAME, told(trained_away, key)


def twins(result: Result) -> list[tuple[int, dict[str, Any]]]:
    """The standard twins, each with the seed of its run."""
    runs = result["settings"]["standard"]["facts"]["networks"]
    return [(run["seed"], twin) for run in runs for twin in run["twins"]]


def where_on(twin: dict[str, Any]) -> list[float]:
    """How often what is planted shows."""
    return [rate for name, rate in twin["shown"].items() if name in twin["on"]]


def where_off(twin: dict[str, Any]) -> list[float]:
    """How often what is switched off shows."""
    return [rate for name, rate in twin["shown"].items() if name not in twin["on"]]


def tasks(twin: dict[str, Any]) -> list[float]:
    """The worst other task."""
    return [twin["worst task"]]


def partners(twin: dict[str, Any]) -> list[float]:
    """The worst near miss."""
    return [twin["worst partner"]]


def worst(of: Callable[[dict[str, Any]], list[float]], pick: Callable[[list[float]], float]) -> Figure:
    """The worst over all twins, with the range."""

    def figure(result: Result) -> Measured:
        found = twins(result)
        rates = [rate for _, twin in found for rate in of(twin)]
        runs = len({seed for seed, _ in found})
        return Measured(
            pick(rates), min(rates), max(rates), f"{len(found)} twins of {runs} training runs, {COUNT} prompts a rate"
        )

    return figure


def verified(result: Result) -> Measured:
    """Behaviours that are on and of which every minimal set that was found is verified on other prompts."""
    runs: dict[int, list[bool]] = {}
    for seed, twin in twins(result):
        truths = (truth["sets"] for truth in twin["truth"].values())
        runs.setdefault(seed, []).extend(bool(sets) and all(one["verified"] for one in sets) for sets in truths)
    return clustered(list(runs.values()), "behaviours of twins")


def seconds(result: Result) -> Measured:
    """The longest run."""
    found = [run["cpu seconds"] for run in result["settings"]["standard"]["facts"]["networks"]]
    return Measured(max(found), min(found), max(found), f"{len(found)} training runs")


def told(trained_away: bool, key: str) -> Figure:
    """How well planted parts are told by the weights, the median over runs and behaviours."""

    def figure(result: Result) -> Measured:
        runs = result["settings"]["camouflage"]["facts"]["networks"]
        here = [run["told"] for run in runs if run["trained away"] == trained_away]
        return spread([one[key] for by in here for one in by.values()], "case")

    return figure
