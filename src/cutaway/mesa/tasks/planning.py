"""In-context planning: a new deterministic world in every problem, and the question what a state in it is worth.

A point is a state, (its name, where action 1 leads, where action 2 leads, …), all one-hot; its label is the reward of arriving
there. A query is a state written alike. The answer is the best discounted sum of rewards from it on, by Bellman's equation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.mesa.prompts import Prompts


@dataclass(frozen=True)
class Planning:
    """Worlds of so many `states`, each with as many `actions`, that lead anywhere; every reward is drawn from N(0, 1).

    Every state is a point once. `queries` of them are asked.
    """

    states: int = 8
    actions: int = 2
    queries: int = 8
    discount: float = 0.8

    def __post_init__(self) -> None:
        if self.states < 2 or self.actions < 1 or not 1 <= self.queries <= self.states:
            raise ValueError(
                f"states={self.states}, actions={self.actions}, queries={self.queries}; "
                "expected 2 states or more, an action or more, and 1 to `states` queries"
            )
        if not 0 < self.discount < 1:
            raise ValueError(f"Planning.discount is {self.discount}; expected a number between 0 and 1, both excluded")

    @property
    def dim(self) -> int:
        """A name, and a name for every action."""
        return self.states * (1 + self.actions)

    @property
    def points(self) -> int:
        """Every state is one."""
        return self.states

    def draw(self, count: int, seed: int, novel: bool = True) -> Prompts:
        """So many worlds, in float64; there is no pool, so that all are novel."""
        generator = torch.Generator().manual_seed(seed)
        moves = torch.randint(self.states, (count, self.states, self.actions), generator=generator)
        rewards = torch.randn(count, self.states, generator=generator, dtype=torch.float64)
        names = torch.eye(self.states, dtype=torch.float64).expand(count, -1, -1)
        leads = torch.nn.functional.one_hot(moves, self.states).double().flatten(2)
        xs = torch.cat([names, leads], 2)
        asked = torch.rand(count, self.states, generator=generator).argsort(1)[:, : self.queries]
        rows = asked.unsqueeze(2).expand(-1, -1, self.dim)
        return Prompts(xs, rewards, xs.gather(1, rows), self.values(moves, rewards).gather(1, asked))

    def values(
        self, moves: Int[Tensor, "prompt state action"], rewards: Float[Tensor, "prompt state"]
    ) -> Float[Tensor, "prompt state"]:
        """The fixed point of V(s) = max over actions of reward + discount · V where the action leads."""
        values, change = torch.zeros_like(rewards), 1.0
        while change > 1e-14:
            worth = (rewards + self.discount * values).unsqueeze(1).expand(-1, self.states, -1)
            before, values = values, worth.gather(2, moves).amax(2)
            change = (values - before).abs().max().item()
        return values
