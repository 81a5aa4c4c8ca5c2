"""The few-shot report of language models: networks trained here to classify in context, and what it takes at the size of GPT-2.

The small networks are trained from their recipe at every seed; the large one has GPT-2's shape and random weights, so that nothing
is loaded and the right answer of its report is that nothing was learned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from math import isfinite
from statistics import mean
from typing import Any

from benchmarks.figures import Bar, Measured, Result, exact, spread
from benchmarks.kept import Kept
from cutaway.mesa.language import FewShotReport, InContext, Instructions, Lexicon, Plan, Sorting, few_shot_report
from cutaway.mesa.language.report import FIGURES
from cutaway.network import Network, wrap
from cutaway.runs.progress import Progress, silent, terminal

DEPENDS = (
    "mesa/language/*.py",
    "training/transformer.py",
    "training/loop.py",
    "concepts/read/twin.py",
    "mesa_language.py",
)
MINUTES = 25.0
SEEDS = (8001, 8002, 8003)
LARGE = "124M shape"
SIGNS = ("symmetry", "commutation", "growth", "order", "specific")


POOL = "trained on a pool"


def measure(kept: Kept, repetitions: int) -> None:
    """A row for every trained network, for one that can only look tasks up, and for the large one; each kept as it is done."""
    settings: dict[str, Callable[[], dict[str, Any]]] = {
        **{f"trained {seed}": partial(trained, InContext(seed=seed)) for seed in SEEDS},
        POOL: partial(trained, InContext(familiar=1.0, steps=2000, seed=SEEDS[0])),
        LARGE: partial(large, terminal()),
    }
    for name, measured in settings.items():
        facts = kept.setting(name)["facts"]
        if not facts:
            facts.update(measured())
            kept.write()


def trained(made: InContext) -> dict[str, Any]:
    """The report of one small network."""
    began = time.process_time()
    network, losses = made.trained()
    took = time.process_time() - began
    found, cost = reported(
        lambda: few_shot_report(network, made.features, plan=Plan(256, 256, 24, 256), seed=made.seed)
    )
    return {**found, **cost, "training_cpu_s": took, "loss": mean(losses[-100:])}


def large(progress: Progress = silent) -> dict[str, Any]:
    """The whole report, 16 demonstrations and a zero-shot panel, of GPT-2's shape with random weights."""
    network = gpt2_shape()
    lexicon = Lexicon.arbitrary(50257)
    found, cost = reported(
        lambda: few_shot_report(network, Sorting(lexicon), Instructions(lexicon), seed=0, progress=progress)
    )
    return {**found, **cost}


def gpt2_shape() -> Network:
    """124 million random weights."""
    import torch
    import transformers

    torch.manual_seed(0)
    return wrap(transformers.GPT2LMHeadModel(transformers.GPT2Config()).eval(), name="GPT-2's shape, random weights")


def reported(report: Callable[[], FewShotReport]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A report's figures, and what it took."""
    began = time.process_time()
    found = report()
    cost = {"cpu_s": time.process_time() - began, "tokens": found.tokens}
    return {"learned": found.learned, "figures": found.rows().rows(), "text": str(found)}, cost


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    minutes = Bar(20.0, False, "{:.1f} min")
    yield "whole few-shot report of a 124M-shaped language model, one thread", minutes, "mesa_language", large_minutes
    accuracy = Bar(0.75, True, "{:.2f}")
    yield (
        "novel tasks answered, by the labels shown, by a small network trained here",
        accuracy,
        "mesa_language",
        accuracies,
    )


def large_minutes(result: Result) -> Measured:
    """CPU minutes, once."""
    facts = result["settings"][LARGE]["facts"]
    return exact(facts["cpu_s"] / 60, f"{facts['tokens'] / 1e3:.0f}k tokens, nulls and zero-shot included")


def accuracies(result: Result) -> Measured:
    """Over trained networks."""
    return spread([cell(result, f"trained {seed}", "given", "novel", FIGURES[1])["value"] for seed in SEEDS], "network")


def cell(result: Result, setting: str, network: str, tasks: str, figure: str) -> dict[str, Any]:
    """One figure of one network's report."""
    rows = result["settings"][setting]["facts"]["figures"]
    return next(row for row in rows if (row["network"], row["tasks"], row["figure"]) == (network, tasks, figure))


def section(result: Result) -> list[str]:
    """Every trained network: what it learned, in how many layers, its signs, each beside the same with random weights."""
    figures = [*((figure, tasks) for tasks in ("novel", "familiar") for figure in FIGURES), ("live layers", "novel")]
    figures += [(f"hat {sign}", "novel") for sign in SIGNS]
    settings = [*(f"trained {seed}" for seed in SEEDS), POOL]
    columns = [(setting, network) for network in ("given", "random weights") for setting in settings]
    head = [
        "figure",
        "tasks",
        *(setting if network == "given" else f"{setting}, {network}" for setting, network in columns),
    ]
    rows = [
        [figure, tasks, *(_shown(cell(result, *column, tasks, figure)["value"]) for column in columns)]
        for figure, tasks in figures
    ]
    table = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
    return ["## Language models: the few-shot report", "", *table, ""]


def _shown(value: float) -> str:
    return f"{value:.2f}" if isfinite(value) else "–"
