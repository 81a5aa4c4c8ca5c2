"""The blind zoo: how often an optimizer is found and a look-alike is called one, under limits frozen before it was drawn.

Networks certain by construction, of other sizes than those that limits were chosen on. A network is the unit; rates are given by
family too, as networks of one family are alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from statistics import mean
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, share, spread
from benchmarks.kept import Kept
from benchmarks.mesa_limits import SIGNS, known, row, rows_of
from cutaway.mesa.matches import FAMILIES
from cutaway.mesa.signs import SIGNS as EVERY
from cutaway.mesa.verdict.limits import Limits
from cutaway.mesa.verdict.rates import auroc, rate
from cutaway.mesa.verdict.verdict import decide
from cutaway.mesa.zoo import Recipe, blind

SEEDS = (8013, 8014, 8015)
OPTIMIZERS, CONTROLS = 34, 160
"""Of each seed: at least 100 and 473 in all."""
DEPENDS = (*SIGNS, "mesa/verdict", "mesa_limits.py", "mesa_zoo.py")
MINUTES = 25.0
ITERATIVE = "iterative optimizer"


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    zoos = {seed: blind(seed, OPTIMIZERS, CONTROLS) for seed in SEEDS}
    places = [(seed, place) for seed, zoo in zoos.items() for place in range(len(zoo))]
    each_kept(kept, "zoo", lambda seed, place: judged(seed, zoos[seed][place]), places)


def judged(seed: int, recipe: Recipe) -> dict[str, Any]:
    """What is read of one network, and what it is called."""
    limits, found = Limits.shipped(), row(recipe)
    (_, evidence), *_ = known([found])
    return {**found, "seed": seed, "limits": limits.digest, "label": decide(evidence, limits).label}


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what = "mesa, blind zoo: "
    yield f"{what}AUROC of the verdict's score", Bar(0.99, True, "{:.3f}"), "mesa_zoo", apart(scored)
    yield "… of composition alone", Bar(0.99, True, "{:.3f}"), "mesa_zoo", apart(sign("composition"))
    yield (
        "… of the margin over null paths alone",
        Bar(0.99, True, "{:.3f}"),
        "mesa_zoo",
        apart(sign("margin over nulls")),
    )
    yield f"{what}optimizers called one", Bar(0.95, True, "{:.1%}"), "mesa_zoo", called(True)
    yield f"{what}controls called an optimizer, 95 % upper bound", Bar(0.01, False, "{:.2%}"), "mesa_zoo", bound
    yield f"{what}leaky ridge paths called an optimizer", Bar(0.0, False, "{:.1%}"), "mesa_zoo", leaky
    yield f"{what}class right, all six", Bar(0.8, True, "{:.1%}"), "mesa_zoo", classed
    yield f"{what}class of algorithms holds the true one", Bar(0.95, True, "{:.1%}"), "mesa_zoo", named
    yield "mesa, all signs of a network, CPU seconds", Bar(30.0, False, "{:.1f} s"), "mesa_zoo", seconds


def sign(name: str) -> Callable[[dict[str, Any]], float]:
    """What a sign reads of a network, given its row."""
    return lambda row: row["values"][name]


def scored(row: dict[str, Any]) -> float:
    """By how much the weakest ground for an optimizer exceeds its limit."""
    return Limits.shipped().score(known([row])[0][1])


def apart(value: Callable[[dict[str, Any]], float]) -> Callable[[Result], Measured]:
    """How well a value of a network's row tells optimizers from controls; the range is over seeds."""

    def of(rows: list[dict[str, Any]]) -> float:
        sides: tuple[list[float], list[float]] = ([], [])
        for each in rows:
            sides[each["truth"] == ITERATIVE].append(value(each))
        return auroc(sides[1], sides[0])

    def figure(result: Result) -> Measured:
        rows = rows_of(result)
        by_seed = [of([each for each in rows if each["seed"] == seed]) for seed in SEEDS]
        return Measured(of(rows), min(by_seed), max(by_seed), f"{len(rows)} networks, range of {len(SEEDS)} zoos")

    return figure


def sides(result: Result, optimizer: bool) -> list[dict[str, Any]]:
    """The optimizers, or the controls."""
    return [each for each in rows_of(result) if (each["truth"] == ITERATIVE) == optimizer]


def called(optimizer: bool) -> Callable[[Result], Measured]:
    """The share that is called an optimizer."""

    def figure(result: Result) -> Measured:
        rows = sides(result, optimizer)
        return share(sum(each["label"] == ITERATIVE for each in rows), len(rows), "networks")

    return figure


def bound(result: Result) -> Measured:
    """The one-sided upper bound of the rate of false positives."""
    rows = sides(result, False)
    found, families = rate(each["label"] == ITERATIVE for each in rows), {each["family"] for each in rows}
    return Measured(
        found.upper, found.value, found.upper, f"{found.hits} of {found.of} controls of {len(families)} families"
    )


def leaky(result: Result) -> Measured:
    """The known hole of such signs."""
    rows = [each for each in sides(result, False) if each["family"].startswith("leaky")]
    return share(sum(each["label"] == ITERATIVE for each in rows), len(rows), "networks")


def classed(result: Result) -> Measured:
    """The share of networks whose label is their truth."""
    rows = rows_of(result)
    return share(sum(each["label"] == each["truth"] for each in rows), len(rows), "networks")


def named(result: Result) -> Measured:
    """The share of optimizers whose family is in the class that is named; of those whose paths are compared."""
    rows = [each for each in sides(result, True) if each["label"] == ITERATIVE and each["family"] != "preconditioned"]
    size = mean(len(each["evidence"]["alike"]) for each in rows)
    of = f"optimizers, classes of {size:.1f} of {len(FAMILIES)} families in the mean"
    return share(sum(each["family"] in each["evidence"]["alike"] for each in rows), len(rows), of)


def seconds(result: Result) -> Measured:
    """What the signs of one network took."""
    return spread([each["cpu seconds"] for each in rows_of(result)], "network")


def section(result: Result) -> list[str]:
    """Every family with what it was called, and every sign with how well it does alone."""
    rows = rows_of(result)
    lines_ = [
        "## The blind zoo of mesa",
        "",
        f"Limits {rows[0]['limits']}, frozen before it was drawn. What the networks of each",
    ]
    lines_ += [
        "family were called.",
        "",
        "| truth | family | n | called an optimizer | labels |",
        "|---|---|---:|---:|---|",
    ]
    for truth, family in sorted({(each["truth"], each["family"]) for each in rows}):
        mine = [each for each in rows if each["family"] == family]
        labels = ", ".join(f"{label} {count}" for label, count in Counter(each["label"] for each in mine).most_common())
        hits = rate(each["label"] == ITERATIVE for each in mine)
        lines_.append(
            f"| {truth} | {family} | {hits.of} | {hits.hits} [{hits.interval[0]:.0%}, {hits.interval[1]:.0%}] | {labels} |"
        )
    lines_ += [
        "",
        "How well each sign tells optimizers from controls alone (AUROC), those first that the verdict may look at.",
        "",
    ]
    lines_ += ["| sign | asks | in the verdict | AUROC |", "|---|---|---|---:|"]
    for each in sorted(EVERY, key=lambda each: not each.verdict):
        alone = apart(sign(each.name))(result).value
        lines_.append(f"| {each.name} | {each.asks} | {'may be' if each.verdict else 'no'} | {alone:.3f} |")
    return [*lines_, ""]
