"""The ends of an edge: a part that writes to the residual stream, and a part that reads it through one way in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cutaway.decisions.decision import DecisionError
from cutaway.network import Site
from cutaway.network.site import Index, Port

Through = Literal["q", "k", "v", "attn", "mlp", "out"]
Time = tuple[int, int]  # block, then 0 for what mixes positions and 1 for the MLP behind it
START: Time = (-1, 0)
REST, ERROR = "[rest]", "[error]"  # behind a part's name: what its pieces leave over of it, which has no address


class NoGraphError(DecisionError):
    """A network whose stream is no sum of what its parts write, so that it has no edges in this sense."""


@dataclass(frozen=True)
class Writer:
    """A part that adds to the residual stream: `site` is what stands for it (whole), `head` which head of it.

    `made_by` is the part whose reading makes it, where that is not the part itself: a feature of `mlp_out.2` is made of
    what the whole MLP reads.
    """

    part: str
    time: Time
    site: Site
    head: int | None = None
    made_by: str | None = None


@dataclass(frozen=True)
class Reader:
    """A part that reads the stream at `entry` `through` its queries, keys, values, …

    `site` is what it makes of the stream (queries: `q.3`, picked by `head`; a group of neurons: `mlp_act.3`, picked by
    `neurons`); None: the stream at `entry` itself, which nobody else reads. `norm` is the module between the stream and
    what the part's matrices read.
    """

    part: str
    time: Time
    through: Through
    entry: Port
    site: Site | None = None
    head: int | None = None
    norm: str | None = None
    neurons: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """`z.3[head=1]/q`: the part and the way in."""
        return self.part if self.through == "out" else f"{self.part}/{self.through}"

    @property
    def picks(self) -> tuple[int, ...] | None:
        """Which of the heads or neurons at `site` it makes; None: all."""
        return self.neurons if self.head is None else (self.head,)


def picked(index: Index, size: int) -> range:
    """The coordinates that a selector's index picks out of `size`: one, or from a start to an end."""
    return range(size)[slice(*index)] if isinstance(index, tuple) else range(size)[index : index + 1 or None]
