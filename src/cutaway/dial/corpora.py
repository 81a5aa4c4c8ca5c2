"""What networks of the dial are trained on, held to and asked: tiny Python, and the standard library's code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

import torch
from jaxtyping import Int
from torch import Tensor

from cutaway.dial.tasks import Task, tasks
from cutaway.dial.tiny_python import TinyPython
from cutaway.training.checkpoint import content
from cutaway.training.windows import Windows

if TYPE_CHECKING:
    from tokenizers import Tokenizer

HELD_OUT = 1_000_000_007
"""The seed of tiny Python's held-out stream: no run's own."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """Streams of tokens with the tasks that can be asked of who learned them.

    `stream(tokens, seed)` is what a run of so many tokens is trained on; no text of it is in `held_out`. `begins` is the
    token that a text begins with, `line` the one after which a window may begin, `context` how long windows usually are.
    """

    name: str
    tokenizer: Tokenizer
    stream: Callable[[int, int], Int[Tensor, "stream"]]
    held_out: Int[Tensor, "stream"]
    tasks: tuple[Task, ...]
    begins: int
    line: int
    context: int

    @property
    def vocab(self) -> int:
        """How many tokens there are."""
        return self.tokenizer.get_vocab_size()

    @property
    def hash(self) -> str:
        """The sha256 of the held-out stream: corpora that differ differ here."""
        return hashlib.sha256(content(self.held_out)).hexdigest()

    @property
    def windows(self) -> Windows:
        """Half of the windows begin as a prompt does: with the token that begins a text."""
        return Windows(self.begins, self.line)

    def sample(self, count: int, context: int) -> Int[Tensor, "window position"]:
        """The first windows of the held-out stream, side by side: at most `count`."""
        rows = min(count, len(self.held_out) // context)
        return self.held_out[: rows * context].view(rows, context)


def corpus_named(name: str) -> Corpus:
    """ "tiny" or "library"; ValueError for any other name. A corpus is read once in a process."""
    if name not in CORPORA:
        near = get_close_matches(name, CORPORA, n=1, cutoff=0.4) or sorted(CORPORA)
        raise ValueError(f"there is no corpus {name!r}; did you mean {' or '.join(near)}?")
    return CORPORA[name]()


@cache
def tiny() -> Corpus:
    """Tiny Python: fresh programs for every seed, about 65 thousand tokens held out."""
    python = TinyPython()
    begins = python.encode("")[0]
    return Corpus(
        "tiny",
        python.tokenizer(),
        lambda tokens, seed: python.stream(tokens, seed),
        python.stream(2**16, HELD_OUT),
        tasks(python),
        begins,
        begins,
        context=64,
    )


@cache
def library() -> Corpus:
    """The standard library's code in 1,024 byte-pair tokens; every run is trained on windows of the same text.

    Reading it takes some seconds: the tokenizer is learned from it.
    """
    from cutaway.training.corpus import standard_library
    from cutaway.training.tokenizer import stream, train_tokenizer

    texts = standard_library()
    tokenizer = train_tokenizer(texts.train)
    train = stream(tokenizer, texts.train)
    begins, line = tokenizer.encode("\n").ids
    return Corpus(
        "library",
        tokenizer,
        lambda tokens, seed: train,
        stream(tokenizer, texts.validation)[: 2**17],
        tasks(tokenizer),
        begins,
        line,
        context=128,
    )


CORPORA: dict[str, Callable[[], Corpus]] = {"tiny": tiny, "library": library}


def texts_of(name: str, context: int, count: int = 64) -> tuple[str, ...] | None:
    """Texts of a corpus that fit into a network's context, to take means and donors from; None where there are no special ones.

    Tiny Python's tokenizer reads nothing else; a network of the library reads any code.
    """
    if name != "tiny":
        return None
    python = TinyPython()
    return tuple(python.decode(python.encode(text)[1:context]) for text in python.programs(count, HELD_OUT))


def log_frequencies(tokens: Int[Tensor, "stream"], vocab: int) -> Tensor:
    """For each token the log of how often each other follows it, [vocab, vocab]; unseen ones count as a tenth."""
    pairs = torch.bincount(tokens[:-1] * vocab + tokens[1:], minlength=vocab * vocab).view(vocab, vocab) + 0.1
    return (pairs / pairs.sum(1, keepdim=True)).log()
