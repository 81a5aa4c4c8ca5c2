"""A network whose reading is known: of two words it computes whether their hidden signs agree, which no bag of words tells.

A text is "A and B" of 2 × 24 invented words. The concept holds where the signs agree. The control says "not", so the
concept does not hold in it, whatever the signs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.concepts import Concept, Control
from cutaway.concepts.read.question import Question
from cutaway.network import Network, Site, wrap
from cutaway.runs import Table

WORDS = 24
SITE = "path.told:out"


class Pieces:
    """A tokenizer of words with the space after them, so that tokens decode to the text."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def encode(self, text: str) -> list[int]:
        return [self.known.setdefault(piece, len(self.known)) for piece in re.findall(r"\S+\s*", text)]

    def decode(self, ids: Any) -> str:
        names = list(self.known)
        return "".join(names[one] for one in ids)


def sign(word: int) -> int:
    """A word's hidden sign: half of them are positive, in no order."""
    return 1 if (word * 7) % WORDS < WORDS // 2 else -1


def text(a: int, b: int, negated: bool = False) -> str:
    """Words a and b, joined."""
    return f"left{a} {'and not' if negated else 'and'} right{b} end"


class Agreement(nn.Module):
    """Adds the vectors of the real tokens, multiplies the two signs, and tells it (less a "not") at every position."""

    def __init__(self, tokenizer: Pieces, knows: bool = True, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.table = nn.Embedding(200, 6)
        self.told = nn.Linear(6, 6)
        with torch.no_grad():
            self.told.weight.copy_(torch.eye(6) + 0.1 * torch.randn(6, 6))
            self.told.bias.zero_()
            self.table.weight[:, :3] = 0
            for word in range(WORDS if knows else 0):
                self.table.weight[tokenizer.encode(f"left{word} ")[0], 0] = sign(word)
                self.table.weight[tokenizer.encode(f"right{word} ")[0], 1] = sign(word)
            self.table.weight[tokenizer.encode("not ")[0], 2] = 2.0 if knows else 0.5
        self.forwards = 0

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        self.forwards += 1
        x = (self.table(input_ids) * attention_mask[..., None]).sum(1)
        agree = x[:, 0] * x[:, 1] - x[:, 2]
        hidden = torch.cat([agree[:, None], x[:, 1:]], -1)
        return self.told(hidden[:, None].expand(-1, input_ids.shape[1], -1))


def network(knows: bool = True, seed: int = 0) -> Network:
    """The network, with or without what it knows."""
    tokenizer = Pieces()
    for word in range(WORDS):
        tokenizer.encode(text(word, word, negated=True))
    return wrap(Agreement(tokenizer, knows, seed).eval(), tokenizer, name="agreement")


def agreement(seed: int = 0, rows: int = 240, swapped: bool = False, controls: bool = True) -> Concept:
    """The concept: signs agree; `swapped` calls the disagreeing ones label 1."""
    drawn = torch.Generator().manual_seed(seed)
    couples = torch.randperm(WORDS * WORDS, generator=drawn).tolist()
    made, others = [], []
    for couple in couples[:rows]:
        a, b = couple // WORDS, couple % WORDS
        made.append({"text": text(a, b), "label": int((sign(a) == sign(b)) != swapped)})
        others.append({"text": text(a, b, negated=True), "label": made[-1]["label"], "group": f"{a} {b}"})
        made[-1]["group"] = f"{a} {b}"
    given = (Control("denied", "polarity: said not to be", Table.of(others)),) if controls and not swapped else ()
    return Concept("own.agreement", "two hidden signs agree", "knowledge", Table.of(made), given)


@dataclass(frozen=True)
class Given:
    """Readings that are given, not read."""

    tensors: dict[Site, Tensor]
    sites: tuple[Site, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sites", tuple(self.tensors))

    def at(self, site: Site) -> Tensor:
        return self.tensors[site]


def asked_of(counts: tuple[int, ...], units: Any = None, name: str = "own.noise") -> Question:
    """A question of rows without texts: `counts` of each set, 60 % train, 20 % val, 20 % test."""
    sets = torch.cat([torch.full((count,), number) for number, count in enumerate(counts)])
    splits = [("train", "train", "train", "val", "test")[index % 5] for count in counts for index in range(count)]
    names = tuple(f"contrast {number}" for number in range(1, len(counts)))
    return Question(name, names, (), sets, tuple(splits), tuple(units or range(len(sets))))
