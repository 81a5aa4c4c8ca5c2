"""What a reader can do on texts that it was not trained on: each task's share of right answers, beside always the same one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from cutaway.concepts.match import Share
from cutaway.concepts.match.trials import DELETED, said
from cutaway.network import Network
from cutaway.organisms.reader.tasks import TASKS
from cutaway.organisms.reader.training import fitting
from cutaway.organisms.reader.words import one_token
from cutaway.submodels import Baseline, SubModel


@dataclass(frozen=True, eq=False)
class Score:
    """The `right` answers of one task, how often the answer that is most frequent there would be right (`majority`), and which
    texts are answered right (`each`, the same texts in the same order with and without a sub-model)."""

    right: Share
    majority: float
    each: Bool[Tensor, "texts"]

    def as_json(self) -> dict[str, Any]:
        """For a card."""
        one = self.right
        return {"right": one.value, "low": one.low, "high": one.high, "n": one.n, "majority": self.majority}


def scores(
    net: Network,
    split: str = "test",
    without: SubModel | None = None,
    values: Baseline = DELETED,
    most: int | None = None,
) -> dict[str, Score]:
    """Every task on the held-out texts of a split, on `most` of them at most.

    `without` a sub-model: with these values (by default zero) in its place.
    """
    return {task: _score(net, task, split, without, values, most) for task in TASKS}


def _score(net: Network, task: str, split: str, without: SubModel | None, values: Baseline, most: int | None) -> Score:
    tokenizer: Any = net.feed.tokenizer.inner  # ty: ignore[missing-attribute]
    every = fitting(tokenizer, task, split)
    some = every if most is None else Random(task).sample(every, min(most, len(every)))
    batch = net.batch([ids for ids, _ in some])
    answers = said(net, batch) if without is None else said(net, batch, [without], values)[0]
    right = answers == torch.tensor([one_token(tokenizer, answer) for _, answer in some])
    frequent = Counter(answer for _, answer in some).most_common(1)[0][1]
    return Score(Share.of(int(right.sum()), len(some)), frequent / len(some), right)
