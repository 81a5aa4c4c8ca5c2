"""The runs of a sweep that differ in their seed alone: one setting, with what each of its runs reached and took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from cutaway.dial.pressure.words import DENSE

Row = Mapping[str, Any]
ALIKE = ("corpus", "layers", "batch", "context", "width", "tokens", "pressure", "lr")
"""What runs of one setting have in common."""
BAND = 1.25
"""Settings whose executed operations are within this factor of each other have one compute budget."""


@dataclass(frozen=True)
class Setting:
    """Rows of a sweep, one for each seed, none of which diverged."""

    rows: tuple[Row, ...]

    def __getitem__(self, name: str) -> Any:
        """What all of its runs have in common: its width, tokens, pressure, learning rate."""
        return self.rows[0][name]

    def column(self, name: str) -> Float[ndarray, "run"]:
        """A number of each run."""
        return np.array([row[name] for row in self.rows], dtype=float)

    def mean(self, name: str) -> float:
        """Over the runs."""
        return float(self.column(name).mean())

    def __len__(self) -> int:
        """The number of runs."""
        return len(self.rows)

    @property
    def dense(self) -> bool:
        """Whether nothing pressed it."""
        return self["pressure"] == DENSE

    @property
    def share(self) -> float:
        """The share of its parameters that are not 0."""
        return self.mean("live") / self.mean("of")

    def __str__(self) -> str:
        return f"{self['pressure']} (width {self['width']}, {self['tokens']} tokens, lr {self['lr']:g})"


def settings_of(rows: Iterable[Row]) -> list[Setting]:
    """The settings of a sweep's rows, the cheap ones first; runs that diverged are in none."""
    ended = sorted((row for row in rows if row["loss"] is not None), key=_alike)
    found = [Setting(tuple(group)) for _, group in groupby(ended, key=_alike)]
    return sorted(found, key=lambda setting: setting.mean("executed_gflop"))


def best_rates(settings: Iterable[Setting]) -> list[Setting]:
    """Of settings that differ in their learning rate alone, the one with the lowest mean loss."""
    found: dict[tuple[Any, ...], Setting] = {}
    for setting in settings:
        but_rate = _alike(setting.rows[0])[:-1]
        if but_rate not in found or setting.mean("loss") < found[but_rate].mean("loss"):
            found[but_rate] = setting
    return list(found.values())


def budgets(settings: Iterable[Setting]) -> list[list[Setting]]:
    """Settings in groups of about equal compute, by executed operations."""
    found: list[list[Setting]] = []
    for setting in sorted(settings, key=lambda each: each.mean("executed_gflop")):
        if found and setting.mean("executed_gflop") <= BAND * found[-1][0].mean("executed_gflop"):
            found[-1].append(setting)
        else:
            found.append([setting])
    return found


def _alike(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ALIKE)
