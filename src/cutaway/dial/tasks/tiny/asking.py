"""How a task on tiny Python is written: twice with the same random numbers, one choice exchanged, and read back by a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from cutaway.dial.tasks.task import Pair, Task
from cutaway.dial.tiny_python import TinyPython
from cutaway.dial.tiny_python.blocks import simple, statement
from cutaway.dial.tiny_python.statements import comment
from cutaway.dial.tiny_python.vocabulary import IDS, LINES, VOCABULARY
from cutaway.dial.tiny_python.writer import Writer
from cutaway.training.tokenizer import BOS


class Write(Protocol):
    """Writes the first or the second prompt of a pair after a context, and gives the answer."""

    __name__: str
    __doc__: str | None

    def __call__(self, w: Writer, second: bool) -> str: ...


Rule = Callable[[list[str]], str]
"""The answer from a prompt's tokens."""

CONTEXT, ASKED = 26, 34
"""How many tokens a context has at most, and what is asked after it: a prompt fits the smallest networks' context of 64."""


def task(write: Write, rule: Rule, python: TinyPython, context: int = CONTEXT) -> Task:
    """The task that a function writes; its name and its docstring's first line are the task's."""

    def sample(rng: Random) -> Pair:
        while True:
            seed = rng.getrandbits(48)
            (first, one), (second, two) = (written(write, python, context, seed, choice) for choice in (False, True))
            if max(len(first), len(second)) <= context + ASKED:
                return Pair((first, second), (one, two))

    def answer(tokens: Sequence[int]) -> int:
        return IDS[rule([VOCABULARY[token] for token in tokens])]

    about = (write.__doc__ or "").partition("\n")[0]
    return Task(write.__name__, about, sample, answer, frozenset(IDS[line] for line in LINES))


def written(write: Write, python: TinyPython, context: int, seed: int, second: bool) -> tuple[tuple[int, ...], int]:
    """One prompt as ids, and its answer."""
    w = python.writer(Random(seed))
    begin(w, context)
    answer = write(w, second)
    return tuple(IDS[token] for token in [BOS, *w.out]), IDS[answer]


def begin(w: Writer, context: int) -> None:
    """A few statements as the corpus has them."""
    statement(w)
    while len(w.out) > context:  # a long one: written anew
        w.out.clear()
        w.names, w.functions, w.classes = {}, {}, {}
        statement(w)
    w.line()
    while len(w.out) < context // 2 and w.chance(0.7):
        aside(w)


def aside(w: Writer) -> None:
    """A statement of one line, a comment before it now and then."""
    if w.chance(w.comments):
        comment(w)
        w.line()
    simple(w)
    w.line()


def reserved(w: Writer, count: int) -> list[str]:
    """So many new names that no other line takes or uses."""
    names = w.fresh(count)
    w.names.update(dict.fromkeys(names, "reserved"))
    return names


def given(w: Writer, name: str, kind: str) -> None:
    """`a = str()`, and perhaps a line about something else."""
    w.write(name, " = ", kind, "(", ")")
    w.line()
    if w.chance(0.4):
        aside(w)
