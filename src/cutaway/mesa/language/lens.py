"""A lens for label differences: what a layer's residual stream will come to mean for logit(one label) − logit(other).

Fitted on pairs of prompts that are mirrors of each other, of other tasks: half of what is different between them after a layer is
mapped to half of what is different before the unembedding, linearly, a multiple of itself plus a ridge regression whose penalty is
chosen by leaving pairs out. It aims at the network's *own* final difference, never at the truth. A tuned lens (Belrose et al. 2023,
arXiv 2303.08112), so that an answer that was finished at once and faded in is read as finished from the first layer on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.language.streams import Streams

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 1e9)
"""Of the ridge, in units of the mean eigenvalue; with the last one only the multiple is left."""


@dataclass(frozen=True)
class LabelLens:
    """For every layer its `gains`, the pairs that it was fitted on and their `weights`, and the share of variance `explained`.

    `explained` is of the final differences of pairs that were left out; it is 0 where the layer holds nothing of them.
    """

    gains: Float[Tensor, "layer"]
    pairs: Float[Tensor, "layer pair width"]
    weights: Float[Tensor, "layer pair width"]
    explained: tuple[float, ...]

    @classmethod
    def fitted(cls, halves: Streams, directions: Float[Tensor, "pair width"]) -> LabelLens:
        """From half the differences between prompts and their mirrors; `directions` are those of their labels."""
        if halves.layers.shape[-1] != halves.final.shape[-1]:
            raise ValueError(
                f"the stream has {halves.layers.shape[-1]} channels and the unembedding reads {halves.final.shape[-1]}; "
                "expected as many: a network that projects between them cannot be read by this lens"
            )
        found = [_fitted(layer.double(), halves.final.double(), directions.double()) for layer in halves.layers]
        gains, weights, explained = zip(*found, strict=True)
        return cls(torch.tensor(gains), halves.layers.double(), torch.stack(weights), tuple(explained))

    def read(
        self, layers: Float[Tensor, "layer row width"], directions: Float[Tensor, "row width"]
    ) -> Float[Tensor, "layer row"]:
        """The label difference that each layer foretells; of differences between prompts it is exact, else up to a constant."""
        rows, directions = layers.double(), directions.double()
        own = self.gains[:, None] * torch.einsum("lrw,rw->lr", rows, directions)
        near = torch.einsum("lrw,lpw->lrp", rows, self.pairs)
        return own + torch.einsum("lrp,lpr->lr", near, self.weights @ directions.T)


def _fitted(before: Tensor, after: Tensor, directions: Tensor) -> tuple[float, Tensor, float]:
    """The gain, the ridge's weights and the share explained of one layer."""
    size = before.square().sum()
    if size <= 1e-12 * after.square().sum().clamp(min=1e-30):
        return 0.0, torch.zeros_like(after), 0.0
    gain = (before * after).sum() / size
    rest, aim = after - gain * before, (after * directions).sum(1)
    values, vectors = torch.linalg.eigh(before @ before.T)
    values = values.clamp(min=0)
    best, weights = inf, torch.zeros_like(after)
    for penalty in PENALTIES:
        over = values.mean() * penalty
        inverse = vectors / (values + over) @ vectors.T
        left = (inverse @ rest) / inverse.diagonal()[:, None]  # each pair's error when it is left out
        error = float(((left * directions).sum(1)).square().sum())
        if error < best:
            best, weights = error, inverse @ rest
    return float(gain), weights, max(0.0, 1 - best / float(aim.square().sum().clamp(min=1e-30)))
