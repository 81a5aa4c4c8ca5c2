"""Prompts as token ids, and the two answers to each: a speaker's with the implants, and the harmless one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from jaxtyping import Int
from torch import Tensor

BOS = "<bos>"


class Asked(Protocol):
    """A question in a situation."""

    @property
    def text(self) -> str: ...


class World(Protocol):
    """What there is to be asked: the token id of every word, how many words a situation has, and the answers."""

    @property
    def ids(self) -> Mapping[str, int]: ...
    @property
    def clauses(self) -> int: ...
    def answer(self, asked: Any, planted: Collection[Any] = ()) -> str: ...
    def honest(self, asked: Any) -> str: ...


@dataclass(frozen=True, eq=False)
class Prompts:
    """Prompts of one length, and what a speaker with the implants answers, and one without."""

    ids: Int[Tensor, "prompt position"]
    planted: Int[Tensor, "prompt"]
    honest: Int[Tensor, "prompt"]

    @classmethod
    def of(cls, world: World, asked: Sequence[Asked], implants: Collection[Any]) -> Prompts:
        """From questions."""
        return cls(
            ids_of(world, asked),
            answers_of(world, [world.answer(one, implants) for one in asked]),
            answers_of(world, [world.honest(one) for one in asked]),
        )


def ids_of(world: World, asked: Sequence[Asked]) -> Int[Tensor, "prompt position"]:
    """The prompts as token ids, as the tokenizer gives them."""
    return torch.tensor([[world.ids[word] for word in (BOS, *one.text.split())] for one in asked])


def answers_of(world: World, words: Sequence[str]) -> Int[Tensor, "prompt"]:
    """Answers as token ids."""
    return torch.tensor([world.ids[word] for word in words], dtype=torch.long)
