"""Which signs survive where blocks that compute optimizer steps learn text; and a layer that solves by conjugate gradients.

Six blocks, each taught a step of gradient descent, are in the middle of a small language model that is trained on the bytes of
the standard library, on text alone or with a twentieth of the steps on regressions; the control has random blocks there. Answers
are read by a map fitted anew at every checkpoint. Settings were chosen on seed 7001, the verdict's limits before, on others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from statistics import median
from typing import Any

import torch

from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, share
from benchmarks.kept import Kept
from benchmarks.mesa_limits import SIGNS as CODE
from cutaway.mesa.language.mesa_net import MesaNet, Unrolled
from cutaway.mesa.language.pretraining import Fate, Host, Pretraining, Refitted, code, fate
from cutaway.mesa.language.pretraining.course import Middle, Taught
from cutaway.mesa.reference.end_to_end import ridge
from cutaway.mesa.screen import screen
from cutaway.mesa.signs import SIGNS
from cutaway.mesa.subject import Subject, answers
from cutaway.training.loop import held_out_loss

DEPENDS = (
    *CODE,
    "mesa/language/pretraining",
    "mesa/language/mesa_net",
    "mesa/reference/layerwise.py",
    "mesa/reference/fitting.py",
    "mesa/verdict",
    "training/loop.py",
    "training/corpus.py",
    "mesa_pretraining.py",
)
MINUTES = 18.0
SEEDS = (8004, 8005, 8006)
STEPS = (0, 10, 30, 100, 300, 1000)
"""Checkpoints, in steps of 512 bytes."""
MIXED = 0.05
SOLVES = (0, 1, 2, 4, 8)
ITERATIVE = "iterative optimizer"


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    courses = [(middle, mixed, seed) for seed in SEEDS for mixed in (0.0, MIXED) for middle in ("taught", "random")]
    each_kept(kept, "pretraining", course, courses)
    each_kept(kept, "mesa net", solved, [(solves, seed) for seed in SEEDS for solves in SOLVES])


def course(middle: Middle, mixed: float, seed: int) -> dict[str, Any]:
    """Every sign of one language model at every checkpoint."""
    made = Pretraining(steps=STEPS[-1], seed=seed)
    text, held = texts()
    blocks = taught(seed)
    networks = made.course(made.host(blocks.twin, middle), text, mixed, STEPS)
    lessons = {"unexplained": blocks.unexplained, "tries": blocks.tries}
    rows = [at_step(made, step, network, held) for step, network in networks.items()]
    return {"middle": middle, "mixed": mixed, "seed": seed, **lessons, "steps": rows}


def at_step(made: Pretraining, step: int, network: Host, held: torch.Tensor) -> dict[str, Any]:
    """What is read of one checkpoint; `own` is the share solved by the readout that it began with."""
    found = screened(Refitted.of(network, made.task, made.seed), made.task, made.seed)
    own = 1 - apart(network, made.task, made.seed)
    return {"step": step, "text": held_out_loss(network, held, made.context), "own": own, **found}


def screened(subject: Subject, task: Any, seed: int) -> dict[str, Any]:
    """The verdict under the frozen limits, and what every sign reads."""
    found = screen(subject, task, seed)
    degrees = found.battery.readings["degree growth"].course
    about = {"label": found.verdict.label, "alike": list(found.verdict.alike), "limits": found.limits}
    return {**about, "degrees": list(degrees), "values": found.battery.values()}


@torch.no_grad()
def apart(subject: Subject, task: Any, seed: int) -> float:
    """The squared error on novel problems over that of answering 0."""
    prompts = task.draw(512, 3 * seed)
    return float((answers(subject, prompts) - prompts.answers).square().mean() / prompts.answers.square().mean())


@cache
def taught(seed: int) -> Taught:
    """The blocks before they meet text, once a seed."""
    return Pretraining(seed=seed).taught()


@cache
def texts() -> tuple[torch.Tensor, torch.Tensor]:
    """To train on, and held out."""
    return code()


def solved(solves: int, seed: int) -> dict[str, Any]:
    """A trained network with a solving layer, screened by layers and with the solver's steps as layers."""
    made = MesaNet(solves, seed=seed)
    network = made.trained().network
    prompts = made.task.draw(512, 3 * seed)
    best = (ridge(prompts, made.task.noise) - prompts.answers).square().mean() / prompts.answers.square().mean()
    found = {
        "layers": screened(network, made.task, seed),
        "steps as layers": screened(Unrolled(network), made.task, seed),
    }
    return {"solves": solves, "seed": seed, "error": apart(network, made.task, seed), "ridge": float(best), **found}


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what, every, none = "mesa, taught blocks in a language model", Bar(0.95, True, "{:.0%}"), Bar(0.0, False, "{:.0%}")
    yield f"{what}, before any text: called an optimizer", every, "mesa_pretraining", called("taught", (0,))
    yield f"… after {STEPS[-1]} steps of text", every, "mesa_pretraining", called("taught", STEPS[-1:])
    yield "… random blocks instead, whenever looked at", none, "mesa_pretraining", called("random", STEPS)
    what = "mesa, a trained layer of 2, 4 or 8 steps of conjugate gradients"
    yield f"{what}, its steps as layers: called an optimizer", every, "mesa_pretraining", stepped((2, 4, 8))
    yield "… of 0 or 1 steps", none, "mesa_pretraining", stepped((0, 1))


def rows_of(result: Result, middle: Middle, mixed: float) -> list[dict[str, Any]]:
    """The language models of one kind, one a seed."""
    rows = result["settings"]["pretraining"]["facts"]["networks"]
    return [row for row in rows if (row["middle"], row["mixed"]) == (middle, mixed)]


def called(middle: Middle, steps: tuple[int, ...], mixed: float = 0.0) -> Callable[[Result], Measured]:
    """The share called an optimizer, over seeds and checkpoints."""

    def figure(result: Result) -> Measured:
        rows = [each for row in rows_of(result, middle, mixed) for each in row["steps"] if each["step"] in steps]
        return share(sum(row["label"] == ITERATIVE for row in rows), len(rows), "networks and checkpoints")

    return figure


def nets(result: Result, solves: tuple[int, ...]) -> list[dict[str, Any]]:
    """The networks with a layer of so many steps."""
    return [row for row in result["settings"]["mesa net"]["facts"]["networks"] if row["solves"] in solves]


def stepped(solves: tuple[int, ...]) -> Callable[[Result], Measured]:
    """The share called an optimizer where steps are layers."""

    def figure(result: Result) -> Measured:
        rows = nets(result, solves)
        return share(sum(row["steps as layers"]["label"] == ITERATIVE for row in rows), len(rows))

    return figure


def values(result: Result, middle: Middle, mixed: float, sign: str) -> dict[int, list[float]]:
    """A sign's values at every checkpoint, one a seed."""
    rows = [each for row in rows_of(result, middle, mixed) for each in row["steps"]]
    return {step: [row["values"][sign] for row in rows if row["step"] == step] for step in STEPS}


def fates(result: Result, mixed: float) -> dict[str, Fate]:
    """What becomes of every sign that was read, against random blocks that learned the same."""
    measured = rows_of(result, "taught", mixed)[0]["steps"][0]["values"]
    return {
        sign.name: fate(values(result, "taught", mixed, sign.name), values(result, "random", mixed, sign.name))
        for sign in SIGNS
        if sign.name in measured
    }


def section(result: Result) -> list[str]:
    """Signs by checkpoint, verdicts by checkpoint, and the dial of steps."""
    head = ["## Optimizer blocks that go on to learn text", ""]
    return [*head, *_signs(result), "", *_verdicts(result), "", *_dial(result), ""]


def _signs(result: Result) -> Iterator[str]:
    yield "Median of the sign; in how many seeds of three it is beyond all that random blocks of the same course show."
    yield ""
    yield f"| sign | {' | '.join(f'{step}' for step in STEPS)} | random blocks | dies | dies, 5 % regressions |"
    yield "|---|" + "---|" * (len(STEPS) + 3)
    mixed = fates(result, MIXED)
    for name, found in fates(result, 0.0).items():
        of = values(result, "taught", 0.0, name)
        cells = [f"{median(of[step]):.2f} ({found.beyond[step]})" for step in STEPS]
        null = [value for each in values(result, "random", 0.0, name).values() for value in each]
        yield f"| {name} | {' | '.join(cells)} | {min(null):.2f} … {max(null):.2f} | {_end(found)} | {_end(mixed[name])} |"


def _end(found: Fate) -> str:
    if not found.known:
        return "never told them apart"
    if found.dies is None:
        return "lives"
    return f"{found.dies}" + (f", back at {found.returns}" if found.returns is not None else "")


def _verdicts(result: Result) -> Iterator[str]:
    yield "Called an optimizer, of three seeds · median share solved by a readout fitted anew / by the old · nats a byte of text."
    yield ""
    yield f"| blocks, regressions | {' | '.join(f'{step}' for step in STEPS)} |"
    yield "|---|" + "---|" * len(STEPS)
    for mixed in (0.0, MIXED):
        for middle in ("taught", "random"):
            rows = [each for row in rows_of(result, middle, mixed) for each in row["steps"]]
            cells = [_cell([row for row in rows if row["step"] == step]) for step in STEPS]
            yield f"| {middle}, {mixed:.0%} | {' | '.join(cells)} |"


def _cell(rows: list[dict[str, Any]]) -> str:
    hits = sum(row["label"] == ITERATIVE for row in rows)
    anew, own = median(row["values"]["adapting"] for row in rows), median(row["own"] for row in rows)
    return f"{hits} · {anew:.2f} / {own:.2f} · {median(row['text'] for row in rows):.2f}"


def _dial(result: Result) -> Iterator[str]:
    yield "A trained layer that solves by conjugate gradients: the verdict by layers, and with its steps as layers; of the latter"
    yield "also median composition, improving layers and degree."
    yield ""
    yield "| steps | error ÷ ridge's | by layers | steps as layers | composition | improving | degree |"
    yield "|---|---|---|---|---|---|---|"
    for solves in SOLVES:
        rows = nets(result, (solves,))
        excess = median(row["error"] / row["ridge"] for row in rows)
        labels = [", ".join(sorted({row[way]["label"] for row in rows})) for way in ("layers", "steps as layers")]
        read = [
            median(row["steps as layers"]["values"][name] for row in rows)
            for name in ("composition", "improving layers")
        ]
        degree = median(row["steps as layers"]["degrees"][-1] for row in rows)
        yield f"| {solves} | {excess:.2f} | {' | '.join(labels)} | {read[0]:.0f} | {read[1]:.1f} | {degree:.0f} |"
