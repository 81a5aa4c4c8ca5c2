"""Common English words in eight categories, and words that name nothing of them to serve as labels. Written here, from no list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from cutaway.network.batch import Tokenizer

CATEGORIES: dict[str, str] = {
    "animal": "dog cat horse cow pig sheep goat wolf bear lion tiger mouse rabbit fox deer monkey elephant whale frog snake",
    "food": "bread rice cheese butter soup cake egg meat salt sugar honey pasta pizza salad beef chicken cream toast pie ham",
    "tool": "hammer knife axe drill saw shovel brush rope nail wheel ladder needle pump lever fork spoon hook blade pen wire",
    "body": "hand foot arm leg head neck nose ear eye mouth knee finger toe heart skin bone shoulder chest lip tongue",
    "clothing": "shirt coat hat shoe dress skirt glove belt jacket sock boot scarf tie suit cap robe jeans vest cloak sweater",
    "place": "river mountain island forest desert lake beach valley city village town street park garden farm bridge hill cave",
    "colour": "red blue green yellow black white brown pink purple orange gray gold silver violet crimson cyan tan beige",
    "weather": "rain snow wind storm fog ice cloud thunder sun frost heat cold hail mist breeze sky flood drought lightning dew",
}
BETWEEN, AFTER, SAY, FOR = ":", "\n", "Say", " for"
TEXTS = (BETWEEN, AFTER, SAY, FOR)
"""What stands in prompts beside words."""
LABELS = (
    "note fact item case plan rule part side form kind step idea task goal deal team club card game song page line word list "
    "unit area zone rank class group level phase point value copy draft index title theme topic"
)


@dataclass(frozen=True)
class Lexicon:
    """Words that are one token each: those of every category, those to label with, and the categories' own names.

    `pieces` are other texts as tokens, such as a colon; `opening` is what a tokenizer puts before every text.
    """

    categories: Mapping[str, tuple[int, ...]]
    labels: tuple[int, ...]
    names: Mapping[str, int]
    pieces: Mapping[str, tuple[int, ...]]
    opening: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        short = [name for name, words in self.categories.items() if len(words) < 4]
        if len(self.categories) < 2 or short or len(self.labels) < 4:
            raise ValueError(
                f"{len(self.categories)} categories of words that are one token each and {len(self.labels)} labels were found; "
                "expected 2 categories of at least 4 words, and 4 labels: try a tokenizer of whole words, or Lexicon.arbitrary"
            )
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("two label words share a token; expected one token for each: leave one of them out")

    @classmethod
    def of(cls, tokenizer: Tokenizer, texts: Sequence[str] = TEXTS) -> Lexicon:
        """The words, with a space before, that this tokenizer has one token for; `texts` are encoded too."""
        categories = {name: _single(tokenizer, words.split()) for name, words in CATEGORIES.items()}
        names = {name: token for name in CATEGORIES for token in _single(tokenizer, [name])}
        enough = {name: words for name, words in categories.items() if len(words) >= 4 and name in names}
        opening = tuple(tokenizer.encode(""))
        pieces = {text: tuple(tokenizer.encode(text))[len(opening) :] for text in texts}
        labels = _single(tokenizer, LABELS.split())
        return cls(enough, labels, {name: names[name] for name in enough}, pieces, opening)

    @classmethod
    def arbitrary(cls, vocabulary: int, seed: int = 0, texts: Sequence[str] = TEXTS) -> Lexicon:
        """Random tokens in the place of words, for a network without a tokenizer: there is nothing to know of the categories."""
        if vocabulary < 64:
            raise ValueError(f"a vocabulary of {vocabulary} tokens was given; expected at least 64 to draw words of")
        tokens = torch.randperm(vocabulary, generator=torch.Generator().manual_seed(seed)).tolist()
        size = min(20, (vocabulary - 8 - len(texts)) // 12)
        drawn = iter(tokens)
        categories = {name: tuple(next(drawn) for _ in range(size)) for name in CATEGORIES}
        names = {name: next(drawn) for name in CATEGORIES}
        pieces = {text: (next(drawn),) for text in texts}
        return cls(categories, tuple(next(drawn) for _ in range(2 * size)), names, pieces)


def _single(tokenizer: Tokenizer, words: Sequence[str]) -> tuple[int, ...]:
    """The tokens of words that are one each; a token that a tokenizer puts before every text is left off."""
    always = len(tokenizer.encode(""))
    found = [tuple(tokenizer.encode(f" {word}"))[always:] for word in words]
    return tuple(dict.fromkeys(ids[0] for ids in found if len(ids) == 1))
