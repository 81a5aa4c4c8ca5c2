"""Is what is written into the iterate kept in part: neither for good, as a finished answer, nor not at all?"""

from __future__ import annotations

from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.watched import Watched

LOW, HIGH = 0.08, 0.92


def stateful(watched: Watched) -> Reading:
    """The share of layers after which between 8 % and 92 % of what is written is left in the end. A leak passes too."""
    kept = watched.retention.by_layer().tolist()
    return Reading(sum(LOW < share < HIGH for share in kept) / len(kept), (0.0,), tuple(kept))


STATEFUL = Sign(
    "statefulness", "is a written iterate kept in part?", frozenset({"lens", "write"}), stateful, moves=False
)
