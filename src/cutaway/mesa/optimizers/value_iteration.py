"""Value iteration: V(s) ← max over actions of what lies one move on, reward + discount · V (Bellman 1957).

A point says which state it is, where each action leads and what arriving there is worth (`tasks.Planning`). One head of linear
attention an action looks that up, as names are one-hot; ReLU neurons take the larger of two, b + relu(a − b).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.optimizers.optimizer import expect_between, expect_size
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.parts import Attention, Layer, Neurons, passing
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack, labelled


@dataclass(frozen=True)
class ValueIteration:
    """Sweeps over all states at once, from V = 0; each looks one move further ahead. A state that no point names is worth 0."""

    actions: int = 2
    discount: float = 0.8

    def __post_init__(self) -> None:
        expect_between(self, "actions", 0)
        expect_between(self, "discount", 0, 1)

    def path(self, prompts: Prompts, steps: int) -> Float[Tensor, "iterate prompt query"]:
        """The values of the states asked after 0, 1, …, `steps` sweeps."""
        states = self.states(prompts.dim)
        names, asked = prompts.xs[..., :states], self._moves(prompts.queries)
        known = self._moves(prompts.xs)
        values, found = torch.zeros_like(prompts.ys), [torch.zeros_like(prompts.answers)]
        for _ in range(steps):
            worth = torch.einsum("pns,pn->ps", names, prompts.ys + self.discount * values)
            values = torch.einsum("pnas,ps->pna", known, worth).amax(2)
            found.append(torch.einsum("pqas,ps->pqa", asked, worth).amax(2))
        return torch.stack(found)

    def compiled(self, dim: int, steps: int, dtype: torch.dtype = torch.float64) -> Stack:
        """A head of linear attention an action, and ReLU neurons, in dim + actions + 2 dimensions."""
        expect_size(dim, steps)
        states = self.states(dim)
        space = Space.of(dtype, x=dim, y=1, value=1, worth=self.actions)
        blocks = space.read("x").split(states, 1)
        worth = space.read("y") + self.discount * space.read("value")
        out = space.write("worth")
        look = [Attention(move, blocks[0], worth, out[[k]], work=True) for k, move in enumerate(blocks[1:])]
        layer = Layer((*look, *self._larger(space), self._kept(space)))
        return Stack(space, labelled, (layer,) * steps, space.read("value")[:, 0])

    def states(self, dim: int) -> int:
        """How many states problems of `dim` coordinates have: a name, and a name where each action leads."""
        states, rest = divmod(dim, self.actions + 1)
        if rest or not states:
            raise ValueError(
                f"problems of {dim} dimensions name no states with {self.actions} actions each; "
                f"expected a multiple of {self.actions + 1}: draw them from Planning(actions={self.actions})"
            )
        return states

    def _moves(self, points: Float[Tensor, "prompt point dim"]) -> Float[Tensor, "prompt point action state"]:
        return points.unflatten(2, (self.actions + 1, -1))[:, :, 1:]

    def _larger(self, space: Space) -> list[Neurons]:
        """Neurons that add to every action's worth what the one before, as it is by then, has more."""
        worth, out = space.read("worth"), space.write("worth")
        none = torch.zeros(1, dtype=space.dtype)
        return [Neurons(worth[:, [a]] - worth[:, [b]], none, out[[b]]) for a, b in pairwise(range(self.actions))]

    @staticmethod
    def _kept(space: Space) -> Neurons:
        """Neurons that make the last action's worth, the largest by now, the value, and clear the others."""
        write = torch.cat([-space.write("value", "worth")])
        write[-1] += space.write("value")[0]
        return passing(space.read("value", "worth"), write)
