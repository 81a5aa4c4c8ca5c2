"""A tokenizer of whole words, so that text prompts reach an organism."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from cutaway.organisms.compiled.organism import Organism


@dataclass(frozen=True)
class Words:
    """Words separated by spaces; a token id is the word's place in `vocabulary`.

    >>> from cutaway.organisms.compiled import Words
    >>> Words(("ant", "bee")).encode("bee ant")
    [1, 0]
    """

    vocabulary: tuple[str, ...]

    def encode(self, text: str) -> list[int]:
        return [self._id(word) for word in text.split()]

    def decode(self, ids: Iterable[int]) -> str:
        return " ".join(self.tokens(ids))

    def tokens(self, ids: Iterable[int]) -> list[str]:
        return [self.vocabulary[token] for token in ids]

    def __call__(self, text: str) -> list[int]:
        return self.encode(text)

    def _id(self, word: str) -> int:
        if word in self.vocabulary:
            return self.vocabulary.index(word)
        near = get_close_matches(word, self.vocabulary, n=3) or self.vocabulary
        raise ValueError(f"the organism has no word {word!r}; try {', '.join(near)}")


def words(organism: Organism) -> Words:
    """The tokenizer of `organism`."""
    return Words(organism.vocabulary)
