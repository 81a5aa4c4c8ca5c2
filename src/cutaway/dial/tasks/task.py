"""Tasks with exact answers: prompts in minimal pairs, each with the right next token and the one its partner has.

A task's *rule* is its true program: it gives the answer from the prompt alone. The prompts of the training, selection and
test sets are disjoint, and so are their first lines: which set a prompt belongs to is a hash of the tokens of its first line,
which partners share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import log
from random import Random
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

SPLITS: dict[str, tuple[float, float]] = {"train": (0.0, 0.6), "selection": (0.6, 0.8), "test": (0.8, 1.0)}
"""The share of the first lines that each set holds."""

CHANCE = log(2)
"""The loss of guessing between two answers, in nats."""

TOGETHER = 64
"""So many examples of like length are run at once."""

TRIES = 400
"""So many draws in a row without a new pair, and a task is said to have no more."""


@dataclass(frozen=True)
class Pair:
    """Two prompts that differ in as little as possible, and the token that comes next after each."""

    prompts: tuple[tuple[int, ...], tuple[int, ...]]
    answers: tuple[int, int]

    def __post_init__(self) -> None:
        if self.answers[0] == self.answers[1]:
            raise ValueError(
                f"both answers of a pair are token {self.answers[0]}; expected two tokens; ask at a place where they differ"
            )


@dataclass(frozen=True)
class Examples:
    """Prompts with two candidate next tokens; rows 2i and 2i + 1 are partners, whose answers are exchanged.

    Prompts are padded on the right, as the networks are causal; `last` is the index of a prompt's last token.
    """

    prompts: Int[Tensor, "example position"]
    last: Int[Tensor, "example"]
    answer: Int[Tensor, "example"]
    other: Int[Tensor, "example"]

    def __post_init__(self) -> None:
        if len(self.answer) % 2 or len(self.answer) != len(self.prompts):
            raise ValueError(
                f"{len(self.prompts)} prompts with {len(self.answer)} answers; expected as many of each, in pairs"
            )
        if same := int((self.answer == self.other).sum()):
            raise ValueError(f"in {same} examples both answers are one token; expected two different tokens in each")

    def __len__(self) -> int:
        return len(self.prompts)

    @cached_property
    def by_length(self) -> list[Examples]:
        """The same examples, pairs of like length together and hardly padded: cheaper to run, in the order of `place`."""
        order = self._by_length.split(TOGETHER // 2)
        return [self.take(pairs).trimmed() for pairs in order]

    @cached_property
    def place(self) -> Int[Tensor, "example"]:
        """Where each example is in `by_length`."""
        rows = (2 * self._by_length[:, None] + torch.arange(2)).flatten()
        return rows.argsort()

    @cached_property
    def _by_length(self) -> Int[Tensor, "pair"]:
        return self.last.view(-1, 2).amax(1).argsort(stable=True)

    def trimmed(self) -> Examples:
        """Without the positions that only padding reaches."""
        return replace(self, prompts=self.prompts[:, : int(self.last.max()) + 1])

    def rows(self) -> list[list[int]]:
        """The prompts without their padding."""
        return [row[: last + 1] for row, last in zip(self.prompts.tolist(), self.last.tolist())]

    def take(self, pairs: Int[Tensor, "pair"]) -> Examples:
        """The examples of these pairs, in this order."""
        rows = (2 * pairs[:, None] + torch.arange(2)).flatten()
        return Examples(self.prompts[rows], self.last[rows], self.answer[rows], self.other[rows])


@runtime_checkable
class Examined(Protocol):
    """What a network can be examined on: a `Task`, or one whose answers are shuffled."""

    @property
    def name(self) -> str: ...

    def examples(self, count: int, split: str, seed: int) -> Examples: ...


@dataclass(frozen=True)
class Task:
    """A decision between two next tokens.

    `sample` draws a pair of prompts; `rule` gives the right next token of a prompt of this task, from the prompt alone.
    `newline` are the tokens that may end a prompt's first line, `pad` what fills up short prompts.
    """

    name: str
    about: str
    sample: Callable[[Random], Pair]
    rule: Callable[[Sequence[int]], int]
    newline: frozenset[int]
    pad: int = 1

    def examples(self, count: int, split: str, seed: int) -> Examples:
        """`count` examples of a split, half with each answer of their pair; no prompt occurs twice.

        Raises ValueError for an unknown split, an odd count, or a task that has not so many prompts.
        """
        if split not in SPLITS:
            raise ValueError(f"there is no split {split!r}; expected one of {', '.join(SPLITS)}")
        if count < 2 or count % 2:
            raise ValueError(f"{count} examples were asked for; expected an even number, as they come in pairs")
        rng, pairs, seen, missed = Random(f"{self.name} {split} {seed}"), [], set(), 0
        while 2 * len(pairs) < count:
            pair = self.sample(rng)
            if self.split(pair.prompts[0]) != split or not seen.isdisjoint(pair.prompts):
                missed += 1
                if missed > TRIES:
                    raise ValueError(
                        f"the task {self.name!r} gave no new prompt in {TRIES} draws after {2 * len(pairs)} examples of the "
                        f"split {split!r}; {count} were asked for; ask for fewer"
                    )
                continue
            missed = 0
            seen.update(pair.prompts)
            pairs.append(pair)
        return padded(pairs, self.pad)

    def split(self, prompt: Sequence[int]) -> str:
        """Which set a prompt belongs to: a hash of its tokens up to the first end of a line."""
        first = next((at for at, token in enumerate(prompt) if token in self.newline), len(prompt))
        digest = hashlib.blake2b(",".join(map(str, prompt[:first])).encode(), digest_size=4).digest()
        place = int.from_bytes(digest, "big") / 2**32
        return next(name for name, (low, high) in SPLITS.items() if low <= place < high)


def padded(pairs: Iterable[Pair], pad: int) -> Examples:
    """Pairs as tensors, partners in adjacent rows."""
    pairs = list(pairs)
    rows = [prompt for pair in pairs for prompt in pair.prompts]
    prompts = torch.full((len(rows), max(map(len, rows))), pad, dtype=torch.long)
    for row, prompt in zip(prompts, rows):
        row[: len(prompt)] = torch.tensor(prompt)
    answers = torch.tensor([pair.answers for pair in pairs])
    return Examples(prompts, torch.tensor([len(row) - 1 for row in rows]), answers.flatten(), answers.flip(1).flatten())


def margins(logits: Float[Tensor, "example position vocab"], examples: Examples) -> Float[Tensor, "example"]:
    """The logit of the answer less that of the other candidate, at each prompt's last token."""
    rows = torch.arange(len(examples), device=logits.device)
    at = logits[rows, examples.last.to(logits.device)]
    return at[rows, examples.answer.to(logits.device)] - at[rows, examples.other.to(logits.device)]


def loss(logits: Float[Tensor, "example position vocab"], examples: Examples) -> Float[Tensor, ""]:
    """Mean binary cross-entropy between the two candidates, in nats; guessing gives log 2 = .693."""
    return functional.softplus(-margins(logits, examples)).mean()


def solved(logits: Float[Tensor, "example position vocab"], examples: Examples) -> float:
    """The share of examples whose answer has the larger logit of the two; a tie counts as wrong."""
    return (margins(logits, examples) > 0).double().mean().item()


def shuffled(examples: Examples, seed: int) -> Examples:
    """A control that cannot be solved by reading: in a random half of the pairs answer and other are exchanged."""
    count = len(examples) // 2
    swap = torch.zeros(count, dtype=torch.bool)
    swap[torch.randperm(count, generator=torch.Generator().manual_seed(seed))[: count // 2]] = True
    swap = swap.repeat_interleave(2)
    return replace(
        examples,
        answer=torch.where(swap, examples.other, examples.answer),
        other=torch.where(swap, examples.answer, examples.other),
    )
