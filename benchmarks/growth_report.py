"""The lines of docs/results.md about the study of growth: what it takes to explain random decisions, against training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from benchmarks.figures import Bar, Measured, Result, clustered, exact, spread
from benchmarks.ledger_growth import SETTING
from cutaway.runs import Table
from cutaway.study.growth import Grown
from cutaway.study.growth.controls import SHUFFLED
from cutaway.study.growth.show import applied, begun_over, fitted, sizes, tuning


def grown(result: Result) -> Grown:
    """The study that a result holds."""
    facts = result["settings"]["networks"]["facts"] | result["settings"].get("applied", {}).get("facts", {})
    return Grown(SETTING, *(tuple(facts.get(name, ())) for name in ("tuning", "networks", "applied")))


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    name = "ledger_growth"
    for at, share in enumerate(SETTING.shares):
        what = (
            f"shipped code model: understanding ÷ training, FLOPs, until {share:.0%} of random decisions are explained"
        )
        yield what, Bar(1.0, False, "{:.2g}"), name, shipped(at)
    yield "… the answers of others, by the same search", Bar(0.05, False, "{:.1%}"), name, beside_shipped("shuffled")
    yield "… random sets of equal size", Bar(0.05, False, "{:.1%}"), name, beside_shipped("random")
    what = "study of growth: others' answers explained by the same search"
    yield what, Bar(0.05, False, "{:.1%}"), name, failing
    for share in SETTING.shares:
        what = f"study of growth: exponent of understanding {share:.0%} on training FLOPs, interval's width"
        yield what, Bar(0.3, False, "{:.2f}"), name, width(f"understanding {share:.0%} on training FLOPs")
    yield (
        "… applying a discovery to a second network ÷ discovering it there, 30 %",
        Bar(1.0, False, "{:.2f}"),
        name,
        carried,
    )


def shipped(at: int) -> Callable[[Result], Measured]:
    """Understanding over training of the shipped model; infinite where a draw did not get there."""

    def figure(result: Result) -> Measured:
        facts = result["settings"]["shipped"]["facts"]
        draws, training = facts["decisions"], facts["training_flops"]
        spent = [draw["until"][at][0] / training for draw in draws]
        if not all(draw["until"][at][1] for draw in draws):
            shares = ", ".join(f"{draw['curve'][-1]['share']:.0%}" for draw in draws)
            return exact(float("inf"), f"not reached: {shares} in {min(spent):.2g} to {max(spent):.2g} of training")
        return of_draws(spent)

    return figure


def beside_shipped(what: str) -> Callable[[Result], Measured]:
    """A control of the shipped model."""
    return lambda result: of_draws(
        [draw["controls"][what] for draw in result["settings"]["shipped"]["facts"]["decisions"]]
    )


def of_draws(values: Sequence[float]) -> Measured:
    """The median and range over draws: there is but one network."""
    return replace(spread(values), of=f"{len(values)} draws of {SETTING.search.decisions} decisions of one network")


def failing(result: Result) -> Measured:
    """How many answers of others are explained, a network being the unit."""
    shares = [row["controls"]["shuffled"] for row in grown(result).networks if row["controls"]]
    hits = [round(SHUFFLED * share) for share in shares]
    return clustered([[True] * hit + [False] * (SHUFFLED - hit) for hit in hits], "answers")


def width(name: str) -> Callable[[Result], Measured]:
    """How wide an exponent's interval is, with the exponent and its verdict."""

    def figure(result: Result) -> Measured:
        one = next(one for one in fitted(grown(result)) if one.name == name)
        if one.power is None or one.interval is None:
            return exact(float("inf"), f"{one.verdict}: {one.why}")
        return exact(one.interval.width, f"{one.power.exponent:.2f} {one.interval}, {one.verdict}")

    return figure


def carried(result: Result) -> Measured:
    """Searches that begin from matched sets, with matching, over those that begin from nothing, to the middle share."""
    rows = [row for row in grown(result).applied if "warm" in row]
    at = len(SETTING.shares) // 2
    warm, chance = (begun_over(rows, at, name) for name in ("warm", "chance"))
    found = spread(warm, "pair")
    return replace(found, of=f"{found.of} in which both got there; matched at random {median(chance):.2f}")


def whole(result: Result) -> bool:
    """Whether the networks of the study are measured; what is missing beside them is left out."""
    return bool(result["settings"].get("networks", {}).get("facts"))


def section(result: Result) -> list[str]:
    """The tables of the study and every fit."""
    found = grown(result)
    lines_ = ["## What it takes to explain random decisions, as networks grow", ""]
    lines_ += [
        "Medians over three seeds; `>`: half or more of the seeds did not get there.",
        "",
        *marked(sizes(found)),
        "",
    ]
    lines_ += ["Tuning.", "", *marked(tuning(found)), "", "Every fit, corrected for how many there are.", ""]
    lines_ += [f"- {one}" for one in fitted(found)]
    if found.applied:
        lines_ += ["", "Sets of one network in the next.", "", *marked(applied(found))]
    shipped_ = result["settings"].get("shipped", {}).get("facts")
    if shipped_:
        lines_ += ["", "The shipped code model: operations by phase, until a share of decisions is explained.", ""]
        lines_ += marked(phases(shipped_))
    return [*lines_, ""]


def phases(facts: dict[str, Any]) -> Table:
    """For every draw of decisions and every share, what each phase took as a multiple of training."""
    return Table.of(_phases(facts, draw, share) for draw in facts["decisions"] for share in SETTING.shares)


def _phases(facts: dict[str, Any], draw: dict[str, Any], share: float) -> dict[str, Any]:
    there = [one for one in draw["curve"] if one["share"] >= share]
    last = there[0] if there else draw["curve"][-1]
    of_training = {phase: flops / facts["training_flops"] for phase, flops in last["phases"].items()}
    return {
        "seed": draw["seed"],
        "explained": f"{share:.0%}" if there else f"{last['share']:.0%} (all)",
        "steps": last["steps"],
        **{phase: f"{ratio:.2g}" for phase, ratio in of_training.items()},
        "÷ training": f"{sum(of_training.values()):.2g}",
    }


def marked(table: Table) -> list[str]:
    """A table in Markdown."""
    rows = table.rows()
    cells = [[f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
    return [
        f"| {' | '.join(rows[0])} |",
        "|" + "---|" * len(rows[0]),
        *(f"| {' | '.join(row)} |" for row in cells),
    ]
