"""Tiny Python: an endless supply of small consistent programs that Python compiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import torch
from jaxtyping import Int
from torch import Tensor

from cutaway.dial.tiny_python.blocks import program
from cutaway.dial.tiny_python.tokenizer import tokenizer
from cutaway.dial.tiny_python.vocabulary import IDS, VOCABULARY, decode, encode
from cutaway.dial.tiny_python.writer import Writer
from cutaway.training.tokenizer import BOS

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class TinyPython:
    """Small programs, and their tokens.

    Names are defined before they are used and keep their type; methods and operators fit it; calls have as many arguments
    as the function takes; an object has the attributes that its class's `__init__` sets. Brackets nest `depth` deep inside
    a value (one or two more inside calls), blocks `blocks` deep; a program has from `shortest` to `longest` statements at its
    outermost level. `comments` is how often a statement has one before it, `apostrophes` how often its verb has one
    (isn't for is): raise it, or `depth`, for prompts unlike those of training.

    The programs need not run to an end: a list may be indexed past its last element, a file may not exist.

    >>> TinyPython().stream(1000, seed=7000).shape
    torch.Size([1000])
    """

    depth: int = 3
    blocks: int = 3
    shortest: int = 3
    longest: int = 6
    comments: float = 0.08
    apostrophes: float = 0.1

    def __post_init__(self) -> None:
        if self.depth < 1 or not 1 <= self.blocks <= 3:
            raise ValueError(
                f"TinyPython.depth={self.depth}, blocks={self.blocks}; expected a depth of 1 or more and 1 to 3 blocks"
            )
        if not 1 <= self.shortest <= self.longest:
            raise ValueError(
                f"TinyPython.shortest={self.shortest}, longest={self.longest}; expected 1 ≤ shortest ≤ longest statements"
            )
        for name in ("comments", "apostrophes"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"TinyPython.{name} is {getattr(self, name)}; expected a share from 0 to 1")

    def vocabulary(self) -> tuple[str, ...]:
        """Every token; a token's id is its place. The dots of `'…` and `…'` say where the string is."""
        return VOCABULARY

    def writer(self, rng: Random) -> Writer:
        """An empty program with these settings."""
        return Writer(rng, self.depth, self.blocks, self.comments, self.apostrophes)

    def programs(self, count: int, seed: int) -> list[str]:
        """The texts of `count` programs, the first ones of the stream of that seed."""
        if count < 1:
            raise ValueError(f"{count} programs were asked for; expected 1 or more")
        written = self._written(seed)
        return [decode(IDS[token] for token in next(written)) for _ in range(count)]

    def stream(self, tokens: int, seed: int) -> Int[Tensor, "stream"]:
        """So many token ids: programs back to back, <|bos|> before each, the last one cut off.

        Streams of different seeds are independent, and programs long enough for none to occur in both; with `shortest=1`
        some do.
        """
        if tokens < 1:
            raise ValueError(f"a stream of {tokens} tokens was asked for; expected 1 or more")
        ids: list[int] = []
        for written in self._written(seed):
            ids.append(IDS[BOS])
            ids.extend(map(IDS.__getitem__, written))
            if len(ids) >= tokens:
                break
        return torch.tensor(ids[:tokens], dtype=torch.long)

    def _written(self, seed: int) -> Iterator[list[str]]:
        """Programs as tokens, without end."""
        rng = Random(seed)
        while True:
            writer = self.writer(rng)
            program(writer, rng.randint(self.shortest, self.longest))
            yield writer.out

    def encode(self, text: str) -> list[int]:
        """The ids of a text, <|bos|> first; ValueError for what is no tiny Python."""
        return encode(text)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids."""
        return decode(ids)

    def tokenizer(self) -> Tokenizer:
        """The same as a Hugging Face tokenizer, for `cutaway.open(network, feed=…)`."""
        return tokenizer()
