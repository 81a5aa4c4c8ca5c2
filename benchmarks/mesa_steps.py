"""Degree, gradient steps and class of algorithms, as read layer by layer off compiled optimizers whose truth is known.

The truth of a layer is that of the algorithm itself after as many steps: its degree in closed form, and the degree and the gradient
steps of its own answers, by the rule that reads the network. Zoos that nothing was chosen on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import mean
from time import process_time
from typing import Any

import torch
from torch import Tensor

from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, clustered
from benchmarks.kept import Kept
from benchmarks.mesa_limits import SIGNS
from cutaway.mesa.forms import DEGREES, best_form
from cutaway.mesa.least_squares import affine, agreement, finite
from cutaway.mesa.matches import FAMILIES
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.signs.steps import GRID, descended, steps
from cutaway.mesa.watched import Watched
from cutaway.mesa.zoo import Recipe, blind
from cutaway.mesa.zoo.recipe import MAKERS

SEEDS = (8101, 8102, 8103)
COUNT = 26
"""Of each seed: two of each of 13 families."""
DEPENDS = (*SIGNS, "mesa_steps.py")
MINUTES = 4.0

PRODUCTS: dict[str, Callable[[int], int]] = {
    **dict.fromkeys(("gradient descent", "momentum", "nesterov", "chebyshev", "kernel", "boosting"), lambda step: step),
    "newton-schulz": lambda step: 2 ** (step - 1),
    "gd++": lambda step: (3**step - 1) // 2,
}
"""The degree of the answer after so many steps, where it is a polynomial whose coefficients all problems share.

Of GD++, points flattened t times have degree e in S, e ← 3 e + 1, and the answer's degree d ← 2 e + d + 1.
"""

CARRYING = ("momentum", "nesterov", "chebyshev")
"""Those whose state holds the last move beside the answer: a lens may use both."""

SAME = {"preconditioned": "gradient descent"}
"""Families that are told as another: with a preconditioner it is gradient descent in other coordinates."""


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    zoos = {seed: blind(seed, COUNT, 0) for seed in SEEDS}
    places = [(seed, place) for seed in SEEDS for place in range(COUNT)]
    each_kept(kept, "zoo", lambda seed, place: row(zoos[seed][place]) | {"seed": seed}, places)


@torch.no_grad()
def row(recipe: Recipe) -> dict[str, Any]:
    """What is read after 1, 2, … layers, and what is true there."""
    started = process_time()
    watched = Watched.of(recipe.build(), recipe.task, recipe.seed)
    read = {
        "degrees": watched.form.degrees()[1:],
        "steps": list(steps(watched).course),
        "alike": watched.alike.families,
    }
    spent = process_time() - started
    algorithm = MAKERS[recipe.kind](**recipe.arguments)
    fit, held = (finite(algorithm.path(prompts, recipe.depth)) for prompts in (watched.fitting, watched.prompts))
    own = best_form(watched.fitting, fit, watched.prompts, held)
    products = PRODUCTS.get(recipe.family)
    seen = lensed(fit, held) if recipe.family in CARRYING else held
    return {
        "family": recipe.family,
        "recipe": recipe.to_json(),
        **read,
        "own degrees": own.degrees()[1:],
        "closed form": [products(step) for step in range(1, recipe.depth + 1)] if products else [],
        "own steps": worth(watched.prompts, seen),
        "iterate's steps": worth(watched.prompts, held),
        "cpu seconds": spent,
    }


def lensed(fit: Tensor, held: Tensor) -> Tensor:
    """What a lens makes of an algorithm's answer and its last one together, fitted to the final answer as a network's is."""
    found = [held[0]]
    for step in range(1, len(held)):
        told, asked = (torch.stack([path[step], path[step - 1]], -1) for path in (fit, held))
        slope, offset = affine(told.flatten(0, 1), fit[-1].flatten())
        found.append(asked @ slope + offset)
    return torch.stack(found)


def worth(prompts: Prompts, path: Tensor) -> list[int]:
    """The gradient steps that each point of a path but the first is worth, by the rule of the sign."""
    paths, found = descended(prompts), []
    for answers in path[1:]:
        fits = [agreement(answers, each) for each in paths]
        best = max(range(len(GRID)), key=fits.__getitem__)
        found.append(GRID[best] if fits[best] > 0.5 else 0)
    return found


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what, bar = "mesa, compiled optimizers: layers whose ", Bar(0.95, True, "{:.1%}")
    yield f"{what}degree is within 1 of that of the algorithm's answers", bar, "mesa_steps", figure(degree)
    yield "… of the degree in closed form, where the answers show all of it", bar, "mesa_steps", figure(resolved)
    yield "… in every layer of degree 8 at most", bar, "mesa_steps", figure(closed)
    yield (
        f"{what}gradient steps are within 1 of its state's, or one mark of the ruler",
        bar,
        "mesa_steps",
        figure(stepped),
    )
    yield (
        "mesa, compiled optimizers: every layer's degree within 1 of the algorithm's",
        bar,
        "mesa_steps",
        figure(whole),
    )
    yield "… class of algorithms holds the true one", bar, "mesa_steps", named


Judged = Callable[[dict[str, Any]], list[bool]]
"""A network's row -> whether each of its layers is read rightly."""


def degree(row: dict[str, Any]) -> list[bool]:
    """Against the degree of the algorithm's own answers, by the same rule."""
    return [abs(read - own) <= 1 for read, own in zip(row["degrees"], row["own degrees"], strict=True)]


def whole(row: dict[str, Any]) -> list[bool]:
    """All layers of a network at once."""
    return [all(degree(row))]


def resolved(row: dict[str, Any]) -> list[bool]:
    """Against the closed form, in layers where the algorithm's own answers need that degree at the rule's resolution."""
    both = zip(row["degrees"], row["own degrees"], row["closed form"], strict=bool(row["closed form"]))
    return [abs(read - true) <= 1 for read, own, true in both if own == true]


def closed(row: dict[str, Any]) -> list[bool]:
    """Against the closed form, in every layer that is of no higher degree than is tried."""
    both = zip(row["degrees"], row["closed form"], strict=bool(row["closed form"]))
    return [abs(read - true) <= 1 for read, true in both if true <= DEGREES]


def stepped(row: dict[str, Any]) -> list[bool]:
    """Against the steps of what a lens makes of the algorithm's state, where either is worth any."""
    both = zip(row["steps"], row["own steps"], strict=True)
    return [near(read, own) for read, own in both if read or own]


def bare(row: dict[str, Any]) -> list[bool]:
    """Against the steps of the algorithm's answers alone."""
    both = zip(row["steps"], row["iterate's steps"], strict=True)
    return [near(read, own) for read, own in both if read or own]


def near(read: float, own: float) -> bool:
    """Within one step, or one mark of the ruler: above 11 steps its marks are a quarter apart."""
    marks = [0, *GRID]
    return abs(read - own) <= 1 or abs(marks.index(int(read)) - marks.index(int(own))) <= 1


def rows_of(result: Result) -> list[dict[str, Any]]:
    """A row a network."""
    return result["settings"]["zoo"]["facts"]["networks"]


def by_family(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each family."""
    return {name: [row for row in rows if row["family"] == name] for name in dict.fromkeys(r["family"] for r in rows)}


def figure(judged: Judged) -> Callable[[Result], Measured]:
    """The share of layers that are read rightly; the interval draws families anew, as networks of one are alike."""

    def measured(result: Result) -> Measured:
        rows = rows_of(result)
        families = [[right for row in mine for right in judged(row)] for mine in by_family(rows).values()]
        families = [family for family in families if family]
        found = clustered(families, "")
        layers = f"{sum(map(sum, families))} of {sum(map(len, families))}"
        return replace(found, of=f"{layers} in {len(families)} families of {len(rows)} networks")

    return measured


def held(row: dict[str, Any]) -> bool:
    """Whether the class of algorithms holds the true one."""
    return SAME.get(row["family"], row["family"]) in row["alike"]


def named(result: Result) -> Measured:
    """The share of networks whose class holds the true algorithm, and how large a class is."""
    rows = rows_of(result)
    found = clustered([[held(row) for row in mine] for mine in by_family(rows).values()], "")
    size = mean(len(row["alike"]) for row in rows)
    hits = f"{sum(map(held, rows))} of {len(rows)} networks"
    return replace(found, of=f"{hits}, classes of {size:.1f} of {len(FAMILIES)} families in the mean")


def section(result: Result) -> list[str]:
    """Every figure by family, and those against a stricter truth."""
    lines_ = [
        "## Steps, degrees and classes read off compiled optimizers",
        "",
        "Share of layers within 1 of: the degree of the algorithm's own answers by that rule; its degree in closed form where",
        "they show all of it (terms under 0.3 % of the variance are given up), and in every layer of degree 8 at most; the",
        "gradient steps of its state under a lens, and of its answers alone. Last, how often the class holds it, and its size.",
        "",
        "| family | n | degree | closed form | every layer | steps | of answers alone | class | size |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    rows = rows_of(result)
    for name, mine in (*by_family(rows).items(), ("all", rows)):
        shares = [share_of(judged, mine) for judged in (degree, resolved, closed, stepped, bare)]
        size = mean(len(row["alike"]) for row in mine)
        hits = f"{sum(map(held, mine))} of {len(mine)}"
        lines_.append(f"| {name} | {len(mine)} | {' | '.join(shares)} | {hits} | {size:.1f} |")
    return [*lines_, ""]


def share_of(judged: Judged, rows: list[dict[str, Any]]) -> str:
    """The share of layers that are read rightly; a dash where there is none to judge."""
    every = [right for row in rows for right in judged(row)]
    return f"{sum(every) / len(every):.0%} of {len(every)}" if every else "–"
