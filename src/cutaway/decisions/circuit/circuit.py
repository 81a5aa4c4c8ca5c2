"""The circuit behind a decision: its edges with three numbers each, what they leave unexplained, and the checks.

The numbers are never mixed: what cutting the edge alone changes (`knockout`, exact, with its interval); its share by
integrated gradients (`share`, with the completeness error beside it); and what it adds when the named edges are cut one
after the other in the order of the table (`telescoping`, exact; sums to what cutting all of them changes). Edges are chosen
on one half of the examples, which also gives the shares; every effect in the table is of the other half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.checks import Examined, Joint, examine, random_halves, worst_strengths
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.decoys import SelectiveEdges, selective_edges
from cutaway.decisions.circuit.find import HALVES, Found, find, over_draws
from cutaway.decisions.circuit.halves import halves, nothing_in, rounded
from cutaway.decisions.circuit.others import others
from cutaway.decisions.circuit.repair import Repair
from cutaway.decisions.circuit.share import Path, Shares, shares
from cutaway.decisions.circuit.stability import stability
from cutaway.decisions.circuit.tables import COLUMNS, GROUP_COLUMNS, alone, groups_of, layers_of, table_of, together
from cutaway.decisions.circuit.waking import told_apart
from cutaway.decisions.circuit.walk import carried, walk
from cutaway.decisions.estimate import FEWEST, Estimate, estimate
from cutaway.runs.table import Table

RACED = 20  # edges that are tested against decoys, at most: the highest ranked
RANKING = 3  # points on the path of the inputs, which ranks edges beside their shares
REPAIRS = 3  # times that a circuit is grown after a failed check: an adversary may find another way each time
FITTED = 7919  # between the seeds of the random halves that repair and of those that report
LARGEST_DIFFUSE = 0.05  # of the total effect: more, with nothing to name in it, is "not explained"
NONE = Table.of([])


@dataclass(frozen=True, eq=False)
class Circuit:
    """Edges behind a decision, strongest first, and how much to believe it.

    `edges`: one row an edge; effects as changes of the decision, `share` as a share of the total effect, `at` the
    position where that is largest. `groups`: edges to be seen together (redundant, backup, cancelling), `together`
    what cutting all of them moves (`group_effects`: signed, on the other half of the examples). `layers`: at the cut
    before each block, what the named edges across it carry, and what is unexplained. `power`: wrong sets that pass the
    check of sufficiency. `missing` is the completeness error of the shares. `passes` are forward and backward ones of
    the screening, `runs` reruns of the search, with single and with joint cuts (the tables, checks and decoys take
    more: see the trace's cost). `verdict` says in words what holds. `steps`: what each part at each position read and
    wrote. `carried`: how much of the decision goes through parts with a name, through others, and through no named
    edge. `others`: the same edges under the mean and zero. `stability`: would other examples have named them?
    `false_discoveries`: the estimated share of false ones among the selective edges (None: not tested). `claimed`:
    whether enough other examples than those that chose report, so that anything may be claimed.
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
    steps: Table = NONE
    carried: Table = NONE
    others: Table = NONE
    stability: Table = NONE
    false_discoveries: float | None = None
    claimed: bool = True

    @property
    def explained(self) -> bool:
        """Whether the named edges pass every check of sufficiency, on enough examples that did not choose them."""
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
    strata: int = 4,
    floor_share: float = 0.01,
    steps: Sequence[int] = (0, 20),
    restarts: int = 2,
    seed: int = 0,
    labels: Mapping[str, Sequence[str]] | None = None,
    rephrased: Cutter | None = None,
    decoys: int = 0,
) -> Circuit:
    """Finds the edges behind a decision and checks them.

    `strata` points of the path of edges give the shares, three more on that of the inputs help to rank. `floor_share`: of
    the total effect, what an edge must move the decision by. `steps` and `restarts` are the budget of the
    adversary (none: leave `steps` empty). `labels` are names of parts; `rephrased` asks the same in other words, and says
    whether the same edges are used there. `decoys`: of each kind for each of the strongest edges, which say whether it is
    selective (0: not tested; with fewer than 20 no lone edge can be).
    """
    told: list[str] = []
    fit, held, notes = halves(replace(whole, told=told), seed)
    everything = torch.ones(1, len(whole.graph))
    (moved, others_moved), least = [over_draws(half, everything) for half in (fit, held)], rounded(whole)
    size, total = abs(float(moved.mean())), estimate(others_moved[:, 0])
    nothing = nothing_in(moved, least) or nothing_in(others_moved, least)
    if nothing is not None:
        return _nothing(total, notes, *nothing)
    floor = max(floor_share * size, least)
    score, inputs = mean_shares(fit, strata, seed), mean_shares(fit, RANKING, seed, "inputs")
    rank, claimed = ranked(score, inputs), _claimed(whole, fit, held)
    found = find(fit, rank, floor, LARGEST_DIFFUSE / 2 * size, seed)
    found.groups = told_apart(fit, found.groups)
    limit = min(LARGEST_DIFFUSE, max(floor_share, 2 * found.diffuse / size))
    worst = _repaired(Repair(fit, found, rank, floor, limit * size), steps, restarts, seed)
    examined = examine(fit, held, found, total.mean, limit, floor, seed=seed, worst=worst)
    cut, raced = alone(held, found.named), _race(held, found.named, rank, decoys, seed, floor)
    told += _said(found, raced)
    jointly = together(held, [group.edges for group in found.groups])
    return Circuit(
        table_of(held, found, cut, score, floor, claimed, raced),
        groups_of(held, found, jointly, abs(total.mean)),
        layers_of(held, found, total.mean),
        examined.checks,
        examined.power,
        total,
        floor,
        score.completeness,
        (score.forward + fit.values.draws + inputs.backward, score.backward + inputs.backward),
        (found.single, found.joint),
        _verdict(examined, found, size, claimed),
        group_effects=tuple(estimate(effect) for effect in jointly),
        steps=walk(held, found.named, score.score, cut.effects, labels or {}, fit.posed.batch),
        carried=carried(held, found.named, labels or {}),
        others=others(fit, held, found.named, _jointly(found), floor, seed),
        stability=stability(found.alone, floor, held if held is not fit else None, rephrased, seed),
        false_discoveries=raced.estimated if raced is not None and raced.kinds else None,
        claimed=claimed,
        notes=tuple(dict.fromkeys([*notes, *told])),  # last: everything above may have something to say
    )


def _repaired(repair: Repair, steps: Sequence[int], restarts: int, seed: int) -> dict[int, Float[Tensor, "edges"]]:
    """Grows the circuit until it passes the checks of sufficiency where it was chosen; the adversary's last strengths."""
    fit, found = repair.fit, repair.found
    for again in range(REPAIRS + 1):
        worst = worst_strengths(fit, found.named, steps, restarts, seed + again)
        rest = 1 - fit.cuts([found.named])[0]
        halves = random_halves(rest, seed + FITTED + again, HALVES)
        if again == REPAIRS or not repair([rest, *halves, *worst.values()]):
            break
    return worst


def _claimed(whole: Cutter, fit: Cutter, held: Cutter) -> bool:
    """Whether enough other examples report than chose: other prompts, or where the donors were halved, four at least."""
    donors = held.values.draws
    return fit is not held and (donors == whole.values.draws or donors >= FEWEST)


def _said(found: Found, raced: SelectiveEdges | None) -> list[str]:
    """What the search and the race have to say of themselves."""
    missed = f"{len(found.missed)} edges were missed by ranking and audit, and found by the joint cuts"
    grown = f"a check failed: {len(found.repaired)} edges were added, until it held where it was chosen"
    untested = [f"selective edges: {raced.note}"] if raced is not None and raced.note else []
    return [*([missed] if found.missed else []), *([grown] if found.repaired else []), *untested]


def _race(
    held: Cutter, named: Sequence[int], rank: Float[Tensor, "edges"], decoys: int, seed: int, floor: float
) -> SelectiveEdges | None:
    """The highest ranked edges against their decoys; None where that was not asked for."""
    if not decoys or not named:
        return None
    highest = sorted(named, key=lambda edge: -float(rank[edge]))[:RACED]
    return selective_edges(held, highest, rank, decoys=decoys, seed=seed, floor=floor)


def _jointly(found: Found) -> dict[int, str]:
    """How edges that were named for what they do with others do it."""
    grouped = {edge: group.kind for group in found.groups for edge in group.edges if group.kind != "cancelling"}
    return dict.fromkeys(found.added, "spread") | grouped


def ranked(*several: Shares) -> Float[Tensor, "edges"]:
    """What the search goes by: the larger of the absolute shares, each as a share of their sum."""
    sums = [one.absolute / one.absolute.sum().clamp(min=1e-30) for one in several]
    return torch.stack(sums).amax(0)


def mean_shares(cutter: Cutter, strata: int, seed: int, path: Path = "edges") -> Shares:
    """Shares, mean over the draws of the stand-ins; the passes are the sum."""
    several = [shares(cutter, strata, seed + draw, draw, path) for draw in range(cutter.values.draws)]
    count = len(several)
    return Shares(
        torch.stack([one.score for one in several]).mean(0) if count > 1 else several[0].score,
        torch.stack([one.total for one in several]).mean(0),
        several[0].clean,
        sum(one.forward for one in several),
        sum(one.backward for one in several),
    )


def _verdict(examined: Examined, found: Found, size: float, claimed: bool) -> str:
    if not found.named:
        return f"not explained: no edge moves the decision beyond the floor (everything else moves {found.diffuse / size:.1%})"
    failing = [check for check in examined.checks if check.what.startswith("sufficient") and not check.holds]
    if failing:
        worst = max(failing, key=lambda check: check.moved.mean)
        return f"not explained: {worst.what} still moves the decision by {worst.moved.mean:.1%} of the total"
    return (
        "explained"
        if claimed
        else "unsure: every check holds, but on examples that also chose the edges, or on too few"
    )


def _nothing(total: Estimate, notes: Sequence[str], verdict: str, note: str) -> Circuit:
    """The circuit of a decision that cutting everything does not change."""
    said, none = (*notes, note), Table.of([])
    edges, groups = Table.of([], columns=COLUMNS), Table.of([], columns=GROUP_COLUMNS)
    return Circuit(edges, groups, none, (), none, total, 0.0, 0.0, (0, 0), (0, 0), verdict, said)
