"""One plant in the user's network: grown blind, asked about, and compared with where it is.

What is asked knows the network and the questions, and never the place. A plant is *found* where the verdict is present and a
neuron of it is among the named; *whole* where the named set is the planted one. A name given to a decoy, to what is inert, or
to anything where the plant has no strength, is a *false claim*.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from cutaway.concepts.match import match
from cutaway.network import Network
from cutaway.organisms.grafted import KINDS, PlantError, graft
from cutaway.submodels.slices import kinds_of

Row = dict[str, Any]
STRENGTHS = (0.0, 1.0, 1.5, 2.0, 4.0)
REAL = ("rank-one", "distributed", "backup")
FALSE_AT = 4.0
"""How strong the plant is that stands beside a decoy or what is inert: the search must have something to find."""


@dataclass(frozen=True)
class Plant:
    """A plant to be grown: its kind, its strength, its seed."""

    kind: str
    strength: float
    seed: int

    def __post_init__(self) -> None:
        if self.kind not in KINDS or not 0 <= self.strength < float("inf"):
            raise ValueError(
                f"given {self.kind!r} of strength {self.strength}; expected one of {', '.join(KINDS)}, and a finite strength "
                "from 0 on"
            )

    def key(self, network: str) -> Row:
        """What its row depends on, beside the code."""
        plant = {"kind": self.kind, "strength": self.strength, "seed": self.seed}
        return {**plant, "network": network, "cutaway": version("cutaway")}


def plants_of(
    each: int, strengths: Sequence[float] = STRENGTHS, seed: int = 0, kinds: Sequence[str] = KINDS
) -> list[Plant]:
    """`each` plants of every kind at every strength, no two of one seed; decoys and inert ones at one strength."""
    if each < 1:
        raise ValueError(f"given {each} plants of each; expected at least 1")
    if not strengths:
        raise ValueError("given no strengths; expected at least one, such as 0, 1, 2")
    cells = [(kind, at) for kind in kinds for at in (dict.fromkeys(strengths) if kind in REAL else (FALSE_AT,))]
    return [Plant(kind, at, seed + each * cell + i) for cell, (kind, at) in enumerate(cells) for i in range(each)]


def one_plant(net: Network, plant: Plant) -> Row:
    """Grows a plant in a copy of `net`, asks for it, and says what was found beside what is there.

    A network into which it does not take gives a row that says why, and counts for nothing.
    """
    began = time.process_time()
    row: Row = {"kind": plant.kind, "strength": plant.strength, "seed": plant.seed}
    try:
        grown = graft(net, plant.kind, plant.strength, plant.seed)
    except PlantError as error:
        return {**row, "took": False, "why": str(error), "cpu seconds": round(time.process_time() - began, 1)}
    found = match(grown.net, grown.asked, parts_of(grown.net), seed=plant.seed)
    named = () if found.named is None else found.named.parts
    return {
        **row,
        "took": True,
        "planted": list(grown.planted),
        "beside": list(grown.beside),
        "shown": grown.shown.value,
        "divergence": grown.divergence,
        "louder": grown.louder,
        "verdict": found.verdict,
        "why": found.why,
        "refused": [one.refused[0] for one in found.refused],
        "named": list(named),
        "found": plant.strength > 0 and bool(set(named) & set(grown.planted)),
        "whole": plant.strength > 0 and set(named) == set(grown.planted),
        "false": bool(set(named) & set(grown.beside)) or (plant.strength == 0 and bool(named)),
        "cpu seconds": round(time.process_time() - began, 1),
    }


def parts_of(net: Network) -> tuple[str, ...]:
    """The kinds of parts among which a network is searched: heads and neurons; where it has no blocks, channels."""
    there = kinds_of(net)
    return tuple(kind for kind in ("heads", "neurons") if kind in there) if "neurons" in there else ("channels",)
