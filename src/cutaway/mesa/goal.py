"""Where a network keeps what it works towards: the last state in which its objective can be rewritten and the rest follows.

The labels are the objective of a network that learns from them. Written along the direction that labels have in the stream after
a layer, other ones move the final answer towards *their* solution as long as later layers optimise; after the last layer that
does, nothing moves. What is found can be handed to `without` and `trace` as a sub-model.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.signs.retarget import RETARGET
from cutaway.mesa.signs.sign import Reading
from cutaway.mesa.watched import Watched
from cutaway.network import Network, Site
from cutaway.submodels.directions import Directions
from cutaway.submodels.submodel import SubModel

LEAST = 0.3
"""Less of the way to the new objective than this is no slot."""


@dataclass(frozen=True)
class GoalSlot:
    """The objective's direction in the stream of labelled points after `layer`, the latest where rewriting it still counts.

    `moved` is the share of its own way to the new truth that the answer goes, `null` that towards the truth of other
    problems' labels; `course` is `moved` after 1, 2, … layers.
    """

    layer: int
    moved: float
    null: float
    direction: Float[Tensor, "width"]
    course: tuple[float, ...]

    def submodel(self, network: Network) -> SubModel:
        """The slot in an opened network, whose layers are its blocks: the direction in its stream, at every position."""
        unit = (self.direction / self.direction.norm()).to(network.dtype)[None]
        kind = Directions(Site.parse(f"resid_pre.{self.layer}"), unit, label="goal")
        evidence = {"moved": self.moved, "null": self.null, "course": list(self.course)}
        return SubModel(f"goal after {self.layer} blocks", (kind.name,), (kind,), ("the objective",), evidence)


def goal_slot(watched: Watched, least: float = LEAST) -> GoalSlot | None:
    """The slot, or None where rewriting labels moves the answer nowhere after the first layer."""
    read = RETARGET.read(watched)
    last = latest(read, least)
    if last is None:
        return None
    return GoalSlot(last, read.course[last - 1], _chance(read), watched.writes.label[last], read.course)


def latest(read: Reading, least: float = LEAST) -> int | None:
    """The last layer after which rewriting labels still moves the answer so far, and twice as far as by chance; None: none.

    `read` is a reading of the sign *late objective*.
    """
    layers = [layer for layer, moved in enumerate(read.course, 1) if moved >= max(least, 2 * _chance(read))]
    return max(layers, default=None)


def _chance(read: Reading) -> float:
    return max(abs(value) for value in read.null)
