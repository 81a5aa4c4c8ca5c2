"""Lookups that were trained, one kind of them against the signs: how often they are called an optimizer.

They count only where they came out as the lookup on novel problems too; the others' truth is not certain. Drawn from the blind
zoo's sizes, with seeds of their own; a network is the unit. Beside them optimizers with exact weights on problems of a pool, which
must stay optimizers; and the lookups once more where the pool is not known, so that nothing is familiar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from itertools import cycle
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, share
from benchmarks.kept import Kept
from benchmarks.mesa_limits import SIGNS, rows_of
from benchmarks.mesa_zoo import ITERATIVE
from cutaway.mesa.controls.distilled_lookup import FAITHFUL, DistilledLookup
from cutaway.mesa.signs.battery import battery
from cutaway.mesa.subject import Subject
from cutaway.mesa.tasks import Regression
from cutaway.mesa.verdict.evidence import Evidence
from cutaway.mesa.verdict.limits import Limits
from cutaway.mesa.verdict.rates import rate
from cutaway.mesa.verdict.verdict import decide
from cutaway.mesa.zoo import OPTIMIZER_FAMILIES, TRAINED_FAMILIES, UNSEEN, Recipe, members

SEEDS = (8019, 8020, 8021)
EACH = 10
"""Networks of a seed, the two families taking turns."""
NOVEL = 512
"""Problems on which a network is compared with its lookup."""
DEPENDS = (*SIGNS, "mesa/verdict", "mesa_taught.py")
MINUTES = 25.0


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    zoos = {seed: members(TRAINED_FAMILIES, UNSEEN, seed, EACH) for seed in SEEDS}
    places = [(seed, place) for seed in SEEDS for place in range(EACH)]
    each_kept(kept, "zoo", lambda seed, place: taught(seed, zoos[seed][place]), places)
    pooled = {seed: optimizers(seed) for seed in SEEDS}
    each_kept(kept, "optimizers", lambda seed, place: judged(seed, pooled[seed][place]), places)


def optimizers(seed: int) -> list[Recipe]:
    """Optimizers on linear regression of a pool, as small as those of the lookups."""
    drawn = members(OPTIMIZER_FAMILIES, UNSEEN, seed, 3 * EACH)
    linear = [recipe for recipe in drawn if type(recipe.task) is Regression]
    pools = cycle(UNSEEN.pools)
    return [
        replace(recipe, task=replace(recipe.task, pool=next(pools), pool_seed=recipe.seed)) for recipe in linear[:EACH]
    ]


def taught(seed: int, recipe: Recipe) -> dict[str, Any]:
    """What a network misses of its lookup on novel problems, and what it is called."""
    network = recipe.build()
    missed = DistilledLookup(**recipe.arguments).missed(network, recipe.task.draw(NOVEL, seed))
    return {"missed": missed, **judged(seed, recipe, network)}


def judged(seed: int, recipe: Recipe, network: Subject | None = None) -> dict[str, Any]:
    """What is read of a network, and what it is called."""
    network, limits = network or recipe.build(), Limits.shipped()
    evidence = Evidence.of(battery(network, recipe.task, recipe.seed))
    return {
        "family": recipe.family,
        "truth": recipe.truth,
        "seed": seed,
        "recipe": recipe.to_json(),
        "evidence": asdict(evidence),
        "limits": limits.digest,
        "label": decide(evidence, limits).label,
    }


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for family in TRAINED_FAMILIES:
        what = f"mesa, {family.name}: called an optimizer, of those that came out as the lookup"
        yield what, Bar(0.1, False, "{:.1%}"), "mesa_taught", called(family.name)
    what = "mesa, trained lookups: called an optimizer, 95 % upper bound"
    yield what, Bar(0.1, False, "{:.1%}"), "mesa_taught", bound
    yield "mesa, trained lookups: called a finite-task lookup", Bar(0.8, True, "{:.1%}"), "mesa_taught", right
    what = "… where the tasks they were trained on are not known: called an optimizer"
    yield what, Bar(0.1, False, "{:.1%}"), "mesa_taught", unknown
    yield "mesa, optimizers on problems of a pool: called one", Bar(0.95, True, "{:.1%}"), "mesa_taught", pooled


def certain(result: Result, family: str | None = None) -> list[dict[str, Any]]:
    """The networks that came out as the lookup."""
    return [row for row in rows_of(result) if row["missed"] < FAITHFUL and family in (None, row["family"])]


def called(family: str) -> Callable[[Result], Measured]:
    """The share of a family that is called an optimizer."""

    def figure(result: Result) -> Measured:
        rows = certain(result, family)
        return share(sum(row["label"] == ITERATIVE for row in rows), len(rows), "networks")

    return figure


def bound(result: Result) -> Measured:
    """The one-sided upper bound of the rate of false positives."""
    found = rate(row["label"] == ITERATIVE for row in certain(result))
    return Measured(found.upper, found.value, found.upper, f"{found.hits} of {found.of} networks of {len(SEEDS)} seeds")


def right(result: Result) -> Measured:
    """The share that is called what it is."""
    rows = certain(result)
    return share(sum(row["label"] == row["truth"] for row in rows), len(rows), "networks")


def unknown(result: Result) -> Measured:
    """The share that is called an optimizer where nothing is known to be familiar."""
    rows, limits = certain(result), Limits.shipped()
    seen = [replace(Evidence(**row["evidence"]), familiarity=0.0) for row in rows]
    return share(sum(decide(each, limits).label == ITERATIVE for each in seen), len(rows), "networks")


def pooled(result: Result) -> Measured:
    """The share of compiled optimizers that are called one."""
    rows = result["settings"]["optimizers"]["facts"]["networks"]
    return share(sum(row["label"] == ITERATIVE for row in rows), len(rows), "networks")


def section(result: Result) -> list[str]:
    """What the networks of each family were called, those that count and those that do not."""
    lines_ = [
        "## Trained lookups",
        "",
        f"Certain: misses less than {FAITHFUL} of its lookup's variance on novel problems.",
        "",
    ]
    lines_ += ["| family | certain | n | labels |", "|---|---|---:|---|"]
    for family in TRAINED_FAMILIES:
        for sure in (True, False):
            mine = [
                row for row in rows_of(result) if row["family"] == family.name and (row["missed"] < FAITHFUL) == sure
            ]
            labels = ", ".join(
                f"{label} {count}" for label, count in Counter(row["label"] for row in mine).most_common()
            )
            lines_.append(f"| {family.name} | {'yes' if sure else 'no'} | {len(mine)} | {labels or '–'} |")
    return [*lines_, ""]
