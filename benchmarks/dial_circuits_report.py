"""The lines of docs/results.md about circuits of weight-sparse networks, and a section with every task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log
from statistics import fmean
from typing import Any

from benchmarks.dial_circuits import DENSE, PLANS, SEEDS, SOME, SPARSE, STEPS, TARGET, TASKS, WIDE
from benchmarks.figures import Bar, Measured, Result, clustered, spread
from cutaway.dial.frontier.sizes import Sizes, ratio, shared
from cutaway.dial.prune.fresh import ITSELF, RANDOM
from cutaway.dial.setting import Setting

NONE: Result = {"facts": {"networks": []}}


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what = "circuits of dense networks ÷ of weight-sparse ones at equal loss"
    bars = {"edges": ("edges", 25.0), "over_null": ("edges ÷ counting null", 3.0), "nodes": ("nodes", 2.0)}
    for measure_, (name, bar) in bars.items():
        yield f"{what}: {name}", Bar(bar, True, "{:.1f}×"), "dial_circuits", smaller(DENSE, measure_)
    yield "… edges, lower end of the interval", Bar(16.0, True, "{:.1f}×"), "dial_circuits", lower(DENSE)
    for measure_, (name, bar) in bars.items():
        yield (
            f"… the dense one as wide as the sparse: {name}",
            Bar(bar, True, "{:.1f}×"),
            "dial_circuits",
            smaller(WIDE, measure_),
        )
    for setting in (DENSE, WIDE):
        yield (
            f"… loss of the sparse network less that of {setting}, nats",
            Bar(0.01, False, "{:.3f}"),
            "dial_circuits",
            apart(setting),
        )
    yield (
        "claims of sparse circuits run again on fresh examples: held",
        Bar(0.95, True, "{:.1%}"),
        "dial_circuits",
        held,
    )
    yield "… wrong circuits that pass as sufficient", Bar(0.05, False, "{:.1%}"), "dial_circuits", wrong
    yield "pruning one task, width 128, two searches, CPU seconds", Bar(30.0, False, "{:.0f} s"), "dial_circuits", spent
    what = "a sparse circuit's loss after 20 steps of an adversary, nats"
    yield what, Bar(2 * TARGET, False, "{:.2f}"), "dial_circuits", attack(ITSELF, 20)


def sizes(result: Result, setting: str) -> Sizes:
    """The circuits of a setting."""
    rows = {(row["name"], row["task"]): row for row in circuits(result) if row["setting"] == setting}
    return Sizes.of(Setting(tuple(networks(result, setting))), rows, tasks_of(setting))


def tasks_of(setting: str) -> tuple[str, ...]:
    """The tasks that the networks of a setting were asked."""
    return SOME if setting == WIDE else TASKS


def circuits(result: Result) -> list[dict[str, Any]]:
    """A row for each network and task."""
    return [row for part in ("circuits", "wide") for row in result["settings"].get(part, NONE)["facts"]["networks"]]


def networks(result: Result, setting: str) -> list[dict[str, Any]]:
    """The training runs of a setting."""
    return [row for row in result["settings"]["networks"]["facts"]["networks"] if row["setting"] == setting]


def smaller(dense: str, measure_: str) -> Callable[[Result], Measured]:
    """The geometric mean over tasks, with the interval over tasks and runs jointly."""

    def figure(result: Result) -> Measured:
        large, small = sizes(result, dense), sizes(result, SPARSE)
        found = ratio(large, small, measure_)
        if found is None or found.low is None or found.high is None:
            raise KeyError(f"no task has a circuit in every run of {dense} and {SPARSE}")
        of = f"{len(shared(large, small))} tasks × {len(small.setting)} runs a side"
        return Measured(found.value, found.low, found.high, of)

    return figure


def lower(dense: str) -> Callable[[Result], Measured]:
    """The lower end of the ratio of edges."""

    def figure(result: Result) -> Measured:
        found = smaller(dense, "edges")(result)
        return Measured(found.low, found.low, found.low, found.of)

    return figure


def apart(dense: str) -> Callable[[Result], Measured]:
    """The difference of mean validation losses; its size counts."""

    def figure(result: Result) -> Measured:
        means = [fmean(row["loss"] for row in networks(result, setting)) for setting in (SPARSE, dense)]
        return Measured(*[abs(means[0] - means[1])] * 3, f"{means[0]:.3f} and {means[1]:.3f}")

    return figure


def rows_of(result: Result) -> list[dict[str, Any]]:
    """The sparse circuits that were found."""
    return [row for row in circuits(result) if row["setting"] == SPARSE and row["why"] is None]


def by_run(rows: list[dict[str, Any]], flags: Callable[[dict[str, Any]], list[bool]]) -> list[list[bool]]:
    """What is asked of each row, by training run."""
    return [[flag for row in rows if row["seed"] == seed for flag in flags(row)] for seed in SEEDS]


def held(result: Result) -> Measured:
    """The share of claims that hold on other examples; training runs are the unit."""

    def flags(row: dict[str, Any]) -> list[bool]:
        made = sum(each in ("holds", "redundant") for each in row["claims"])
        return [True] * row["held"] + [False] * (made - row["held"])

    return clustered(by_run(rows_of(result), flags), "claims")


def undecided(result: Result) -> Measured:
    """The share of checks of which nothing is claimed."""
    return clustered(by_run(rows_of(result), lambda row: [each == "undecided" for each in row["claims"]]), "checks")


def wrong(result: Result) -> Measured:
    """The share of random connected sets of as many nodes that pass as sufficient."""

    def flags(row: dict[str, Any]) -> list[bool]:
        of = next(r for r in row["power"] if r["check"] == "sufficient" and r["of"] == RANDOM)
        return [True] * of["passed"] + [False] * (of["tried"] - of["passed"])

    return clustered(by_run(rows_of(result), flags), "sets")


def spent(result: Result) -> Measured:
    """CPU seconds of all searches for a task in a sparse network."""
    return spread([row["cpu_s"] for row in rows_of(result)], "circuit")


def attack(name: str, steps: int) -> Callable[[Result], Measured]:
    """The loss that an adversary reaches in so many steps."""

    def figure(result: Result) -> Measured:
        rows = [row for each in result["settings"]["attacked"]["facts"]["networks"] for row in each["curves"]]
        return spread([row[f"{steps} steps"] for row in rows if row["of"] == name], "circuit")

    return figure


def section(result: Result) -> list[str]:
    """Every setting, every task, and the adversary's curves."""
    lines = ["## Circuits of weight-sparse and of dense networks", ""]
    lines += [
        "| network | width, pressure, tokens | loss | live weights | tasks with circuits |",
        "|---|---|---:|---:|---:|",
    ]
    asked = {
        setting: plan for setting, plan in PLANS.items() if any(row["setting"] == setting for row in circuits(result))
    }
    for setting, plan in asked.items():
        rows = networks(result, setting)
        losses, alive = (
            " ".join(f"{row[name]:{form}}" for row in rows) for name, form in (("loss", ".3f"), ("live", "d"))
        )
        many = f"{len(sizes(result, setting).tasks)} of {len(tasks_of(setting))}"
        lines.append(f"| {setting} | {plan.width}, {plan.pressure}, {plan.tokens:,} | {losses} | {alive} | {many} |")
    lines += ["", "Edges (and nodes) of the smallest circuit, run by run; in brackets the counting null.", ""]
    lines += ["| task | " + " | ".join(asked) + " |", "|---|" + "---|" * len(asked)]
    lines += [f"| {task} | " + " | ".join(cell(result, setting, task) for setting in asked) + " |" for task in TASKS]
    if not rows_of(result):
        return []
    unsure = undecided(result)
    lines += [
        "",
        f"Of the checks of sparse circuits {unsure.value:.1%} [{unsure.low:.1%}, {unsure.high:.1%}] are undecided on fresh "
        f"examples ({unsure.of}), and not claimed.",
        "",
    ]
    return lines + curves(result) if "attacked" in result["settings"] else lines


def curves(result: Result) -> list[str]:
    """What an adversary makes of sparse circuits, of those less one node, and of random sets."""
    lines = [
        "A sparse circuit's loss, in nats, after so many steps in which the rest of the network was moved to raise it (guessing: "
        f"{log(2):.3f}); the median over circuits, with the range.",
        "",
        "| of | " + " | ".join(f"{steps} steps" for steps in STEPS) + " |",
        "|---|" + "---:|" * len(STEPS),
    ]
    for name in (ITSELF, "less one node", RANDOM):
        found = [attack(name, steps)(result) for steps in STEPS]
        cells = (f"{each.value:.2f} [{each.low:.2f}, {each.high:.2f}]" for each in found)
        lines.append(f"| {name} (n = {found[0].of}) | " + " | ".join(cells) + " |")
    return [*lines, ""]


def cell(result: Result, setting: str, task: str) -> str:
    """What was found for a task in each run of a setting."""
    mine = [row for row in circuits(result) if row["setting"] == setting and row["task"] == task]
    return ", ".join(row["why"] or f"{row['edges']} ({row['nodes']}) [{row['null']:g}]" for row in mine)
