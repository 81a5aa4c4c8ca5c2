"""The tables of a circuit: its edges with their numbers, its groups, and what it carries from block to block.

Every effect in them is of the examples that did not choose the edges; the shares are of those that did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.decoys import SelectiveEdges
from cutaway.decisions.circuit.find import Found, is_used, over_draws
from cutaway.decisions.circuit.share import Shares
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.runs.table import Table

COLUMNS = ("from", "to", "through", "at", "knockout", "low", "high", "n", "share", "telescoping", "state", "q", "selective",
           "group")  # fmt: skip
GROUP_COLUMNS = ("group", "kind", "parts", "edges", "together")


@dataclass(frozen=True, eq=False)
class Alone:
    """What cutting each named edge alone changes: `effects` in the order of the graph, `order` strongest first."""

    named: tuple[int, ...]
    effects: tuple[Estimate, ...]
    order: tuple[int, ...]

    @property
    def strongest(self) -> list[int]:
        """The edges, strongest first."""
        return [self.named[i] for i in self.order]


def alone(held: Cutter, named: Sequence[int]) -> Alone:
    """Each named edge cut by itself."""
    if not named:
        return Alone((), (), ())
    found = over_draws(held, held.cuts([[edge] for edge in named]))
    order = sorted(range(len(named)), key=lambda i: -float(found[:, i].abs().mean()))
    return Alone(tuple(named), tuple(estimate(found[:, i]) for i in range(len(named))), tuple(order))


def table_of(
    held: Cutter, found: Found, cut: Alone, score: Shares, floor: float, claimed: bool, raced: SelectiveEdges | None
) -> Table:
    """The named edges, strongest first; `claimed`: whether other examples chose them, so that a state may be claimed."""
    graph, added = held.graph, _telescoped(held, cut.strongest)
    group_of = {edge: i for i, group in enumerate(found.groups) for edge in group.edges}
    q = {} if raced is None else dict(zip(raced.edges, raced.q))
    rows = []
    for place, i in enumerate(cut.order):
        edge, effect = cut.named[i], cut.effects[i]
        writer, reader = graph.writers[graph.edges[edge][0]], graph.readers[graph.edges[edge][1]]
        rows.append(
            {
                "from": writer.part,
                "to": reader.part,
                "through": reader.through,
                "at": int(score.score[edge].abs().mean(0).argmax()),
                "knockout": effect.mean,
                "low": effect.low if effect.known else None,
                "high": effect.high if effect.known else None,
                "n": effect.n,
                "share": float(score.signed[edge]) / float(score.total.mean()),
                "telescoping": added[place],
                "state": _state(effect, floor, claimed, edge in group_of or edge in found.added),
                "q": q.get(edge),
                "selective": None if raced is None or q.get(edge) is None else edge in raced.selective,
                "group": group_of.get(edge),
            }
        )
    return Table.of(rows, columns=COLUMNS)


def groups_of(held: Cutter, found: Found, effects: Sequence[Tensor], size: float) -> Table:
    """The groups, with the parts at the ends of their edges; `effects` as `together` gives them."""
    rows, found_in = [], held.graph
    for number, (group, effect) in enumerate(zip(found.groups, effects)):
        names = [found_in.name(edge) for edge in group.edges]
        ends = [(found_in.edges[edge][0], found_in.edges[edge][1]) for edge in group.edges]
        parts = dict.fromkeys(p for w, r in ends for p in (found_in.writers[w].part, found_in.readers[r].part))
        rows.append(
            {
                "group": number,
                "kind": group.kind,
                "parts": list(parts),
                "edges": names,
                "together": float(effect.abs().mean()) / size,
            }
        )
    return Table.of(rows, columns=GROUP_COLUMNS)


def _state(effect: Estimate, floor: float, claimed: bool, grouped: bool) -> str:
    if claimed and effect.known and is_used(effect, floor):
        return "used"
    return "used together" if grouped else "undecided"


def _telescoped(held: Cutter, order: Sequence[int]) -> list[float]:
    """What each edge adds when the edges are cut one after the other."""
    if not order:
        return []
    sums = over_draws(held, held.cuts([order[:place] for place in range(1, len(order) + 1)])).mean((0, 2))
    return torch.diff(sums, prepend=torch.zeros(1, dtype=sums.dtype)).tolist()


def layers_of(held: Cutter, found: Found, total: float) -> Table:
    """At the cut before each block: the share that the named edges across it carry together, and the rest."""
    times = sorted({reader.time for reader in held.graph.readers if reader.time[1] == 0})
    cuts = torch.zeros(len(times), len(held.graph))
    for cut, time in zip(cuts, times):
        for edge in found.named:
            writer, reader = held.graph.edges[edge]
            if held.graph.writers[writer].time < time <= held.graph.readers[reader].time:
                cut[edge] = 1
    carried: Tensor = over_draws(held, cuts).mean((0, 2)) / total
    return Table.of(
        [
            {"before": "output" if time[0] == times[-1][0] else str(time[0]), "edges": int(cut.sum()), "named": float(share),
             "unexplained": 1 - float(share)}
            for time, cut, share in zip(times, cuts, carried)
        ]
    )  # fmt: skip


def together(held: Cutter, sets: Sequence[Sequence[int]]) -> list[Float[Tensor, "draws rows"]]:
    """What cutting each set changes, on the examples that did not choose it."""
    return list(over_draws(held, held.cuts(sets)).transpose(0, 1)) if sets else []
