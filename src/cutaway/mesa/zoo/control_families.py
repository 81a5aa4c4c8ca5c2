"""The families of look-alikes: networks that certainly run no iterative optimizer, each by what its layers cannot do."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from random import Random

from cutaway.mesa.tasks import Regression
from cutaway.mesa.zoo.family import Draw, Family, Option, any_problem, regression
from cutaway.mesa.zoo.optimizer_families import steepest
from cutaway.mesa.zoo.recipe import Argument
from cutaway.mesa.zoo.region import Region

Arguments = dict[str, Argument]


def pooled(dice: Random, region: Region) -> Regression:
    """Linear regression whose tasks are those of a pool; novel ones are drawn afresh."""
    return replace(regression(dice, region), pool=dice.choice(region.pools), pool_seed=dice.randrange(2**31))


def _bandwidth(draw: Draw, low: float, high: float) -> float:
    """In units of √(2 dim), the distance between two points."""
    return draw.dice.uniform(low, high) * sqrt(2 * draw.task.dim)


def _penalties(draw: Draw) -> Arguments:
    dice = draw.dice
    return {"first": 10 ** dice.uniform(1, 2.3), "last": 10 ** dice.uniform(-3, -1)}


def _known(draw: Draw) -> Arguments:
    assert isinstance(draw.task, Regression) and draw.task.pool is not None
    return {"tasks": draw.task.pool, "seed": draw.task.pool_seed, "noise": max(draw.task.noise, 0.05)}


def _shape(draw: Draw) -> str:
    return draw.dice.choice(("gaussian", "laplacian"))


def _widths(draw: Draw) -> Arguments:
    return {"shape": _shape(draw), "first": _bandwidth(draw, 0.8, 1.5), "last": _bandwidth(draw, 0.15, 0.4)}


def _random(draw: Draw) -> Arguments:
    dice = draw.dice
    sizes: Arguments = {
        "width": dice.choice((24, 32, 48)),
        "heads": dice.choice((2, 4)),
        "act": dice.choice(("gelu", "relu")),
    }
    return {**sizes, "norm": dice.choice(("layer", "rms")), "tied": dice.random() < 0.25, "seed": draw.seed}


NEIGHBOUR = Option(
    "nearest neighbour", lambda draw: {"neighbours": draw.dice.choice((1, 2, 3, 5)), "layer": draw.layer}
)
SMOOTHER = Option(
    "kernel smoother",
    lambda draw: {"shape": _shape(draw), "bandwidth": _bandwidth(draw, 0.2, 0.6), "layer": draw.layer},
)
ATTENTION = Option(
    "kernel smoother", lambda draw: {"shape": "dot", "bandwidth": draw.dice.uniform(0.5, 1.5), "layer": draw.layer}
)
STEP = Option("linear read", lambda draw: {"rate": draw.share * 2 / steepest(draw.task), "layer": draw.layer})
LOOKUP = Option("task lookup", lambda draw: {**_known(draw), "layer": draw.layer})
RIDGE = Option("ridge at once", lambda draw: {"penalty": 10 ** draw.dice.uniform(-2, 1), "layer": draw.layer})
KERNEL_RIDGE = Option(
    "kernel ridge at once",
    lambda draw: {
        "shape": _shape(draw),
        "bandwidth": _bandwidth(draw, 0.6, 2.0),
        "penalty": 10 ** draw.dice.uniform(-2, 0),
        "layer": draw.layer,
    },
)
COPY = Option(
    "copying",
    lambda draw: {"which": draw.dice.choice(("alike", "alike", "last", "first", "mean")), "layer": draw.layer},
)


def _faded(draw: Draw) -> Arguments:
    fade = draw.dice.choice(("linear", "geometric"))
    return {"layers": draw.dice.choice(draw.region.depths), "fade": fade, "ratio": draw.dice.uniform(0.3, 0.8)}


def _read_again(draw: Draw) -> Arguments:
    return {**_faded(draw), "rereads": True}


PATHS = (
    Option("ridge path", _penalties),
    Option("growing ridge", lambda draw: {"penalty": 10 ** draw.dice.uniform(-1.5, 0.5)}),
    Option("median of ridges", _penalties),
)

CONTROL_FAMILIES = (
    Family("nearest neighbour", "one-shot smoother", (NEIGHBOUR,), any_problem),
    Family("kernel smoother", "one-shot smoother", (SMOOTHER, ATTENTION), any_problem),
    Family("linear read", "one-shot smoother", (STEP,), any_problem),
    Family("copying", "one-shot smoother", (COPY,), any_problem),
    Family("task lookup", "finite-task lookup", (LOOKUP,), pooled),
    Family(
        "annealed lookup",
        "finite-task lookup",
        (Option("annealed lookup", lambda draw: {**_known(draw), "first": 10 ** draw.dice.uniform(-4, -2)}),),
        pooled,
    ),
    Family("ridge at once", "one-shot solver", (RIDGE,), any_problem),
    Family("kernel ridge at once", "one-shot solver", (KERNEL_RIDGE,), any_problem),
    Family("ridge path", "stateless re-solver", (Option("ridge path", _penalties),), any_problem),
    Family(
        "ridge path in increments",
        "stateless re-solver",
        (Option("ridge path", lambda draw: {**_penalties(draw), "carried": True}),),
        any_problem,
    ),
    Family(
        "leaky ridge path",
        "stateless re-solver",
        (Option("leaky ridge path", lambda draw: {**_penalties(draw), "keep": draw.dice.uniform(0.2, 0.7)}),),
        any_problem,
    ),
    Family(
        "leaky around the ridge path",
        "stateless re-solver",
        (
            Option(
                "leaky ridge path",
                lambda draw: {**_penalties(draw), "keep": draw.dice.uniform(0.2, 0.8), "following": True},
            ),
        ),
        any_problem,
    ),
    Family(
        "growing ridge",
        "stateless re-solver",
        (Option("growing ridge", lambda draw: {"penalty": 10 ** draw.dice.uniform(-1.5, 0.5)}),),
        any_problem,
    ),
    Family(
        "growing rank",
        "stateless re-solver",
        (Option("growing rank", lambda draw: {"penalty": 10 ** draw.dice.uniform(-2, 0.5)}),),
        regression,
    ),
    Family("sharpening smoother", "stateless re-solver", (Option("sharpening smoother", _widths),), any_problem),
    Family("kernel ensemble", "stateless re-solver", (Option("kernel ensemble", _widths),), any_problem),
    Family(
        "fixed task",
        "ignores context",
        (Option("fixed task", lambda draw: {"neurons": draw.dice.choice((0, 4, 16)), "seed": draw.seed}),),
        any_problem,
    ),
    Family("random network", "ignores context", (Option("random network", _random),), any_problem),
    Family(
        "amplified random network",
        "ignores context",
        (Option("random network", lambda draw: {**_random(draw), "gain": draw.dice.uniform(2, 5)}),),
        any_problem,
    ),
    Family(
        "random linear network",
        "ignores context",
        (
            Option(
                "random network",
                lambda draw: {
                    **_random(draw),
                    "attention": "linear",
                    "hidden": 0,
                    "gain": draw.dice.choice((1.0, 3.0)),
                },
            ),
        ),
        any_problem,
    ),
    Family("sham of a smoother", "one-shot smoother", (NEIGHBOUR, SMOOTHER, ATTENTION, STEP), any_problem, _faded),
    Family("sham of a lookup", "finite-task lookup", (LOOKUP,), pooled, _faded),
    Family("sham of a solver", "one-shot solver", (RIDGE, KERNEL_RIDGE), any_problem, _faded),
    Family(
        "sham that rereads",
        "stateless re-solver",
        (NEIGHBOUR, SMOOTHER, STEP, RIDGE, KERNEL_RIDGE),
        any_problem,
        _read_again,
    ),
    Family(
        "replayed descent",
        "stateless re-solver",
        (Option("replayed descent", lambda draw: {"rate": draw.share * 2 / steepest(draw.task)}),),
        any_problem,
    ),
    Family(
        "widening projection",
        "stateless re-solver",
        (
            Option(
                "widening projection",
                lambda draw: {
                    "penalty": 10 ** draw.dice.uniform(-2, 0),
                    "keep": draw.dice.choice((0.0, 0.3, 0.6)),
                    "seed": draw.seed,
                },
            ),
        ),
        any_problem,
    ),
    Family(
        "bagged ridge",
        "stateless re-solver",
        (Option("bagged ridge", lambda draw: {"penalty": 10 ** draw.dice.uniform(-1, 0.5), "seed": draw.seed}),),
        any_problem,
    ),
    Family(
        "power filter",
        "one-shot smoother",
        (Option("power filter", lambda draw: {"rate": draw.share * 2 / steepest(draw.task)}),),
        regression,
    ),
    Family(
        "staged ridge",
        "one-shot solver",
        (
            Option(
                "staged ridge",
                lambda draw: {
                    "penalty": 10 ** draw.dice.uniform(-2, 1),
                    "second": draw.dice.randint(2, draw.depth),
                },
            ),
        ),
        any_problem,
    ),
    Family(
        "nested smoother",
        "one-shot smoother",
        (
            Option(
                "nested smoother",
                lambda draw: {
                    "shape": _shape(draw),
                    "bandwidth": _bandwidth(draw, 0.2, 0.5),
                    "second": draw.dice.randint(2, draw.depth),
                },
            ),
        ),
        any_problem,
    ),
    Family("median of ridges", "stateless re-solver", (Option("median of ridges", _penalties),), any_problem),
    Family("relayed smoother", "one-shot smoother", (NEIGHBOUR, SMOOTHER, ATTENTION), any_problem, relay=True),
    Family("relayed lookup", "finite-task lookup", (LOOKUP,), pooled, relay=True),
    Family("relayed ridge path", "stateless re-solver", PATHS, any_problem, relay=True),
    Family(
        "relayed leaky ridge path",
        "stateless re-solver",
        (Option("leaky ridge path", lambda draw: {**_penalties(draw), "keep": draw.dice.uniform(0.2, 0.7)}),),
        any_problem,
        relay=True,
    ),
    Family("relayed ensemble", "stateless re-solver", (Option("kernel ensemble", _widths),), any_problem, relay=True),
    Family("counted ridge path", "stateless re-solver", (Option("counted ridge path", _penalties),), any_problem),
)
"""A family that is written later is added here once limits are chosen with it."""


def few(dice: Random, region: Region) -> Regression:
    """Linear regression from a pool of few tasks, in few dimensions: what a small network can learn to look up."""
    task = pooled(dice, region)
    dim = min(region.dims)
    return replace(task, dim=dim, points=round(dim * dice.choice(region.points)), pool=dice.choice(region.pools[:2]))


def _taught(draw: Draw) -> Arguments:
    assert isinstance(draw.task, Regression)
    task = draw.task
    known: Arguments = {"tasks": task.pool or 1, "seed": task.pool_seed}
    return {**known, "noise": task.noise, "points": task.points, "condition": task.condition}


TRAINED_FAMILIES = (
    Family("distilled lookup", "finite-task lookup", (Option("distilled lookup", _taught),), few),
    Family(
        "lookup trained to improve",
        "finite-task lookup",
        (Option("distilled lookup", lambda draw: {**_taught(draw), "improving": True}),),
        few,
    ),
)
"""Controls that take half a minute each to build, and count only where they came out `FAITHFUL`; no zoo holds them unasked."""


LATER_FAMILIES = (
    Family(
        "relayed counted ridge path",
        "stateless re-solver",
        (Option("counted ridge path", _penalties),),
        any_problem,
        relay=True,
    ),
    Family(
        "relayed sharpening smoother",
        "stateless re-solver",
        (Option("sharpening smoother", _widths),),
        any_problem,
        relay=True,
    ),
    Family(
        "kernel ridge path",
        "stateless re-solver",
        (
            Option(
                "kernel ridge path",
                lambda draw: {
                    "shape": _shape(draw),
                    "bandwidth": _bandwidth(draw, 0.6, 2.0),
                    "first": 10.0,
                    "last": 0.01,
                },
            ),
        ),
        any_problem,
    ),
    Family(
        "clipped ridge path",
        "stateless re-solver",
        (
            Option("clipped ridge path", _penalties),
            Option("clipped ridge path", lambda draw: {**_penalties(draw), "keep": draw.dice.uniform(0.2, 0.7)}),
        ),
        any_problem,
    ),
)
"""Families that were written after limits had been chosen and hashed: they are in blind zoos only."""
