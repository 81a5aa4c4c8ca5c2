"""What is promised beside what is measured: the strata counted over training runs.

A share of runs has its Clopper-Pearson interval. A promised rate is kept or missed only if the one-sided 95 % bound lies on
its side; else so few runs do not decide it. A run in which what was planted did not take hold says nothing of finding it: it
is left out there, and told; networks without the behaviour are never left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from cutaway.concepts.match import Share
from cutaway.runs import Progress, Table, resumable, silent
from cutaway.study.calibrate.runs import one_run, runs_of
from cutaway.study.calibrate.strata import STRATA, Row, Stratum

CONFIDENCE = 0.95
Kept = Literal["kept", "missed", "not decided by n", "not measured"]


@dataclass(frozen=True)
class Line:
    """One stratum as measured: the share of runs that count, and how many were left out since nothing took hold in them."""

    stratum: Stratum
    share: Share
    left_out: int

    @classmethod
    def of(cls, stratum: Stratum, rows: Iterable[Row]) -> Line:
        """Counted over the rows in which its question was asked."""
        asked = [row for row in rows if stratum.was_asked(row)]
        found = [stratum.counts(row) for row in asked]
        known = [one for one in found if one is not None]
        return cls(stratum, Share.of(sum(known), len(known)), len(found) - len(known))

    @property
    def hits(self) -> int:
        """How many runs count."""
        return round(self.share.value * self.share.n) if self.share.n else 0

    @property
    def promise(self) -> Kept:
        """Whether the promise is kept, as far as these runs tell."""
        from scipy.stats import binomtest

        n, least = self.share.n, self.stratum.at_least
        if not n:
            return "not measured"
        if self.stratum.rule:
            return "kept" if self.share.value == self.stratum.promised else "missed"
        ends = binomtest(self.hits, n).proportion_ci(2 * CONFIDENCE - 1, method="exact")  # each end is one-sided
        if (ends.low >= self.stratum.promised) if least else (ends.high <= self.stratum.promised):
            return "kept"
        beyond = ends.high < self.stratum.promised if least else ends.low > self.stratum.promised
        return "missed" if beyond else "not decided by n"


@dataclass(frozen=True)
class Calibration:
    """What was promised and what was measured, stratum by stratum; `rows` are the training runs, from `seed` on."""

    lines: tuple[Line, ...]
    rows: tuple[Row, ...]
    seed: int

    @property
    def table(self) -> Table:
        """A row for each stratum."""
        return Table.of(
            {
                "stratum": line.stratum.name,
                "promised": line.stratum.promise,
                "measured": line.share.value if line.share.n else None,
                "low": line.share.low,
                "high": line.share.high,
                "n": line.share.n,
                "left out": line.left_out,
                "promise": line.promise,
            }
            for line in self.lines
        )

    @property
    def in_words(self) -> dict[str, str]:
        """By kind of network: the worst measured rates. What is said of a network of another kind is "uncalibrated here"."""
        kinds = {row["recipe"]: row["kind"] for row in self.rows}
        found = {}
        for kind in dict.fromkeys(kinds.values()):
            here = [one for one in self.lines if kinds.get(one.stratum.recipe) == kind and one.share.n]
            said = [one for one in here if one.stratum.counted == "present"]
            least = [one for one in said if one.stratum.at_least]
            most = [one for one in said if not one.stratum.at_least]
            worst = [min(least, key=lambda one: one.share.value)] if least else []
            worst += [max(most, key=lambda one: one.share.value)] if most else []
            found[kind] = "; ".join(f"{one.stratum.name}: present in {one.share} training runs" for one in worst)
        return found

    def __str__(self) -> str:
        return f"small worlds; 95 % intervals over n training runs\n{self.table}"


def calibrate(
    strata: Sequence[str] | None = None,
    networks: int | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Calibration:
    """Trains small networks with and without planted behaviours, asks `match` of them, and counts its errors.

    `strata` are names of `STRATA`, all by default; `networks` is how many training runs each has, from `seed` on: by default
    20, and 93 of nulls in which a behaviour does not show, some hours of one core (`cpu_hours`). With a `folder` the row of
    every run is kept, and what was done is not done again; the networks themselves are not kept. Rows are told apart by
    version of cutaway: give another folder after changing its code.

    Raises ValueError for a stratum that there is not, or fewer than one network.

    >>> print(calibrate(["untrained"], networks=3))  # doctest: +SKIP
    """
    chosen = chosen_of(strata)
    runs = runs_of(chosen, networks, seed)
    with TemporaryDirectory() as nowhere:
        rows = resumable(
            Path(folder or nowhere) / "training runs", one_run, runs, lambda run: run.key, progress=progress
        )
    return Calibration(tuple(Line.of(one, rows) for one in chosen), tuple(rows), seed)


def chosen_of(names: Sequence[str] | None) -> tuple[Stratum, ...]:
    """The strata of these names, all by default. Raises ValueError for others."""
    known = {one.name: one for one in STRATA}
    if strange := [name for name in names or () if name not in known]:
        raise ValueError(f"there is no stratum {strange[0]!r}; expected one of: {'; '.join(known)}")
    return STRATA if names is None else tuple(known[name] for name in names)
