"""Breadth-first search: from the goals outwards, one ring of states a step; a state's ring is its distance (Moore 1959).

A point says which state it is, which are its neighbours, and with label 1 that it is a goal (`tasks.ShortestPaths`). One head
of linear attention counts the neighbours reached, ReLU neurons cut the count off at 1, and every step adds 1 to the distance
of what is not reached.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Layer, Neurons, passing
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class BreadthFirst:
    """Rings around the goals. After k steps the prediction is the number of moves to a goal, or k where that is not known yet.

    A query is a state whose own label is not shown, so at least one move is asked for.
    """

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """Moves to a goal as far as they are known after 0, 1, …, `steps` rings."""
        states = self.states(prompts.dim)
        names, known, asked = prompts.xs[..., :states], prompts.xs[..., states:], prompts.queries[..., states:]
        edge = torch.einsum("pns,pms->pnm", known, names) > 0
        out = torch.einsum("pqs,pms->pqm", asked, names) > 0
        reached, seen = prompts.ys > 0, torch.zeros_like(prompts.answers, dtype=torch.bool)
        found = [torch.zeros_like(prompts.answers)]
        for _ in range(steps):
            found.append(found[-1] + ~seen)
            seen = seen | (out & reached.unsqueeze(1)).any(2)
            reached = reached | (edge & reached.unsqueeze(1)).any(2)
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """One head of linear attention and ReLU neurons, in dim + 4 dimensions."""
        expect_size(dim, steps)
        states = self.states(dim)
        space = Space.of(dtype, x=dim, y=1, reached=1, count=1, moves=1)
        name, near = space.read("x").split(states, 1)
        look = Attention(near, name, space.read("reached"), space.write("count"), work=True)
        step = Layer((self._walking(space), look, self._cut(space)))
        begin = passing(space.read("y"), space.write("reached"))
        layers = (Layer((begin, *step.parts)), *(step,) * (steps - 1))
        return Stack(space, labelled, layers, space.read("moves")[:, 0])

    def states(self, dim: int) -> int:
        """How many states problems of `dim` coordinates have: a name, and as many neighbours."""
        if dim % 2 or not dim:
            raise ValueError(
                f"problems of {dim} dimensions are no graphs; expected twice as many as states: draw them from ShortestPaths"
            )
        return dim // 2

    @staticmethod
    def _walking(space: Space) -> Neurons:
        """A neuron that adds 1 to the moves of what is not reached: relu(1 − reached)."""
        return Neurons(-space.read("reached"), torch.ones(1, dtype=space.dtype), space.write("moves"))

    @staticmethod
    def _cut(space: Space) -> Neurons:
        """Neurons that make `reached` the smaller of 1 and reached + count, relu(sum) − relu(sum − 1), and clear the count."""
        reached, count = space.read("reached"), space.read("count")
        read = torch.cat([reached + count, reached + count, reached, count], 1)
        bias = torch.tensor([0.0, -1.0, 0.0, 0.0], dtype=space.dtype)
        out = space.write("reached")
        return Neurons(read, bias, torch.cat([out, -out, -out, -space.write("count")]))
