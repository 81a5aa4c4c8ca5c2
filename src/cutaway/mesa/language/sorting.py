"""Few-shot sorting of words for any language model: two arbitrary words as labels, and a split of the inputs drawn afresh.

A *novel* task cannot be looked up: its labels are words that name nothing of it, and what they stand for is drawn for the prompt.
A *familiar* one puts one category on a side and calls it by its own name. By category, the query is a word that was not shown, of
a category that was: it takes knowing the words and learning the split. By word, every word gets its side at random and the query
is one of those shown: to copy the label that followed it is enough (an induction head), so that learning more is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

from cutaway.mesa.language.shots import Layout, Shots, joined
from cutaway.mesa.language.words import AFTER, BETWEEN, Lexicon


@dataclass(frozen=True)
class Sorting:
    """Prompts `word: label⏎word: label⏎…word:` of `shots` demonstrations; the split is `by` category or by word.

    `aside` is how many categories stand on each side of a novel task.
    """

    lexicon: Lexicon
    shots: int = 16
    by: Literal["category", "word"] = "category"
    aside: int = 2

    def __post_init__(self) -> None:
        if self.shots < 2:
            raise ValueError(f"Sorting.shots is {self.shots}; expected at least 2: one demonstration of each label")
        if self.by not in ("category", "word"):
            raise ValueError(f"Sorting.by is {self.by!r}; expected 'category' or 'word'")
        if not 1 <= self.aside <= len(self.lexicon.categories) // 2:
            raise ValueError(
                f"Sorting.aside is {self.aside}; expected 1 to {len(self.lexicon.categories) // 2}: half of the categories at most"
            )
        missing = [text for text in (BETWEEN, AFTER) if text not in self.lexicon.pieces]
        if missing:
            raise ValueError(f"the lexicon has no tokens for {missing}; make it with texts={[BETWEEN, AFTER]}")

    def draw(self, count: int, seed: int, novel: bool = True) -> Shots:
        """So many tasks, one prompt each."""
        generator = torch.Generator().manual_seed(seed)
        drawn = joined([self._one(generator, novel) for _ in range(count)])
        return Shots(
            drawn.ids, drawn.slots, drawn.items, drawn.query, drawn.labels, drawn.truth, torch.arange(count), novel
        )

    def _one(self, generator: torch.Generator, novel: bool) -> Shots:
        of = Split.drawn(self.lexicon, self.aside if novel else 1, novel, generator)
        ys = _balanced(self.shots + 1, generator)
        inputs = torch.empty_like(ys)
        for sign, side in ((1, of.left), (-1, of.right)):
            inputs[ys == sign] = _distinct(side, int((ys == sign).sum()), generator)
        if self.by == "word":
            ys = torch.where(torch.rand(len(ys), generator=generator) < 0.5, 1, -1) if novel else ys
            shown = int(torch.randint(self.shots, (), generator=generator))
            inputs[-1], ys[-1] = inputs[shown], ys[shown]
        layout = Layout(self.lexicon.opening, self.lexicon.pieces[BETWEEN], self.lexicon.pieces[AFTER])
        return layout.written(inputs[None, :, None], ys[None, :-1], torch.tensor(of.labels)[None], ys[-1:], novel=novel)


@dataclass(frozen=True)
class Split:
    """Two label tokens, the words of either side, and the name of the first category on either side."""

    labels: tuple[int, int]
    left: tuple[int, ...]
    right: tuple[int, ...]
    names: tuple[int, int]

    @classmethod
    def drawn(cls, lexicon: Lexicon, aside: int, novel: bool, generator: torch.Generator) -> Split:
        """So many categories for either side; novel labels are arbitrary words, familiar ones the categories' names."""
        every = list(lexicon.categories)
        order = [every[place] for place in torch.randperm(len(every), generator=generator)[: 2 * aside].tolist()]
        sides = [
            tuple(word for name in half for word in lexicon.categories[name]) for half in (order[:aside], order[aside:])
        ]
        first, second = torch.randperm(len(lexicon.labels), generator=generator)[:2].tolist()
        names = lexicon.names[order[0]], lexicon.names[order[aside]]
        return cls((lexicon.labels[first], lexicon.labels[second]) if novel else names, sides[0], sides[1], names)


def _balanced(count: int, generator: torch.Generator) -> Int[Tensor, "shot"]:
    """Labels of which the first `count` − 1 are half one and half the other, as far as that goes; the last is either."""
    shown = torch.where(torch.arange(count - 1) % 2 == 0, 1, -1)[torch.randperm(count - 1, generator=generator)]
    return torch.cat([shown, 2 * torch.randint(2, (1,), generator=generator) - 1])


def _distinct(words: tuple[int, ...], count: int, generator: torch.Generator) -> Int[Tensor, "shot"]:
    """Different words."""
    if count > len(words):
        raise ValueError(
            f"{count} different words were asked for on one side of a task, which has {len(words)}; "
            "give fewer shots, or more categories on a side (aside=…)"
        )
    return torch.tensor(words)[torch.randperm(len(words), generator=generator)[:count]]
