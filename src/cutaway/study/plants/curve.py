"""What plants tell of a network: recall against strength by kind, false claims, the smallest effect that is seen.

Plants of one kind and strength are draws from one rate. What k of n tell of the next m is the beta-binomial with Jeffreys'
prior (Brown, Cai and DasGupta 2001, doi 10.1214/ss/1009213286); over several kinds and strengths their sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import median
from textwrap import fill

import numpy as np

from cutaway.concepts.match import Share
from cutaway.runs import Table
from cutaway.study.plants.plants import REAL, Row

SEEN = 0.5  # of the plants must be found, for an effect to be one that is seen
LOUDER = 1.0  # times the network's own lead: above, a plant says nothing of weaker ones
CONFIDENCE = 0.95
WIDE = 100  # characters of a line in a terminal


@dataclass(frozen=True)
class Point:
    """The plants of one kind and strength: how many were found, found whole, and false; `shown` is the median share of prompts
    that they turned, `louder` the median of how far they were ahead, over the network's own; `left_out` did not take."""

    kind: str
    strength: float
    found: Share
    whole: Share
    false: Share
    shown: float
    louder: float
    divergence: float
    left_out: int

    @classmethod
    def of(cls, kind: str, strength: float, rows: Sequence[Row]) -> Point:
        """Counted over the rows of this kind and strength."""
        here = [row for row in rows if (row["kind"], row["strength"]) == (kind, strength)]
        took = [row for row in here if row["took"]]
        found, whole = (Share.of(sum(row[what] for row in took), len(took)) for what in ("found", "whole"))
        false = claims(took)
        shown, louder = (median([row[what] for row in took] or [float("nan")]) for what in ("shown", "louder"))
        far = max((row["divergence"] for row in took), default=float("nan"))
        return cls(kind, strength, found, whole, false, shown, louder, far, len(here) - len(took))

    @property
    def saturated(self) -> bool:
        """Whether these plants are louder than the network itself."""
        return self.louder > LOUDER


def claims(took: Sequence[Row]) -> Share:
    """False claims of plants beside which stands what must not be named, and of those without strength: no other can give one."""
    false = [row["false"] for row in took if row["kind"] not in REAL or row["strength"] == 0]
    return Share.of(sum(false), len(false))


@dataclass(frozen=True)
class Sensitivity:
    """What `match` finds of plants in one network, with its own inputs; `rows` are the plants.

    `predicted` says how many of further plants will be found; nothing here holds for another network, or for sub-models that
    the network came with and that do not resemble the plants.
    """

    network: str
    points: tuple[Point, ...]
    rows: tuple[Row, ...]
    seed: int

    @classmethod
    def of(cls, network: str, rows: Iterable[Row], seed: int) -> Sensitivity:
        """Counted over rows of plants."""
        rows = tuple(rows)
        cells = dict.fromkeys((row["kind"], row["strength"]) for row in rows)
        return cls(network, tuple(Point.of(*cell, rows) for cell in cells), rows, seed)

    @property
    def table(self) -> Table:
        """A row for each kind and strength."""
        return Table.of(
            {
                "kind": one.kind,
                "strength": one.strength,
                "turned": one.shown,
                "found": one.found.value if one.found.n else None,
                "low": one.found.low,
                "high": one.found.high,
                "whole": one.whole.value if one.whole.n else None,
                "false": one.false.value if one.false.n else None,
                "n": one.found.n,
                "left out": one.left_out,
                "louder": one.louder,
                "KL": one.divergence,
            }
            for one in self.points
        )

    @property
    def false(self) -> Share:
        """False claims, over all plants that can give rise to one."""
        return claims([row for row in self.rows if row["took"]])

    @property
    def smallest(self) -> dict[str, Point | None]:
        """By kind the weakest plants of which, as of all stronger ones, at least half are found for certain (95 %); None: none."""
        found: dict[str, Point | None] = {}
        for kind in dict.fromkeys(one.kind for one in self.points if one.kind in REAL):
            found[kind] = None
            for one in sorted((one for one in self.points if one.kind == kind), key=lambda one: -one.strength):
                if not one.found.low >= SEEN:
                    break
                found[kind] = one
        return found

    def predicted(self, counts: dict[tuple[str, float], int]) -> tuple[int, int]:
        """How many of further plants, so many of each kind and strength, will be found: the ends of a 95 % interval.

        Raises ValueError for a kind and strength of which there was none.
        """
        from scipy.stats import betabinom

        known, total = {(one.kind, one.strength): one.found for one in self.points}, np.ones(1)
        for cell, count in counts.items():
            if cell not in known or not known[cell].n:
                raise ValueError(f"no plant {cell[0]!r} of strength {cell[1]} took; expected one of {list(known)}")
            n, hits = known[cell].n, round(known[cell].value * known[cell].n)
            total = np.convolve(total, betabinom.pmf(np.arange(count + 1), count, hits + 0.5, n - hits + 0.5))
        below = np.cumsum(total)
        tail = (1 - CONFIDENCE) / 2
        return int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1 - tail))

    def holds(self, rows: Iterable[Row]) -> tuple[int, int, int, int]:
        """Of held-out plants that took: how many there are, how many were found, and the ends of what was predicted."""
        took = [row for row in rows if row["took"] and row["kind"] in REAL and row["strength"] > 0]
        cells = [(row["kind"], row["strength"]) for row in took]
        ends = self.predicted({cell: cells.count(cell) for cell in dict.fromkeys(cells)})
        return len(took), sum(row["found"] for row in took), *ends

    @property
    def notes(self) -> list[str]:
        """What the table says, in sentences."""
        said = []
        for kind, one in self.smallest.items():
            what = (
                f"smallest effect seen: {one.shown:.0%} of the prompts turned (strength {one.strength:g}, found {one.found})"
                if one
                else f"no strength at which {SEEN:.0%} are found for certain; more plants may tell"
            )
            said.append(f"{kind}: {what}")
        strong = [one for one in self.points if one.kind in REAL and one.strength > 0 and one.found.n]
        if loud := sorted({one.strength for one in strong if one.saturated}):
            at = ", ".join(f"{one:g}" for one in loud)
            weaker = (
                ""
                if not all(one.saturated for one in strong)
                else "; nothing is known of weaker ones: give smaller strengths"
            )
            said.append(f"saturated at strength {at}: these plants are louder than the network's own answers{weaker}")
        if far := [one.divergence for one in self.points if one.found.n]:
            said.append(f"elsewhere the copies are {max(far):.1g} nats from the original at most")
        said.append(
            f"false claims: {self.false} plants with a decoy or an inert neuron beside them, or without strength"
        )
        return said

    def __str__(self) -> str:
        shown = Table.of(
            {
                "kind": one.kind,
                "strength": f"{one.strength:g}",
                "turned": _percent(one.shown),
                "found": str(one.found) if one.strength else "–",
                "whole": _percent(one.whole.value) if one.strength else "–",
                "false": _percent(one.false.value),
                "left out": one.left_out,
                "louder": one.louder,
            }
            for one in self.points
        )
        notes = [fill(note, WIDE, subsequent_indent="  ") for note in self.notes]
        return "\n".join([f"plants in {self.network}; 95 % intervals over n plants", str(shown), *notes])


def _percent(share: float) -> str:
    return "–" if isnan(share) else f"{share:.0%}"
