"""Zero-shot prompts: an instruction says which label word stands for which category, and no example is shown.

A *novel* instruction uses arbitrary label words, so that only reading it can tell the answer; a *familiar* one uses the categories'
own names. The two label words of the instruction are the prompt's label slots: in its mirror they are exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from cutaway.mesa.language.shots import Shots
from cutaway.mesa.language.sorting import Split
from cutaway.mesa.language.words import AFTER, BETWEEN, FOR, SAY, TEXTS, Lexicon


@dataclass(frozen=True)
class Instructions:
    """Prompts `Say A for animal⏎Say B for tool⏎hammer:`; the next token should be B."""

    lexicon: Lexicon

    def __post_init__(self) -> None:
        missing = [text for text in TEXTS if text not in self.lexicon.pieces]
        if missing:
            raise ValueError(f"the lexicon has no tokens for {missing}; make it with texts={list(TEXTS)}")

    def draw(self, count: int, seed: int, novel: bool = True) -> Shots:
        """So many instructions, each a task."""
        generator = torch.Generator().manual_seed(seed)
        of, tasks = self.lexicon.pieces, [Split.drawn(self.lexicon, 1, novel, generator) for _ in range(count)]
        right = torch.randint(2, (count,), generator=generator).tolist()
        swaps = torch.randint(2, (count,), generator=generator).tolist()  # either label is named first
        rows = [self._written(*drawn, generator) for drawn in zip(tasks, right, swaps, strict=True)]
        step = len(of[SAY]) + 1 + len(of[FOR]) + 1 + len(of[AFTER])
        slots = len(self.lexicon.opening) + len(of[SAY]) + step * torch.arange(2)
        none, query = torch.empty(0, 1, dtype=torch.long), torch.tensor([len(self.lexicon.opening) + 2 * step])
        labels, truth = torch.tensor([task.labels for task in tasks]), 1 - 2 * torch.tensor(right)
        return Shots(torch.tensor(rows), slots, none, query, labels, truth, torch.arange(count), novel)

    def _written(self, task: Split, right: int, swap: int, generator: torch.Generator) -> list[int]:
        of, words = self.lexicon.pieces, (task.left, task.right)[right]
        says = [
            [*of[SAY], label, *of[FOR], name, *of[AFTER]] for label, name in zip(task.labels, task.names, strict=True)
        ]
        word = words[int(torch.randint(len(words), (), generator=generator))]
        return [*self.lexicon.opening, *says[swap], *says[1 - swap], word, *of[BETWEEN]]
