"""Passages as token ids, and which tokens count: all of a text, or those that touch its spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cutaway.concepts.read.question import Passage
from cutaway.network import Network, TextFeed


@dataclass(frozen=True)
class Tokens:
    """The ids of a passage, and the places that count; `places` is empty where all of them do."""

    ids: tuple[int, ...]
    places: tuple[int, ...] = ()


def tokens_of(net: Network, passages: Sequence[Passage]) -> list[Tokens]:
    """Each passage through the network's tokenizer.

    Raises TypeError if the network reads no text, ValueError if a span meets no token or cannot be placed.
    """
    feed = net.feed
    if not isinstance(feed, TextFeed):
        raise TypeError(
            f"{net.name} was opened without a tokenizer; a concept is text: open it with feed=tokenizer, "
            "or give the readings of a network of your own to Directions"
        )
    rows, _ = feed.rows([passage.text for passage in passages])
    return [
        Tokens(tuple(ids), _places(feed.tokenizer, passage, ids) if passage.spans else ())
        for passage, ids in zip(passages, rows)
    ]


def _places(tokenizer: Any, passage: Passage, ids: Sequence[int]) -> tuple[int, ...]:
    """The tokens that share a character with a span."""
    offsets = _offsets(tokenizer, passage.text, ids)
    found = tuple(
        place
        for place, (start, stop) in enumerate(offsets)
        if any(start < end and begin < stop for begin, end in passage.spans)
    )
    if not found:
        raise ValueError(
            f"no token of {passage.text!r} lies in its spans {list(passage.spans)}; expected at least one; "
            "count characters, and see that the tokenizer keeps them"
        )
    return found


def _offsets(tokenizer: Any, text: str, ids: Sequence[int]) -> list[tuple[int, int]]:
    """Where each token begins and ends, in characters: as the tokenizer says, else by decoding one after another."""
    inner = getattr(tokenizer, "inner", tokenizer)
    if getattr(inner, "is_fast", False):  # Hugging Face's
        return [(a, b) for a, b in inner(text, return_offsets_mapping=True)["offset_mapping"]]
    if hasattr(inner, "get_vocab_size"):  # of the package tokenizers
        return [(a, b) for a, b in inner.encode(text).offsets]
    pieces = [tokenizer.decode([one]) for one in ids]
    if "".join(pieces) != text:
        raise ValueError(
            f"{text!r} has spans, and this tokenizer does not say where its tokens lie; expected a fast tokenizer, or one "
            "whose tokens decode to the text; try the same concept without spans"
        )
    ends = [len("".join(pieces[: index + 1])) for index in range(len(pieces))]
    return [(end - len(piece), end) for piece, end in zip(pieces, ends)]
