"""What the calls of a clean pass returned, in the order in which they ran."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from cutaway.network.site import Port
from cutaway.network.trees import leaves

CallId = tuple[
    tuple[str, int], ...
]  # a call, inside the calls that it is inside of; each a module and how many there were before
ATTENTION = ":attention"  # an attention product is a call of its own inside its module


@dataclass
class Recorded:
    """One call on a tape: when it started and ended, what it returned."""

    start: int
    ordinal: int
    end: int = -1
    output: Any = None
    inputs: tuple[Tensor, ...] = ()
    versions: tuple[int, ...] = ()


@dataclass
class Tape:
    """What the calls of a clean pass returned, in execution order."""

    rows: int
    positions: int | None
    watched: frozenset[str]
    calls: dict[CallId, Recorded] = field(default_factory=dict)
    keys: dict[CallId, tuple[Tensor, Tensor, Tensor | None]] = field(default_factory=dict)
    output: Any = None

    def event(self, port: Port) -> int:
        """When the tensor at `port` first comes by. Raises `LookupError` if it never does."""
        attention = port.side in ("q", "k", "v", "z")
        name = port.module + ATTENTION if attention else port.module
        after = port.side in ("out", "z")
        found = [
            (call.end if after else call.start)
            for where, call in self.calls.items()
            if where[-1][0] == name and (port.call is None or call.ordinal == port.call)
        ]
        if not found:
            raise LookupError(f"{port.module or 'the network itself'} never ran its {port.side} in this pass")
        return min(found)

    def bytes(self) -> int:
        """Memory that the recorded outputs hold, each storage once."""
        seen: dict[int, int] = {}
        for call in self.calls.values():
            for leaf in leaves(call.output):
                seen[leaf.untyped_storage().data_ptr()] = leaf.untyped_storage().nbytes()
        return sum(seen.values())

    def mutated(self) -> set[str]:
        """Names of calls whose output was written to in place after it was recorded."""
        return {
            where[-1][0]
            for where, call in self.calls.items()
            if call.versions and call.versions != tuple(leaf._version for leaf in leaves(call.output))
        }


@dataclass(frozen=True)
class Prefix:
    """Run only the positions from `start` on; earlier keys and values come from the tape of a full clean pass."""

    start: int
    tape: Tape
