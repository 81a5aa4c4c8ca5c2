"""In-context search: a new graph with a new goal in every problem, and the question how many moves away a goal is.

A point is a state, (its name, one-hot; its neighbours, a 1 each); its label is 1 for a goal and 0 elsewhere. A query is a
state written alike, whose label is not shown: at least one move is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cutaway.mesa.prompts import Prompts


@dataclass(frozen=True)
class ShortestPaths:
    """Connected graphs of so many `states`: a random ring, the longest way round, and `shortcuts` across it; one state is the
    goal.

    Every state is a point once. `queries` of the states that are no goal are asked.
    """

    states: int = 12
    shortcuts: int = 2
    queries: int = 8

    def __post_init__(self) -> None:
        if self.states < 3 or self.shortcuts < 0 or not 1 <= self.queries < self.states:
            raise ValueError(
                f"states={self.states}, shortcuts={self.shortcuts}, queries={self.queries}; "
                "expected 3 states or more, no negative number of shortcuts, and 1 to `states` - 1 queries"
            )

    @property
    def dim(self) -> int:
        """A name, and as many neighbours."""
        return 2 * self.states

    @property
    def points(self) -> int:
        """Every state is one."""
        return self.states

    def draw(self, count: int, seed: int, novel: bool = True) -> Prompts:
        """So many graphs, in float64; there is no pool, so that all are novel."""
        generator = torch.Generator().manual_seed(seed)
        edges = self._edges(count, generator)
        order = torch.rand(count, self.states, generator=generator).argsort(1)
        goal = torch.nn.functional.one_hot(order[:, 0], self.states).double()
        names = torch.eye(self.states, dtype=torch.float64).expand(count, -1, -1)
        xs = torch.cat([names, edges.double()], 2)
        asked = order[:, 1 : self.queries + 1]
        rows = asked.unsqueeze(2).expand(-1, -1, self.dim)
        return Prompts(xs, goal, xs.gather(1, rows), self.distances(edges, goal > 0).gather(1, asked))

    def _edges(self, count: int, generator: torch.Generator) -> Bool[Tensor, "prompt state state"]:
        """Symmetric; a shortcut may fall on an edge that is there."""
        ring = torch.rand(count, self.states, generator=generator).argsort(1)
        ends = torch.randint(self.states, (count, self.shortcuts, 2), generator=generator)
        starts = torch.cat([ring, ends[..., 0]], 1)
        stops = torch.cat([ring.roll(1, 1), ends[..., 1]], 1)
        edges = torch.zeros(count, self.states, self.states, dtype=torch.bool)
        edges[torch.arange(count).unsqueeze(1), starts, stops] = True
        edges = edges | edges.mT
        return edges & ~torch.eye(self.states, dtype=torch.bool)

    def distances(
        self, edges: Bool[Tensor, "prompt state state"], goal: Bool[Tensor, "prompt state"]
    ) -> Float[Tensor, "prompt state"]:
        """Moves to the nearest goal, 0 at a goal; by the least of what neighbours have, plus one, until nothing changes."""
        far = torch.full(goal.shape, float(self.states), dtype=torch.float64).masked_fill(goal, 0)
        for _ in range(self.states):
            near = far.unsqueeze(1).expand(-1, self.states, -1).masked_fill(~edges, float(self.states))
            far = torch.minimum(far, near.amin(2) + 1)
        return far
