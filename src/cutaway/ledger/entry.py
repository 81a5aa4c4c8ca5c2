"""A line of the ledger: what one phase consumed of one quantity, how that is known, and what it was for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Literal, get_args

from cutaway.ledger.cost import STATES, Cost, State
from cutaway.ledger.units import KINDS, check_entry_unit

Kind = Literal["compute", "person", "data", "api", "energy"]
Provenance = Literal["measured", "derived", "declared", "assumed"]
Purpose = Literal["train", "discover", "apply"]
PROVENANCES: tuple[str, ...] = get_args(Provenance)
"""From the best known to the least."""

PEAKS = ("peak_memory_bytes", "device_peak_bytes")
"""Resources of which the highest counts, not the sum."""


class LedgerError(Exception):
    """A line of a ledger is whole but is not an entry."""


@dataclass(frozen=True)
class Entry:
    """What a phase ("trace", "train") consumed.

    kind: of what ("compute", "person", "data", "api", "energy"). quantity and unit: how much; money in a currency.
    provenance: how it is known; "derived" is computed from what was measured. resource: which quantity, where a kind has
    several of one unit ("wall_s", "cpu_s"); the unit if left out. purpose: "train" made the network, "discover" found
    something out about it, "apply" used on it what was found before. state: how the phase ended; a failed one has cost
    what it has cost. module, submodel: what it was spent on. note: what the quantity leaves out ("a lower bound without
    aten._linalg_svd"). seed and versions: of the run it belongs to.

    >>> Entry("reading", "person", 2.5, "person-hour", "declared", purpose="discover").resource
    'person-hour'

    Raises ValueError for a quantity that is negative or not finite, a unit or currency that is not known, and any word
    that is not of the lists above.
    """

    phase: str
    kind: Kind
    quantity: float
    unit: str
    provenance: Provenance
    resource: str = ""
    purpose: Purpose | None = None
    state: State = "done"
    module: str = ""
    submodel: str = ""
    note: str = ""
    seed: int | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_words()
        check_entry_unit(self.kind, self.unit)
        object.__setattr__(self, "resource", self.resource or self.unit)
        if isinstance(self.quantity, bool) or not isinstance(self.quantity, Real):
            raise ValueError(f"{self._where} was given {self.quantity!r}; expected a number")
        if not isinstance(self.quantity, int | float):  # a number of numpy's: JSON has none of those
            object.__setattr__(self, "quantity", float(self.quantity))
        if not 0 <= self.quantity <= sys.float_info.max:
            raise ValueError(
                f"{self._where} was given {self.quantity}; expected a finite quantity, 0 or more; nothing is taken back: "
                "try an entry of what was spent, and leave out what was not"
            )

    @property
    def _where(self) -> str:
        return f"the entry {self.phase}/{self.resource or self.kind}"

    def _check_words(self) -> None:
        for name, given, known in (
            ("kind", self.kind, tuple(KINDS)),
            ("provenance", self.provenance, PROVENANCES),
            ("purpose", self.purpose, (None, *get_args(Purpose))),
            ("state", self.state, STATES),
        ):
            if given not in known:
                words = ", ".join("nothing" if word is None else repr(word) for word in known)
                raise ValueError(f"the entry {self.phase!r} was given the {name} {given!r}; expected {words}")
        for name in ("phase", "unit", "resource", "module", "submodel", "note"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"the entry {self.phase!r} was given {name} {getattr(self, name)!r}; expected text")


MEASURED: dict[str, tuple[str, str]] = {
    "flops": ("flops", "FLOP"),
    "useful": ("useful_flops", "FLOP"),
    "forwards": ("forwards", "forwards"),
    "backwards": ("backwards", "backwards"),
    "examples": ("examples", "examples"),
    "tokens": ("tokens", "tokens"),
    "wall_s": ("wall_s", "s"),
    "cpu_s": ("cpu_s", "s"),
    "children_cpu_s": ("children_cpu_s", "s"),
    "peak_memory_bytes": ("peak_memory_bytes", "B"),
    "device_peak_bytes": ("device_peak_bytes", "B"),
}
"""What of a cost is booked: under which resource, in which unit."""
SELDOM = ("backwards", "examples", "tokens", "children_cpu_s")
"""Booked only where there were any: 0 says that nobody counted them."""


def entries_of(
    cost: Cost,
    *,
    seed: int | None = None,
    versions: dict[str, str] | None = None,
    purpose: Purpose | None = None,
    state: State | None = None,
    module: str = "",
    submodel: str = "",
) -> list[Entry]:
    """A measured cost as entries of compute, one for each quantity that is known, of each of its phases.

    A quantity that is known of every phase metered inside is divided among them, each with its own state, so that a phase
    that failed stays in as one; the rest is booked under the phase itself. `state` is by default that of each phase. What
    keeps `flops` from being exact is their note.
    """
    found = []
    for name, (resource, unit) in MEASURED.items():
        for phase in _phases(cost, name):
            quantity = getattr(phase, name)
            if quantity is None or (not quantity and (name in SELDOM or phase is not cost)):
                continue
            note = "; ".join(phase.caveats) if unit == "FLOP" else ""
            found.append(
                Entry(
                    phase.phase,
                    "compute",
                    quantity,
                    unit,
                    "measured",
                    resource,
                    purpose,
                    state or phase.state,
                    module,
                    submodel,
                    note,
                    seed,
                    versions or {},
                )
            )
    return found


def _phases(cost: Cost, name: str) -> list[Cost]:
    """The phases among which a quantity is divided; `cost` alone, if it is not known of all of them or does not add up."""
    known = cost.parts and all(getattr(part, name) is not None for part in cost.parts)
    if not known or getattr(cost, name) is None or name.endswith("_bytes"):
        return [cost]
    rest = cost.unattributed
    own = replace(rest, phase=cost.phase, **{name: max(0, getattr(rest, name))})
    return [phase for part in cost.parts for phase in _phases(part, name)] + [own]
