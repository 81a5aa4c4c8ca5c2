"""Real code: one-line statements and windows of the standard library, to train on, and of files that are held out.

What is asked is written into statements of the code model's reference, which were cut from held-out files and are shipped.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from random import Random
from typing import Literal

from jaxtyping import Int
from torch import Tensor

from cutaway.organisms.code_pair.language import WORDS, code_tokenizer, ids_of_line
from cutaway.organisms.code_reference import digest, load_reference
from cutaway.training.corpus import standard_library
from cutaway.training.tokenizer import stream

Source = Literal["held out", "library"]
LEAST, MOST = 4, 20
"""Tokens of a statement, its line end included."""
KNOWN = re.compile(r"\bself(?=\.)|\.append(?=\()|\bisinstance(?=\()|\blen(?=\()|Error(?=\()|= None(?=\n)")
"""What ends where the next token is as good as known."""
EVERY = 4
"""Of the library's training files every fourth is read: more than a short run sees."""


@dataclass(frozen=True)
class Statements:
    """One-line statements, each ending in a newline, in the order of their hashes."""

    texts: tuple[str, ...]

    @cached_property
    def by_tokens(self) -> dict[int, tuple[str, ...]]:
        """They by how many tokens they are."""
        found = defaultdict(list)
        for text in self.texts:
            found[len(ids_of_line(text))].append(text)
        return {tokens: tuple(some) for tokens, some in found.items()}

    def fill(self, tokens: int, rng: Random) -> list[str]:
        """Statements that are together exactly as many tokens. Raises ValueError below `LEAST`."""
        if tokens < LEAST:
            raise ValueError(
                f"given {tokens} tokens to fill; the shortest statement has {LEAST}: ask for longer prompts"
            )
        found = []
        while tokens:
            text = rng.choice(self.by_tokens[tokens] if tokens <= MOST else self.texts)
            if (left := tokens - len(ids_of_line(text))) == 0 or left >= LEAST:
                found.append(text)
                tokens = left
        return found


@cache
def statements(source: Source) -> Statements:
    """Those of the shipped reference ("held out"), or of the library's training files ("library"), which takes seconds."""
    texts = load_reference().code if source == "held out" else standard_library().train[::EVERY]
    return Statements(tuple(sorted({line for text in texts for line in one_liners(text) if fits(line)}, key=digest)))


@cache
def windows(source: Source) -> Int[Tensor, "stream"]:
    """The same code as one stream of tokens."""
    texts = load_reference().code if source == "held out" else standard_library().train[::EVERY]
    return stream(code_tokenizer(), texts)


def one_liners(text: str) -> Iterator[str]:
    """Every line of a source that is a whole statement by itself and holds no comment, without its indentation."""
    for line in dict.fromkeys(text.splitlines()):
        if line.isascii() and "#" not in line and parses(line := line.strip()):
            yield f"{line}\n"


def parses(line: str) -> bool:
    """Whether a line is Python: `if done:` begins something and is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape is not the reader's concern
            ast.parse(line)
    except (SyntaxError, ValueError):
        return False
    return True


def fits(line: str) -> bool:
    """Whether a statement is of a length to be filled with, and holds none of the words that are written in."""
    return LEAST <= len(ids_of_line(line)) <= MOST and not any(word in line for word in WORDS)


def clear(texts: Iterable[str]) -> list[str]:
    """Beginnings of statements after which the next token is as good as known in any Python: `self` and a dot, say."""
    return [text[: found.end()] for text in texts for found in KNOWN.finditer(text)]
