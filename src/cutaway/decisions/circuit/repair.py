"""A circuit that fails a check where it was chosen, grown until it passes and pruned again, on the same examples.

A check of sufficiency fails under strengths of cuts: of everything else, of a random half of it, or those that the
adversary found. Under these, the highest ranked of the other edges are made whole until the decision stays; then each that
can be cut again is. The examples that report have no say in it: they are asked once, when the circuit is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.find import Found, fewest, is_used, over_draws
from cutaway.decisions.estimate import estimate

PRUNED = 64  # steps in which added edges are cut again, at most: of more edges, several at a time


@dataclass
class Repair:
    """Repairs of `found`: `rank` says which edges to try first. A cut that moves the decision by more than `limit` fails, and
    edges are added until it moves it by half as much at most.
    """

    fit: Cutter
    found: Found
    rank: Float[Tensor, "edges"]
    floor: float
    limit: float

    def __call__(self, cuts: Sequence[Float[Tensor, "edges"]]) -> bool:
        """Adds the edges that are needed under each of these cuts that fails; False where none does."""
        before = len(self.found.named)
        for strengths in cuts:
            self._name(self._needed(strengths))
        return len(self.found.named) > before

    def _needed(self, strengths: Float[Tensor, "edges"]) -> list[int]:
        if self._moved(strengths) <= self.limit:
            return []
        known = set(self.found.named)
        others = [e for e in self.rank.argsort(descending=True).tolist() if strengths[e] > 0 and e not in known]
        count = fewest(len(others), lambda count: self._moved(strengths, others[:count]) <= self.limit / 2)
        grown, some = others[:count], -(-count // PRUNED)
        for start in reversed(range(0, count, some)):
            fewer = grown[:start] + grown[start + some :]
            if self._moved(strengths, fewer) <= self.limit / 2:
                grown = fewer
        return grown

    def _moved(self, strengths: Float[Tensor, "edges"], whole: Sequence[int] = ()) -> float:
        """Mean |change| of the decision under these cuts, with the named edges and those of `whole` as they are."""
        cut = strengths.clone()
        cut[[*self.found.named, *whole]] = 0
        self.found.joint += 1
        return float(over_draws(self.fit, cut[None]).abs().mean())

    def _name(self, edges: Sequence[int]) -> None:
        """Each as an edge of its own if it is used alone, else as one that carries something only together."""
        new = [edge for edge in edges if edge not in self.found.alone]
        self.found.single += len(new)
        alone = over_draws(self.fit, self.fit.cuts([[edge] for edge in new])).transpose(0, 1) if new else ()
        self.found.alone |= dict(zip(new, alone))
        for edge in edges:
            used = is_used(estimate(self.found.alone[edge]), self.floor)
            (self.found.edges if used else self.found.added).append(edge)
        self.found.repaired += edges
