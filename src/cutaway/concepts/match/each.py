"""For every decision: was the named sub-model used, overdetermined, active but overruled, or idle?

A direct effect is not use: a sub-model that writes "lie" while another word wins is *active but overruled*, and one that is
there twice flips nothing alone. So each decision is rerun, with each named set at its partner's values, and with all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from cutaway.concepts.match.trials import Trials, several
from cutaway.network import Network

State = Literal["used", "overdetermined", "active but overruled", "idle"]
STATES: tuple[State, ...] = ("used", "overdetermined", "active but overruled", "idle")
ACTIVE = 0.25  # of the median push where it is used: below that it is idle


def each_decision(
    net: Network, sets: Sequence[Sequence[str]], rows: Sequence[Any], usual: float | None = None
) -> list[State]:
    """The state of a concept's sub-model in each decision (prompt, target, foil, reference).

    `sets` are the sets of parts that do it, one or, where two are enough alone, several. `usual` is the push (logits) of
    decisions where it is used; by default the median over those among `rows`.
    """
    trials = Trials.of(net, rows)
    own = trials.answered
    models = [several(one) for one in sets]
    every = several([part for one in sets for part in one])
    flips, jointly = trials.flips(models), trials.flips([every])[0]
    pushes = -trials.pushes([every])[0]
    used = own & flips.any(0)
    both = own & jointly & ~used
    if usual is None:
        usual = float(pushes[used | both].median()) if bool((used | both).any()) else float("inf")
    active = ~own & (pushes > ACTIVE * usual)
    names = [(used, STATES[0]), (both, STATES[1]), (active, STATES[2])]
    return [next((name for where, name in names if bool(where[i])), STATES[3]) for i in range(trials.rows)]
