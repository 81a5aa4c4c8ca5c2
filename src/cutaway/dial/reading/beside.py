"""What a rule text is measured beside: the task's true program, an n-gram, and a decision tree of equal bits.

The n-gram and the tree are fitted to what the *network* answers on the training split, not to what is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import log, log2

import numpy as np
from jaxtyping import Bool, Float, Int

from cutaway.dial.reading.rule_text import RuleText
from cutaway.dial.tasks import Examples, Task

Says = Callable[[Examples], Float[np.ndarray, "example"]]
"""How much more is said for each example's right answer than for the other; a network's error is said where it is below 0."""

PSEUDO = 0.5
"""What every answer is counted beside its occurrences."""
TIE = 1e-9
"""How much more is said for one of two answers where as much is said for both."""
BACK = 4
"""Places before the end that a tree may ask about."""


def of_rule_text(rule: RuleText) -> Says:
    """What a rule text says; where as much is said for both answers it is for the first one, as in `RuleText.decide`."""

    def says(examples: Examples) -> np.ndarray:
        said, rows = rule.preferences(examples.prompts.numpy(), examples.last.numpy()), np.arange(len(examples))
        right, other = (
            np.array([rule.place(token) for token in each.tolist()]) for each in (examples.answer, examples.other)
        )
        more = said[rows, right] - said[rows, other]
        return np.where(more == 0, np.where(right < other, TIE, -TIE), more)

    return says


def of_program(task: Task) -> Says:
    """What the true program says: that the network is right, always, on the prompts that the program is about."""
    return lambda examples: np.array(
        [1.0 if task.rule(row) == answer else -1.0 for row, answer in zip(examples.rows(), examples.answer.tolist())]
    )


def of_ngram(examples: Examples, answers: Sequence[int], most: int = 4, seed: int = 0) -> Says:
    """What the network answered after the longest known run of up to `most` last tokens; a coin where that is a tie."""
    counts: dict[tuple[int, ...], dict[int, float]] = {}
    for row, answer in zip(examples.rows(), answers):
        for end in _ends(row, most):
            found = counts.setdefault(end, {})
            found[answer] = found.get(answer, 0.0) + 1.0

    def says(fresh: Examples) -> np.ndarray:
        def known(row: list[int]) -> dict[int, float]:
            return next(counts[end] for end in reversed(_ends(row, most)) if end in counts)

        return _odds([known(row) for row in fresh.rows()], fresh, seed)

    return says


def _ends(row: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """The last tokens of a prompt: none, one, two … up to `most`."""
    return [tuple(row[len(row) - size :]) for size in range(min(most, len(row)) + 1)]


def _odds(counts: Sequence[dict[int, float]], fresh: Examples, seed: int) -> Float[np.ndarray, "example"]:
    """The log odds that the counts for each example give its answer; where they are even, a coin says for which a little more."""
    pairs = zip(counts, fresh.answer.tolist(), fresh.other.tolist())
    odds = np.array(
        [log((found.get(right, 0.0) + PSEUDO) / (found.get(other, 0.0) + PSEUDO)) for found, right, other in pairs]
    )
    return np.where(odds == 0, TIE * np.random.default_rng(seed).choice((-1, 1), len(odds)), odds)


@dataclass(frozen=True)
class Tree:
    """Whether a token stands at a place from the end (`back`, 0 is the last; −1: anywhere), and what follows if so or not.

    A leaf has `counts` of answers and no branches.
    """

    token: int = -1
    back: int = -1
    branches: tuple[Tree, ...] = ()
    counts: dict[int, float] = field(default_factory=dict)

    def leaf(self, row: Sequence[int]) -> dict[int, float]:
        """The counts where a prompt ends up."""
        if not self.branches:
            return self.counts
        there = self.token in row if self.back < 0 else len(row) > self.back and row[-1 - self.back] == self.token
        return self.branches[int(there)].leaf(row)


@dataclass(frozen=True)
class Distilled:
    """A decision tree and its bits: for each question which one it is and that it is none of the leaves, for a leaf its answer."""

    tree: Tree
    bits: float
    seed: int = 0

    def says(self, examples: Examples) -> Float[np.ndarray, "example"]:
        """What the tree says; a coin of `seed` where a leaf has as many of both answers."""
        return _odds([self.tree.leaf(row) for row in examples.rows()], examples, self.seed)


def distilled(examples: Examples, answers: Sequence[int], bits: float, seed: int = 0) -> Distilled:
    """The tree that is grown greedily, the question that saves most of the answers' entropy first, until `bits` are used up."""
    rows = examples.rows()
    tokens = np.unique(np.concatenate([np.array(row) for row in rows]))
    questions = [(int(token), back) for back in range(-1, BACK) for token in tokens]
    asked = _asked(rows, tokens)
    classes, which = np.unique(np.array(answers), return_inverse=True)
    one_hot = np.eye(len(classes))[which]
    leaf, question = 1 + log2(max(2, len(classes))), 1 + log2(len(questions))
    used, chosen, queue = leaf, dict[tuple[int, ...], int](), list[tuple[float, tuple[int, ...], np.ndarray]]()

    def offer(path: tuple[int, ...], inside: np.ndarray) -> None:
        gains = _gains(asked[inside], one_hot[inside])
        if (best := int(gains.argmax())) >= 0 and gains[best] > 1e-9:
            heappush(queue, (-float(gains[best]), path, np.append(inside, best)))

    offer((), np.arange(len(rows)))
    parts: dict[tuple[int, ...], np.ndarray] = {(): np.arange(len(rows))}
    while queue and used + question + leaf <= bits:
        _, path, found = heappop(queue)
        inside, best = found[:-1], int(found[-1])
        chosen[path] = best
        used += question + leaf
        for way in (0, 1):
            parts[(*path, way)] = inside[asked[inside, best] == way]
            offer((*path, way), parts[(*path, way)])

    def grown(path: tuple[int, ...]) -> Tree:
        if path in chosen:
            return Tree(*questions[chosen[path]], branches=(grown((*path, 0)), grown((*path, 1))))
        counts = one_hot[parts[path]].sum(0)
        return Tree(counts={int(token): float(count) for token, count in zip(classes, counts)})

    return Distilled(grown(()), used, seed)


def _asked(rows: Sequence[Sequence[int]], tokens: Int[np.ndarray, "token"]) -> Bool[np.ndarray, "example question"]:
    """The answer to each question: whether each token is anywhere, then whether it is the last one, the one before …"""
    anywhere = np.array([np.isin(tokens, row) for row in rows])
    ends = [
        np.array([tokens == row[-1 - back] if len(row) > back else np.zeros(len(tokens), bool) for row in rows])
        for back in range(BACK)
    ]
    return np.concatenate([anywhere, *ends], axis=1)


def _gains(asked: Bool[np.ndarray, "example question"], one_hot: Float[np.ndarray, "example answer"]) -> np.ndarray:
    """The bits that each question saves, over all examples."""
    yes = asked.astype(float).T @ one_hot
    total = one_hot.sum(0)
    return _entropy(total[None]) - _entropy(yes) - _entropy(total - yes)


def _entropy(counts: Float[np.ndarray, "row answer"]) -> np.ndarray:
    """Bits for all of a row's answers."""
    size = counts.sum(1, keepdims=True)
    return -(counts * np.log2(np.where(counts > 0, counts / size.clip(1e-12), 1.0))).sum(1)
