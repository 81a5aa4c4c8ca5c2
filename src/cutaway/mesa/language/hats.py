"""Hat matrices of a language model: how the label difference at each demonstration's input changes with each demonstration's label.

H_l[i, j] = ∂f_l(x_i) / ∂y_j, by putting each input as the query and changing each label for the other one: n + 1 prompts an input.
They need no coordinates of the inputs. What an iterative method on one kernel has done by layer l is a polynomial of one symmetric
matrix: its hat matrices are symmetric, commute, and change their shape, strong directions first. Counting labels, or seeing the
latest ones better, is the same for every query and column: both are taken out (`centred`) before a sign is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.language.over_tasks import OverTasks
from cutaway.mesa.language.shots import Shots, joined

Reading = Callable[[Shots], Float[Tensor, "layer prompt"]]
"""The label difference that each layer foretells, up to a constant that prompts of the same labels share."""
Hats = Float[Tensor, "layer prompt shot label"]
READABLE = 0.25
"""Of a layer's lens: a share of variance explained below which its hat matrix is not judged."""


def hats(read: Reading, shots: Shots) -> Hats:
    """The hat matrices of every prompt after 0, 1, …, depth layers: count · n · (n + 1) prompts are read."""
    size = shots.shots
    if not size:
        raise ValueError("these prompts show no demonstrations, so they have no hat matrix; expected few-shot prompts")
    every = joined([changed.asking(i) for changed in (shots, *map(shots.flipped, range(size))) for i in range(size)])
    found = read(every).unflatten(1, (1 + size, size, shots.count))
    return torch.einsum("ljip,pj->lpij", found[:, :1] - found[:, 1:], shots.ys.to(found.dtype) / 2)


def centred(found: Hats) -> Hats:
    """Without what is the same for all queries, and what is the same for all labels."""
    found = found - found.mean(-2, keepdim=True)
    return found - found.mean(-1, keepdim=True)


def alike(one: Float[Tensor, "... row column"], other: Float[Tensor, "... row column"]) -> Float[Tensor, "..."]:
    """The cosine between matrices; NaN where one of them is nothing."""
    sizes = one.square().sum((-1, -2)).sqrt() * other.square().sum((-1, -2)).sqrt()
    return torch.where(sizes > 1e-12, (one * other).sum((-1, -2)) / sizes, float("nan"))


@dataclass(frozen=True)
class HatSigns:
    """Signs read off hat matrices, each a mean over tasks; `crossed` is the symmetry with the transpose of another task's.

    `symmetry`: the cosine between the last matrix and its transpose (1: symmetric, 0: nothing to do with it); `one_layer`
    is that after the first block. `commutation`: 1 − the commutator of layers with the last over that with the same turned at
    random (1: they commute). `growth`: 1 − the cosine between a layer's matrix and the last. `order`: how much further the
    stronger half of the last matrix's directions has come in earlier layers than the weaker half. `specific`: the share of the
    last matrix that is not the same for all queries or all labels; `size` is that of all of it. Signs between layers are means
    over the `readable` ones before the last. NaN: there is nothing to read.
    """

    symmetry: OverTasks
    crossed: float
    one_layer: OverTasks
    commutation: OverTasks
    growth: OverTasks
    order: OverTasks
    specific: OverTasks
    size: float
    readable: int

    @classmethod
    def of(cls, found: Hats, explained: tuple[float, ...] | None = None, seed: int = 0) -> HatSigns:
        """From hat matrices of a few tasks; layers that the lens explains too little of are left out."""
        seen = range(1, len(found) - 1)
        layers = [layer for layer in seen if explained is None or explained[layer] >= READABLE]
        own = centred(found.double())
        first, last = own[:2][-1], own[-1]
        return cls(
            OverTasks.mean(alike(last, last.mT)),
            float(alike(last, last.roll(1, 0).mT).mean()) if last.shape[0] > 1 else float("nan"),
            OverTasks.mean(alike(first, first.mT)),
            OverTasks.mean(_over(layers, lambda layer: 1 - _commutator(own[layer], last, seed), last)),
            OverTasks.mean(_over(layers, lambda layer: 1 - alike(own[layer], last), last)),
            OverTasks.mean(_over(layers, lambda layer: _lead(own[layer], last), last)),
            OverTasks.mean(last.square().sum((-1, -2)) / found[-1].double().square().sum((-1, -2))),
            float(found[-1].square().sum((-1, -2)).mean().sqrt()),
            len(layers),
        )


def _over(layers: list[int], sign: Callable[[int], Tensor], last: Tensor) -> Float[Tensor, "prompt"]:
    if not layers:
        return torch.full(last.shape[:1], float("nan"), dtype=torch.float64)
    return torch.stack([sign(layer) for layer in layers]).mean(0)


def _commutator(one: Tensor, last: Tensor, seed: int) -> Float[Tensor, "prompt"]:
    """Over that of the same matrix turned at random."""
    generator = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(one.shape, generator=generator, dtype=one.dtype)).Q
    sizes = [(each @ last - last @ each).square().sum((-1, -2)).sqrt() for each in (one, turn @ one @ turn.mT)]
    return sizes[0] / sizes[1]


def _lead(one: Tensor, last: Tensor) -> Float[Tensor, "prompt"]:
    """What share of the last matrix's strong directions is there, less that of the weak ones, within ±2."""
    values, vectors = torch.linalg.eigh((last + last.mT) / 2)
    order = values.abs().argsort(-1)
    there = torch.einsum("pik,pij,pjk->pk", vectors, one, vectors).gather(-1, order)
    values = values.gather(-1, order)
    half = values.shape[-1] // 2
    strong, weak = (
        (there * values)[:, part].sum(-1) / values[:, part].square().sum(-1)
        for part in (slice(half, None), slice(half))
    )
    return (strong - weak).clamp(-2, 2)
