"""The circuit behind a decision: its edges with three numbers each, what they leave unexplained, and the checks.

The numbers are never mixed: what cutting the edge alone changes (`knockout`, exact, with its interval); its share by
integrated gradients (`share`, with the completeness error beside it); and what it adds when the named edges are cut one
after the other in the order of the table (`telescoping`, exact; sums to what cutting all of them changes). Edges are chosen
on one half of the examples; every number in the table is of the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from cutaway.decisions.circuit.checks import Examined, Joint, examine
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.find import Found, find, is_used, over_draws
from cutaway.decisions.circuit.graph import Graph
from cutaway.decisions.circuit.share import Shares, shares
from cutaway.decisions.estimate import FEWEST, Estimate, estimate
from cutaway.runs.table import Table

LARGEST_DIFFUSE = 0.05  # of the total effect: more, with nothing to name in it, is "not explained"
ROUNDING = 1e-5  # of the decision's own size, clean or with every edge cut: a total effect below this is no effect
COLUMNS = ("from", "to", "through", "at", "knockout", "low", "high", "n", "share", "telescoping", "state", "group")
GROUP_COLUMNS = ("group", "kind", "parts", "edges", "together")


@dataclass(frozen=True, eq=False)
class Circuit:
    """Edges behind a decision, strongest first, and how much to believe it.

    `edges`: one row an edge; effects as changes of the decision, `share` as a share of the total effect, `at` the position
    where that is largest. `groups`: edges to be seen together (redundant, cancelling), `together` what cutting all of them
    moves (`group_effects`: signed, on the other half of the examples). `layers`: at the cut before each block, what the
    named edges across it carry, and what is unexplained. `power`: wrong sets that pass the check of sufficiency. `missing`
    is the completeness error of the shares. `passes` are forward and backward ones of the screening, `runs` reruns with
    single and with joint cuts. `verdict` says in words what holds.
    """

    edges: Table
    groups: Table
    layers: Table
    checks: tuple[Joint, ...]
    power: Table
    total: Estimate
    floor: float
    missing: float
    passes: tuple[int, int]
    runs: tuple[int, int]
    verdict: str
    notes: tuple[str, ...] = ()
    group_effects: tuple[Estimate, ...] = ()

    @property
    def explained(self) -> bool:
        """Whether the named edges pass every check of sufficiency."""
        return self.verdict == "explained"

    @property
    def names(self) -> frozenset[str]:
        """The named edges: `z.1[head=0] → z.3[head=1]/k`."""
        return frozenset(edge_name(row) for row in self.edges)


def edge_name(row: Any) -> str:
    """The name of a row of the table of edges."""
    return f"{row['from']} → {row['to']}" + ("" if row["through"] == "out" else f"/{row['through']}")


def circuit(
    whole: Cutter,
    *,
    strata: int = 8,
    floor_share: float = 0.01,
    steps: Sequence[int] = (0, 20),
    restarts: int = 2,
    seed: int = 0,
) -> Circuit:
    """Finds the edges behind a decision and checks them.

    `floor_share`: of the total effect, what an edge must move the decision by. `steps` and `restarts` are the budget of the
    adversary (none: leave `steps` empty).
    """
    fit, held, notes = halves(whole, seed)
    everything = torch.ones(1, len(whole.graph))
    size = abs(float(over_draws(fit, everything).mean()))
    total = estimate(over_draws(held, everything)[:, 0])
    if not size > ROUNDING * float(whole.decide(torch.cat([0 * everything, everything])).abs().max()):
        return _nothing(total, notes)
    floor = floor_share * size
    score = mean_shares(fit, strata, seed)
    found = find(fit, score.absolute, floor, LARGEST_DIFFUSE / 2 * size, seed)
    limit = min(LARGEST_DIFFUSE, max(floor_share, 2 * found.diffuse / size))
    examined = examine(fit, held, found, total.mean, limit, floor, steps, restarts, seed)
    if found.missed:
        notes = [*notes, f"{len(found.missed)} edges were missed by ranking and audit, and found by the joint cuts"]
    return Circuit(
        _table(held, found, score, total.mean, floor),
        _groups(held.graph, found, size),
        _layers(held, found, total.mean),
        examined.checks,
        examined.power,
        total,
        floor,
        score.completeness,
        (score.forward, score.backward),
        (found.single, found.joint),
        _verdict(examined, found, size),
        tuple(notes),
        tuple(_together(held, [group.edges for group in found.groups])),
    )


def halves(whole: Cutter, seed: int) -> tuple[Cutter, Cutter, list[str]]:
    """The examples to choose on and those to report on: half of the prompts each, or half of the stand-ins for few prompts."""
    generator = torch.Generator().manual_seed(seed)
    rows, draws = whole.posed.batch.rows, whole.values.draws
    if rows >= 2 * FEWEST:
        order = torch.randperm(rows, generator=generator)
        answers = getattr(whole.posed.metric, "answer", None)
        if answers is not None:  # rows with the same answer are dealt to both
            order = order[answers.cpu()[order].argsort(stable=True)]
        return whole.rows(order[::2].sort().values), whole.rows(order[1::2].sort().values), []
    if draws >= 2:
        first, second = whole.values.values[: draws // 2], whole.values.values[draws // 2 :]
        parts = [replace(whole, values=replace(whole.values, values=values)) for values in (first, second)]
        return parts[0], parts[1], [f"{rows} prompts: chosen with one half of the stand-ins, reported with the other"]
    note = "one prompt with one stand-in: what chose the edges also reports them, so every state stays undecided"
    return whole, whole, [note]


def mean_shares(cutter: Cutter, strata: int, seed: int) -> Shares:
    """Shares, mean over the draws of the stand-ins; the passes are the sum."""
    several = [shares(cutter, strata, seed + draw, draw) for draw in range(cutter.values.draws)]
    count = len(several)
    return Shares(
        torch.stack([one.score for one in several]).mean(0) if count > 1 else several[0].score,
        torch.stack([one.total for one in several]).mean(0),
        several[0].clean,
        sum(one.forward for one in several),
        sum(one.backward for one in several),
    )


def _table(held: Cutter, found: Found, score: Shares, total: float, floor: float) -> Table:
    """The named edges, strongest first, on the examples that did not choose them."""
    named = found.named
    alone = over_draws(held, held.cuts([[edge] for edge in named])) if named else torch.zeros(1, 0, 1)
    group_of = {edge: i for i, group in enumerate(found.groups) for edge in group.edges}
    order = sorted(range(len(named)), key=lambda i: -float(alone[:, i].abs().mean()))
    added = _telescoped(held, [named[i] for i in order])
    rows = []
    for place, i in enumerate(order):
        writer, reader = (
            held.graph.writers[held.graph.edges[named[i]][0]],
            held.graph.readers[held.graph.edges[named[i]][1]],
        )
        effect = estimate(alone[:, i])
        rows.append(
            {
                "from": writer.part,
                "to": reader.part,
                "through": reader.through,
                "at": int(score.score[named[i]].abs().mean(0).argmax()),
                "knockout": effect.mean,
                "low": effect.low if effect.known else None,
                "high": effect.high if effect.known else None,
                "n": effect.n,
                "share": float(score.signed[named[i]]) / float(score.total.mean()),
                "telescoping": added[place],
                "state": _state(effect, floor, named[i] in group_of or named[i] in found.added),
                "group": group_of.get(named[i]),
            }
        )
    return Table.of(rows, columns=COLUMNS)


def _together(held: Cutter, sets: Sequence[Sequence[int]]) -> list[Estimate]:
    """What cutting each set changes, on the examples that did not choose it."""
    return [estimate(effect) for effect in over_draws(held, held.cuts(sets)).transpose(0, 1)] if sets else []


def _groups(found_in: Graph, found: Found, size: float) -> Table:
    """The groups, with the parts at the ends of their edges."""
    rows = []
    for number, group in enumerate(found.groups):
        names = [found_in.name(edge) for edge in group.edges]
        ends = [(found_in.edges[edge][0], found_in.edges[edge][1]) for edge in group.edges]
        parts = dict.fromkeys(p for w, r in ends for p in (found_in.writers[w].part, found_in.readers[r].part))
        rows.append(
            {
                "group": number,
                "kind": group.kind,
                "parts": list(parts),
                "edges": names,
                "together": group.together / size,
            }
        )
    return Table.of(rows, columns=GROUP_COLUMNS)


def _state(effect: Estimate, floor: float, grouped: bool) -> str:
    if is_used(effect, floor) and effect.known:
        return "used"
    return "used together" if grouped else "undecided"


def _telescoped(held: Cutter, order: Sequence[int]) -> list[float]:
    """What each edge adds when the edges are cut one after the other."""
    if not order:
        return []
    sums = over_draws(held, held.cuts([order[:place] for place in range(1, len(order) + 1)])).mean((0, 2))
    return torch.diff(sums, prepend=torch.zeros(1, dtype=sums.dtype)).tolist()


def _layers(held: Cutter, found: Found, total: float) -> Table:
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


def _verdict(examined: Examined, found: Found, size: float) -> str:
    if not found.named:
        return f"not explained: no edge moves the decision beyond the floor (everything else moves {found.diffuse / size:.1%})"
    failing = [check for check in examined.checks if check.what.startswith("sufficient") and not check.holds]
    if failing:
        worst = max(failing, key=lambda check: check.moved.mean)
        return f"not explained: {worst.what} still moves the decision by {worst.moved.mean:.1%} of the total"
    return "explained"


def _nothing(total: Estimate, notes: Sequence[str]) -> Circuit:
    """The circuit of a decision that cutting everything does not change."""
    said, none = (*notes, "nothing to explain: cutting every edge changes nothing"), Table.of([])
    edges, groups = Table.of([], columns=COLUMNS), Table.of([], columns=GROUP_COLUMNS)
    return Circuit(edges, groups, none, (), none, total, 0.0, 0.0, (0, 0), (0, 0), "nothing to explain", said)
