"""Does the pruner find circuits where there are none? Planted networks with shuffled weights, and with shuffled answers.

Shuffled: every matrix and bias of the blocks keeps its entries in another order. Answers: in half of the pairs of prompts they
are exchanged. The search runs although the task is not solved, which `prune` would refuse.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.circuit_judged import each_kept
from benchmarks.dial_planted import SEARCH, SEEDS, corpus
from benchmarks.figures import Bar, Result, share
from benchmarks.kept import Kept
from benchmarks.timing import seconds
from cutaway.dial.planted import Planted, programs
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.prune import Pruned, Settings, search_all
from cutaway.dial.tasks import Examples, Task, shuffled
from cutaway.dial.transformer import SparseTransformer

DEPENDS = (
    "dial/planted",
    *SEARCH,
    "dial/tasks/task.py",
    "dial/transformer.py",
    "dial_nulls.py",
    "dial_planted.py",
)
MINUTES = 8.0
NULLS = ("weights", "answers")


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network and null, each kept as it is done; nothing is repeated."""
    asked = [(program, seed, null) for program in programs() for seed in SEEDS for null in NULLS]
    each_kept(kept, "nulls", row, asked)


def row(program: str, seed: int, null: str) -> dict[str, Any]:
    """What the pruner finds where nothing is."""
    planted, found = Planted(program, seed), []
    network = with_shuffled_weights(planted.network, seed) if null == "weights" else planted.network
    task = planted.task if null == "weights" else Shuffled(planted.task)
    nodes = nodes_of(network, corpus(planted))
    spent = seconds(lambda: found.append(search_all(network, task, nodes, Settings(seed=seed))))
    pruned: Pruned = found[0]
    return {
        "program": program,
        "seed": seed,
        "null": null,
        "own": pruned.own,
        "circuits": [search.circuit and list(search.circuit.size) for search in pruned.searches],
        "cpu seconds": spent,
    }


def with_shuffled_weights(network: SparseTransformer, seed: int) -> SparseTransformer:
    """The same weights in the blocks, each tensor's in another order."""
    generator, found = torch.Generator().manual_seed(seed), copy.deepcopy(network)
    for weight in found.blocks.parameters():
        weight.data = weight.flatten()[torch.randperm(weight.numel(), generator=generator)].view_as(weight)
    return found


@dataclass(frozen=True)
class Shuffled:
    """A task whose answers are exchanged in half of the pairs."""

    task: Task

    @property
    def name(self) -> str:
        """The name of the task."""
        return self.task.name

    def examples(self, count: int, split: str, seed: int) -> Examples:
        """Examples that no reading of the prompt answers."""
        return shuffled(self.task.examples(count, split, seed), seed)


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    for null, said in (("weights", "shuffled weights"), ("answers", "shuffled answers")):
        yield f"planted networks with {said}: a circuit found", Bar(0.0, False, "{:.1%}"), "dial_nulls", false(null)


def false(null: str) -> Any:
    """The share of programs in which any search at any seed found a circuit."""

    def figure(result: Result) -> Any:
        rows = [row for row in result["settings"]["nulls"]["facts"]["networks"] if row["null"] == null]
        by_program = {row["program"]: False for row in rows}
        for row in rows:
            by_program[row["program"]] |= any(row["circuits"])
        hits = sum(by_program.values())
        return share(
            hits, len(by_program), f"programs, {sum(any(row['circuits']) for row in rows)} of {len(rows)} networks"
        )

    return figure
