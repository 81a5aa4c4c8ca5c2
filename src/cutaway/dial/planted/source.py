"""What a planted program is asked: rows of tokens with a rule in plain Python, and the task of minimal pairs made from them.

A prompt is a line of fillers, which decides the set that it belongs to, and a body, which the rule is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from cutaway.dial.tasks import Pair, Task

Body = tuple[int, ...]
LINE = 3
"""Fillers before the end of the first line."""
TRIES = 200
"""Pairs of changes to a body that are tried before another one is drawn."""


@dataclass(frozen=True)
class Source:
    """`slots` are the tokens that may stand at each place of a body; `solve` says which answer is right, 0 or 1.

    `solve` never sees the weights; it gives None for a body that is no question.
    """

    about: str
    slots: tuple[tuple[int, ...], ...]
    solve: Callable[[Body], int | None]

    def body(self, rng: Random) -> Body:
        """A question."""
        while self.solve(found := tuple(map(rng.choice, self.slots))) is None:
            pass
        return found

    def pair(self, rng: Random) -> tuple[Body, Body]:
        """Two questions with different answers that differ in one token where that can be, else in two."""
        while True:
            one = self.body(rng)
            wanted = 1 - self.solve(one)  # ty: ignore[unsupported-operator]
            other = next((body for body in self._changed(one, rng) if self.solve(body) == wanted), None)
            if other is not None:
                return one, other

    def _changed(self, body: Body, rng: Random) -> Iterator[Body]:
        singles = [(at, token) for at, slot in enumerate(self.slots) for token in slot if token != body[at]]
        rng.shuffle(singles)
        for change in singles:
            yield changed(body, change)
        for _ in range(TRIES):
            yield changed(body, *rng.choices(singles, k=2))


def changed(body: Body, *changes: tuple[int, int]) -> Body:
    """A body with other tokens at some places."""
    found = list(body)
    for at, token in changes:
        found[at] = token
    return tuple(found)


@dataclass(frozen=True)
class Prompts:
    """Bodies as whole prompts of one length, with the tokens for right answers."""

    source: Source
    fillers: tuple[int, ...]
    newline: int
    answers: tuple[int, int]

    @property
    def length(self) -> int:
        """Tokens of a prompt."""
        return LINE + 1 + len(self.source.slots)

    def pair(self, rng: Random) -> Pair:
        """Two prompts with one first line."""
        line = (*rng.choices(self.fillers, k=LINE), self.newline)
        one, other = self.source.pair(rng)
        right = self.source.solve(one)
        assert right is not None
        return Pair(((*line, *one), (*line, *other)), (self.answers[right], self.answers[1 - right]))

    def rule(self, prompt: Sequence[int]) -> int:
        """The right next token."""
        right = self.source.solve(tuple(prompt[LINE + 1 :]))
        if right is None or len(prompt) != self.length:
            raise ValueError(f"{tuple(prompt)} is no prompt of this task; expected {self.length} tokens drawn by it")
        return self.answers[right]

    def task(self, name: str) -> Task:
        """The task of telling the two answers apart."""
        return Task(name, self.source.about, self.pair, self.rule, frozenset({self.newline}), self.newline)


def one_of(tokens: Sequence[int], body: Body) -> int | None:
    """Which of `tokens` stands in the body, if exactly one of them does, and once."""
    found = [token for token in body if token in tokens]
    return found[0] if len(found) == 1 else None
