"""Conjugate gradients on XᵀX w = Xᵀy: steps of the best length along directions conjugate to all before (Hestenes, Stiefel
1952).

One work token holds w and what is left, r; another one for every step keeps that step's direction. Linear attention over those
makes r conjugate to all of them, linear attention over the points multiplies it by XᵀX / n, and a `Normalised` unit divides by
its length in that metric. No stock transformer has that unit: this network is no transformer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Gated, Layer, Normalised, Part, erasing, inverse_root, passing
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Beside, Stack


@dataclass(frozen=True)
class ConjugateGradient:
    """Steps that need no rate and end after as many as there are dimensions; where nothing is left, it stays where it is.

    With exact numbers a direction need only be made conjugate to the one before. In floating point that short recurrence
    forgets the older ones: rounding in the sixteenth digit was found to grow to the ninth within ten steps. Hence all are
    kept. Where the squared length of a direction is `floor` or less, nothing is left; a float32 stack in another basis needs
    about 1e-9.
    """

    floor: float = 1e-24

    def __post_init__(self) -> None:
        expect_between(self, "floor", 0)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Predictions after 0, 1, …, `steps` steps."""
        weights = prompts.xs.new_zeros(prompts.count, prompts.dim)
        left = torch.einsum("pnd,pn->pd", prompts.xs, prompts.ys) / prompts.points
        ways, images = left.new_zeros(2, prompts.count, 0, prompts.dim)
        found = [torch.einsum("pqd,pd->pq", prompts.queries, weights)]
        for _ in range(steps):
            way = left - torch.einsum("pkd,pke,pe->pd", ways, images, left)
            image = torch.einsum("pnd,pne,pe->pd", prompts.xs, prompts.xs, way) / prompts.points
            scale = inverse_root((way * image).sum(1, keepdim=True), self.floor)
            way, image = way * scale, image * scale
            length = (way * left).sum(1, keepdim=True)
            weights, left = weights + length * way, left - length * image
            ways, images = torch.cat([ways, way.unsqueeze(1)], 1), torch.cat([images, image.unsqueeze(1)], 1)
            found.append(torch.einsum("pqd,pd->pq", prompts.queries, weights))
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """Linear attention, bilinear units and a norm on 1 + steps work tokens, in 7 dim + steps + 4 dimensions."""
        expect_size(dim, steps)
        sizes = {"x": dim, "y": 1, "answer": 1, "here": 1, "turn": steps, "length": 1}
        space = Space.of(dtype, **sizes, w=dim, left=dim, way=dim, image=dim, unit=dim, dual=dim)
        begin = Attention(space.read("here"), space.read("y"), space.read("x"), space.write("left"))
        layers = [self._step(space, step) for step in range(steps)]
        layers[0] = (begin, *layers[0])
        rows = Beside(space.write("here", "turn"))
        return Stack(space, rows, tuple(map(Layer, layers)), space.read("answer")[:, 0], work=1 + steps)

    def _step(self, space: Space, step: int) -> tuple[Part, ...]:
        """A new direction, the step along it, its record, and w·x to every token."""
        names = ("x", "here", "w", "left", "way", "image", "unit", "dual")
        x, here, w, left, way, image, unit, dual = (space.read(name) for name in names)
        turn = space.read("turn")[:, [step]]
        both, ones = space.read("unit", "dual"), torch.ones(space.sized("x"), 1, dtype=space.dtype)
        length = space.read("length").expand(-1, 2 * space.sized("x"))
        return (
            _recalled(left, dual, unit, -space.write("way")),
            passing(left, space.write("way")),
            Attention(way, x, x, space.write("image")),
            Normalised((way, image), space.read("way", "image"), space.write("unit", "dual"), self.floor),
            Gated(unit, left, ones @ space.write("length")),
            Gated(length, both, torch.cat([space.write("w"), -space.write("left")])),
            _recalled(turn, here, both, space.write("unit", "dual")),
            _recalled(here, here, both, -space.write("unit", "dual")),
            erasing(space, "way", "image", "length", "answer"),
            _recalled(x, w, here, space.write("answer")),
        )


def _recalled(query: Tensor, key: Tensor, value: Tensor, out: Tensor) -> Attention:
    """A head of linear attention over the work tokens."""
    return Attention(query, key, value, out, work=True, points=False)
