"""Networks of which it is known whether a concept is natural: every word's vector is written, and a text's parts share latents.

A text has its own words, met in no other, so that what a network does not know of them nobody can learn from other texts.
The concept's latent L is in the words of those parts that tell it; `shared` further latents, which have nothing to do with
the concept, are in the words of all parts. Whatever else a vector holds is noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.concepts.concept import Concept, Control
from cutaway.network import Network, wrap
from cutaway.runs.table import Table

SITE = "path.told:out"
WIDTH = 24
WORDS = 3  # of a part
STRENGTH, OTHERS = 1.5, 2.0  # of L and of what else is shared, in units of a part's noise


@dataclass(frozen=True)
class Plant:
    """Which parts tell the concept, how many further latents all parts share, and what must be said of it."""

    tells: tuple[bool, ...]
    shared: int
    redundant: bool
    mediates: bool


KINDS = {
    "natural": Plant((True, True), 0, True, True),
    "redundant only": Plant((True, True), 3, True, False),
    "mediating only": Plant((True, True, False), 0, False, True),
    "neither": Plant((True, False), 3, False, False),
    "nothing": Plant((False, False), 0, False, False),
}


class OwnWords:
    """A tokenizer of words that are numbers."""

    def encode(self, text: str) -> list[int]:
        """The numbers."""
        return [int(word) for word in text.split()]

    def decode(self, ids: Sequence[int]) -> str:
        """The numbers with spaces between."""
        return " ".join(map(str, ids))


class Planted(nn.Module):
    """Looks every word up and tells its vector, turned."""

    def __init__(self, vectors: Tensor, turn: Tensor) -> None:
        super().__init__()
        self.table = nn.Embedding.from_pretrained(vectors, freeze=False)
        self.told = nn.Linear(len(turn), len(turn), bias=False)
        with torch.no_grad():
            self.told.weight.copy_(turn)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Vectors [batch, position, width]."""
        return self.told(self.table(input_ids))


def planted(kind: str, seed: int, rows: int = 100, shuffled: bool = False) -> tuple[Network, Concept]:
    """A network of one of `KINDS`, with its concept: as many positives, negatives and rows of a control.

    L is high in positives, low in the others. `shuffled` labels say nothing.
    """
    plant, drawn = KINDS[kind], torch.Generator().manual_seed(seed)
    parts, every = len(plant.tells), 3 * rows
    latent = torch.full((every, 1 + plant.shared), -STRENGTH)
    latent[:rows, 0] = STRENGTH
    latent[:, 1:] = OTHERS * torch.randn(every, plant.shared, generator=drawn)
    vectors = torch.randn(every, parts, WORDS, WIDTH, generator=drawn) * WORDS**0.5
    vectors[..., : latent.shape[1]] += latent[:, None, None]
    for part, tells in enumerate(plant.tells):
        vectors[:, part, :, 0] -= 0 if tells else latent[:, None, 0]
    turn = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=drawn)).Q
    net = wrap(Planted(vectors.flatten(0, 2), turn).eval(), OwnWords(), name=f"{kind} {seed}")
    length = parts * WORDS
    texts = [" ".join(map(str, range(row * length, (row + 1) * length))) for row in range(every)]
    order = torch.randperm(every, generator=drawn).tolist() if shuffled else range(every)
    labelled: list[dict[str, Any]] = [
        {"text": texts[row], "label": int(place < rows)} for place, row in enumerate(order)
    ]
    made = Table.of(labelled[: 2 * rows])
    control = Control(
        "other", "another reason why L is low", Table.of([{**row, "label": 1} for row in labelled[2 * rows :]])
    )
    return net, Concept("own.latent", "the first latent is high", "knowledge", made, (control,))
