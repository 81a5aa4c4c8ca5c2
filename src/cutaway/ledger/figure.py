"""A number with its unit and with how it is known: what is computed from an assumed number says so wherever it is printed.

A figure made by arithmetic remembers what it was made of, so that it can be computed again from other inputs
(`uncertainty.py`): a small expression tree, as in error propagation by hand.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cutaway.ledger.entry import PROVENANCES, Provenance
from cutaway.ledger.units import UnitError, conversion, powers, product

WITHIN: dict[str, float] = {"measured": 1.0, "derived": 1.0, "declared": 1.5, "assumed": 3.0}
"""The factor within which an input is taken to be known, 95 times of 100, where it does not say."""


@dataclass(frozen=True)
class Figure:
    """An input (with a name), or what was made of inputs by + - * / ** and `least`.

    within: the factor within which an input is known: from value / within to value · within in 95 of 100 cases. note:
    what the value leaves out ("a lower bound without …"), printed with it.

    >>> time = Figure(10, "person-year", "declared", "time")
    >>> print(time * Figure(250_000, "USD/person-year", "assumed", "salary") / Figure(50, "USD", "declared", "training"))
    50,000× (assumed: salary)

    Raises UnitError for a unit that is not known or for a sum of two units, ValueError for a value that is not finite.
    """

    value: float
    unit: str = ""
    provenance: Provenance = "derived"
    name: str = ""
    within: float = 0.0
    note: str = ""
    rule: Callable[..., Any] | None = field(default=None, repr=False, compare=False)
    parts: tuple[Figure, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        powers(self.unit)
        if self.provenance not in PROVENANCES:
            raise ValueError(f"given the provenance {self.provenance!r}; expected one of {', '.join(PROVENANCES)}")
        if not math.isfinite(self.value):
            raise ValueError(f"{self.name or 'a figure'} was given {self.value}; expected a finite number")
        object.__setattr__(self, "within", self.within or WITHIN[self.provenance])
        if self.within < 1:
            raise ValueError(f"{self.name or 'a figure'} is known within {self.within}; expected a factor of 1 or more")

    @property
    def inputs(self) -> tuple[Figure, ...]:
        """The inputs that it was made of, each once; itself, if it is one. Raises ValueError if two share a name."""
        found: dict[str, Figure] = {}
        for one in self._leaves():
            if found.setdefault(one.name, one) != one:
                raise ValueError(
                    f"two inputs are named {one.name!r} ({found[one.name]}; {one}); expected names that differ"
                )
        return tuple(found.values())

    @property
    def assumed(self) -> tuple[str, ...]:
        """The names of the assumed inputs."""
        return tuple(dict.fromkeys(one.name for one in self._leaves() if one.provenance == "assumed"))

    @property
    def mark(self) -> str:
        """What stands behind the number wherever it is printed: what was assumed for it, and what it leaves out."""
        names = ", ".join(name for name in self.assumed if name)
        said = [f"assumed: {names}" if names and self.parts else "assumed"] if self.assumed or self._assumed else []
        said += dict.fromkeys(one.note for one in self._leaves() if one.note)
        return f" ({'; '.join(said)})" if said else ""

    @property
    def _assumed(self) -> bool:
        return self.provenance == "assumed"

    def _leaves(self) -> Iterator[Figure]:
        if not self.parts:
            yield from [self] if self.name or self._assumed or self.note else []
        for part in self.parts:
            yield from part._leaves()

    def computed(self, values: Mapping[str, Any]) -> Any:
        """The value if inputs of these names had these values (numbers or arrays)."""
        if self.rule is None:
            return values.get(self.name, self.value) if self.name else self.value
        return self.rule(*(part.computed(values) for part in self.parts))

    def named(self, name: str) -> Figure:
        """The same value as an input of this name, which is varied as a whole; what it was made of is only in its mark."""
        return Figure(self.value, self.unit, self.provenance, name, note=self.mark.strip(" ()"))

    def to(self, unit: str) -> Figure:
        """In another unit of the same scale. Raises UnitError if there is none."""
        factor = conversion(self.unit, unit)
        return self if unit == self.unit else _made(lambda value: value * factor, unit, self)

    def __add__(self, other: Figure) -> Figure:
        return _made(operator.add, self.unit, self, _figure(other).to(self.unit))

    def __sub__(self, other: Figure) -> Figure:
        return _made(operator.sub, self.unit, self, _figure(other).to(self.unit))

    def __mul__(self, other: Figure | float) -> Figure:
        unit, factor = product(self.unit, _figure(other).unit)
        return _made(lambda a, b: a * b * factor, unit, self, _figure(other))

    def __truediv__(self, other: Figure | float) -> Figure:
        unit, factor = product(self.unit, _figure(other).unit, -1)
        if not _figure(other).value:
            raise ZeroDivisionError(f"{self} was divided by {other}; expected something that is not 0")
        return _made(lambda a, b: a / b * factor, unit, self, _figure(other))

    def __rmul__(self, other: float) -> Figure:
        return _figure(other) * self

    def __rtruediv__(self, other: float) -> Figure:
        return _figure(other) / self

    def __pow__(self, power: float) -> Figure:
        if self.unit:
            raise UnitError(f"given {self} to a power; expected a pure number: divide by a figure in {self.unit} first")
        return _made(lambda value: value**power, "", self)

    def __format__(self, spec: str) -> str:
        """The number as `spec` says, with its unit and its mark: there is no way to print it without."""
        number = format(self.value, spec) if spec else shown(self.value)
        return f"{number}{' ' * bool(self.unit)}{self.unit or '×'}{self.mark}"

    def __str__(self) -> str:
        return format(self, "")

    def __repr__(self) -> str:
        return f"Figure({self.name + ': ' if self.name else ''}{self})"

    def record(self) -> dict[str, Any]:
        """As JSON, with its provenance and what was assumed for it."""
        return {
            "value": self.value,
            "unit": self.unit,
            "provenance": self.provenance,
            "assumed": [name or "an unnamed input" for name in self.assumed],
            "mark": self.mark.strip(" ()"),
        }


def least(*figures: Figure) -> Figure:
    """The smallest of several figures of one unit."""

    def smallest(*values: Any) -> Any:
        import numpy as np

        found = np.minimum.reduce(np.broadcast_arrays(*values))
        return found if np.ndim(found) else float(found)

    unit = figures[0].unit
    return _made(smallest, unit, *(figure.to(unit) for figure in figures))


def shown(number: float) -> str:
    """Three figures, whole thousands with commas: 50,000, 1,250, 515, 0.38, 7.9e+08."""
    rounded = float(f"{number:.3g}")
    return f"{rounded:,.0f}" if 1000 <= abs(rounded) < 1e7 else f"{rounded:.3g}"


def _made(rule: Callable[..., Any], unit: str, *parts: Figure) -> Figure:
    value = float(rule(*(part.value for part in parts)))
    known: Provenance = "assumed" if any(part.provenance == "assumed" for part in parts) else "derived"
    return Figure(value, unit, known, within=1.0, rule=rule, parts=parts)


def _figure(given: Figure | float) -> Figure:
    return given if isinstance(given, Figure) else Figure(float(given))
