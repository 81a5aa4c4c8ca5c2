"""Prompts unlike those of training, so that a network errs: deeper nesting, apostrophes, long contexts, tokens replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cutaway.dial.reading.prompts import joined, replaced, unseen
from cutaway.dial.reading.score import network_margins
from cutaway.dial.tasks import Examples, Task
from cutaway.dial.tasks.tiny import tiny_tasks
from cutaway.dial.tiny_python import TinyPython
from cutaway.dial.transformer import SparseTransformer

CHANGES = (1, 2, 4)
"""Tokens that are replaced in a prompt."""
DEEP, LONG = 6, 30
"""How deep brackets nest, against 3; tokens of a context, against 26, as many as a context of 64 has room for."""
EACH = 200
"""Prompts of each shift that are drawn at once."""

Draw = Callable[[int, str, int], Examples]
"""About so many examples of a split, by a seed."""


@dataclass(frozen=True)
class Erred:
    """Examples of every shift, and for each how many were drawn and on how many of them the network errs."""

    examples: Examples
    by_shift: dict[str, tuple[int, int]]

    @property
    def errors(self) -> int:
        """Of all shifts."""
        return sum(errors for _, errors in self.by_shift.values())


def shifts(task: Task) -> dict[str, Draw]:
    """The shifts of a task on tiny Python, by name."""
    apart = {
        "deeper nesting": _shifted(task.name, TinyPython(depth=DEEP)),
        "apostrophes in comments": _shifted(task.name, TinyPython(comments=1.0, apostrophes=1.0)),
        "long context": _shifted(task.name, TinyPython(), LONG),
    }
    draws: dict[str, Draw] = {name: shifted.examples for name, shifted in apart.items()}
    for changes in CHANGES:
        draws[f"{changes} of the tokens replaced"] = _replacing(task, changes)
        draws[f"{changes} of the tokens replaced by decoys"] = _replacing(task, changes, decoys=True)
    return draws


def _shifted(name: str, python: TinyPython, *context: int) -> Task:
    return next(task for task in tiny_tasks(python, *context) if task.name == name)


def _replacing(task: Task, changes: int, decoys: bool = False) -> Draw:
    return lambda count, split, seed: replaced(task, task.examples(count, split, seed), changes, seed, decoys)[1]


def erring(
    network: SparseTransformer, task: Task, errors: int = 100, most: int = 8000, split: str = "test", seed: int = 0
) -> Erred:
    """Fresh examples of every shift in turn, until the network errs on so many of them or `most` were drawn."""
    draws, found, seen, round_ = shifts(task), list[Examples](), set[tuple[int, ...]](), 0
    by_shift = dict.fromkeys(draws, (0, 0))
    while sum(wrong for _, wrong in by_shift.values()) < errors and sum(drawn for drawn, _ in by_shift.values()) < most:
        for name, draw in draws.items():
            few = unseen(draw(EACH, split, seed + round_), seen)
            wrong = int((network_margins(network, few) <= 0).sum())
            by_shift[name] = (by_shift[name][0] + len(few), by_shift[name][1] + wrong)
            found.append(few)
        round_ += 1
    return Erred(joined(found, task.pad), by_shift)
