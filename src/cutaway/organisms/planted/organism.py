"""An organism: a network with known behaviours, where they are, and what was measured of it; each world adds its own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic

from cutaway.organisms.planted.planting import I, N, Planting, Slot
from cutaway.organisms.planted.rates import Rates
from cutaway.organisms.planted.training import W
from cutaway.organisms.planted.truth import Truth, problems


@dataclass(frozen=True, eq=False)
class Organism(Generic[N, W, I]):
    """A twin of one training run.

    `planted` are the implants that are on, `off` those that the same training run learned but that this twin lacks. `truth`
    has an entry for each that is on. `rates` are None, and `truth` empty, until measured. `made` says how, in words.
    """

    kind: ClassVar[str]

    network: N
    world: W
    planted: tuple[I, ...]
    off: tuple[I, ...]
    planting: Planting[I]
    truth: tuple[Truth, ...]
    rates: Rates | None
    seed: int
    made: str

    @property
    def name(self) -> str:
        """`agents-deceive-power-3`: the world, what is planted, and the seed."""
        return "-".join([self.kind, *(implant.behaviour for implant in self.planted), str(self.seed)])

    @property
    def problems(self) -> tuple[str, ...]:
        """What falls short of the bars, in words; an organism with problems is none."""
        return problems(self.rates, self.planted, self.truth)

    def slot(self, behaviour: str) -> Slot:
        """Where a behaviour is, or was, planted."""
        return self.planting.slot(behaviour)
