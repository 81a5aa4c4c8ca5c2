"""Selective edges: those that move the decision more than decoys, edges that carry something about nothing in particular.

A decoy of an edge shows the reader the same stream with a random displacement in the place of what the writer's stand-in
changes: of the same size, row by row and position by position, at the same angle to the stream (behind a norm only the
angle counts), with the same relation between the rows. Only its direction is drawn: from the covariance of the stream that
this reader sees on other inputs ("covariance"), or as the difference between two other inputs ("natural"). A third kind is
the edge itself in other decisions of the network ("decisions"), where it has many outputs. An edge must beat all kinds.

Every edge of the network is a candidate, for ranking has already chosen among all of them. So the decoys stand for all
edges: those of a sample, drawn by how far they could move the decision, each counted for as many edges as it stands for.
With m decoys an edge, a score that D of them reach is expected of (1 + D) / m edges about nothing, and T edges named at this
score have that over T as their estimated false discovery proportion: target-decoy competition (Elias and Gygi 2007, doi
10.1038/nmeth1019), with the + 1 of Barber and Candès 2015 (arXiv 1404.5609).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.fewer_rows import by_name, in_halves, on_rows
from cutaway.decisions.circuit.halves import ROUNDING
from cutaway.decisions.estimate import FEWEST
from cutaway.decisions.selective import relations
from cutaway.network import Batch, LogitDifference, Metric, Site, logits_of
from cutaway.network.metric import at_least_single
from cutaway.network.passes import Pass, Touch
from cutaway.network.site import Port
from cutaway.submodels import Baseline, donors

POOL = 64  # other inputs that covariances and natural differences are taken from
SAMPLE = 24  # edges that stand for all that are not tested
DECISIONS = 200  # other decisions; with fewer possible ones there is no such kind
PROMISED = 0.05
STACK = 8192  # rows × positions of one pass
OUTPUTS = 4_000_000  # numbers that the outputs of one pass may hold, in double precision: 32 MB
EMBED = Site("embed")

Moved = Float[Tensor, "rows position width"]


@dataclass(frozen=True)
class SelectiveEdges:
    """Which of the tested `edges` (in the order they were given) beat their decoys, each with its p and q.

    `p` is against decoys of every edge of the network, `q` the smallest estimated false discovery proportion at which the
    edge is named; None where nothing could be tested, which `note` says. `selective` are the edges up to the stopping
    point: the longest list whose estimated false discovery proportion (`estimated`) is at most 5 %. `smallest` is the
    smallest q possible with so many decoys; where it is above 5 %, no edge could have been named, and silence says nothing.
    `kinds` are the decoys that there were, `runs` the reruns that they took.
    """

    edges: tuple[int, ...]
    p: tuple[float | None, ...]
    q: tuple[float | None, ...]
    selective: frozenset[int]
    estimated: float
    smallest: float
    decoys: int
    kinds: tuple[str, ...]
    runs: int
    seed: int
    note: str = ""


def selective_edges(
    cutter: Cutter,
    edges: Sequence[int],
    rank: Float[Tensor, "edges"],
    *,
    decoys: int = 24,
    seed: int = 0,
    floor: float = 0.0,
) -> SelectiveEdges:
    """Tests `edges` against `decoys` decoys of each kind, on the examples of `cutter`: not those that chose the edges.

    `rank` are the shares of all edges of the graph, on whatever chose; they only say which edges to sample. An edge that
    moves the decision by `floor` or less is not named, and a decoy that does is not counted. Without a reference nothing
    is tested.
    """
    if decoys < 2:
        raise ValueError(
            f"decoys={decoys}; expected at least 2 for each edge (with fewer than 20 no lone edge can be named)"
        )
    asked = tuple(dict.fromkeys(edges))
    try:
        others = donors(cutter.net, cutter.posed.batch, POOL, seed + 104729)
    except ValueError as error:  # NoReference is one too
        return _untested(asked, decoys, seed, f"not tested: {error}")
    if not asked:
        return _untested(asked, decoys, seed, "no edges to test")
    race = _Race(_dealt(cutter), others, decoys, torch.Generator().manual_seed(seed + 7919))
    chances = race.sampled(asked, rank)
    least = max(floor, ROUNDING * float(race.clean.abs().max()))  # of the decision's own size: less is no effect
    effects = race.run(tuple(chances))
    expected = [_expected(kind, len(asked), chances, least) for kind in effects.values()]
    return _named(asked, torch.stack(expected).amax(0), race, tuple(effects), seed)


def _untested(edges: tuple[int, ...], decoys: int, seed: int, note: str) -> SelectiveEdges:
    none = (None,) * len(edges)
    return SelectiveEdges(edges, none, none, frozenset(), 0.0, 1.0, decoys, (), 0, seed, note)


@dataclass
class _Race:
    """Edges and their decoys, cut exactly side by side."""

    cutter: Cutter
    others: Batch
    decoys: int
    generator: torch.Generator
    runs: int = 0

    @cached_property
    def clean(self) -> Float[Tensor, "rows"]:
        nothing = torch.zeros(1, len(self.cutter.graph))
        return on_rows(
            self.cutter, lambda few, _: few.decide(nothing)[0], lambda found: torch.cat(list(found)), "decoys"
        )

    @cached_property
    def streams(self) -> dict[Port, Moved]:
        """What each reader sees."""
        return _streams(self.cutter, self.cutter.posed.batch)

    @cached_property
    def natural(self) -> dict[Port, Float[Tensor, "pool position width"]]:
        """What each reader sees on other inputs."""
        return _streams(self.cutter, self.others)

    @cached_property
    def spread(self) -> dict[Port, Float[Tensor, "width width"]]:
        """Rows that turn standard normal numbers into draws with the covariance of what each reader sees."""
        found = {}
        for entry, x in self.natural.items():
            centred = (x - x.mean(0, keepdim=True)).flatten(0, -2).double()
            sizes, axes = torch.linalg.eigh(centred.T @ centred / len(centred))
            found[entry] = (axes * sizes.clamp(min=0).sqrt()).T.to(x)
        return found

    @cached_property
    def now(self) -> dict[Site, Tensor]:
        """What is read off at every site."""
        net, sites = self.cutter.net, self.cutter.graph.sites
        read = on_rows(self.cutter, lambda few, _: net.read(few.posed.batch, *sites), by_name, "decoys")
        return {site: read[str(site)] for site in sites}

    @cached_property
    def shifts(self) -> list[Moved]:
        """What each writer's stand-in would change."""
        cutter = self.cutter
        changes = ((site, cutter.change(site, 0, self.now)) for site in cutter.graph.members)
        return [at_least_single(x) for site, change in changes for x in cutter.each(site, change, 1.0).unbind(-2)]

    def sampled(self, edges: Sequence[int], rank: Float[Tensor, "edges"]) -> dict[int, float]:
        """`edges`, then the sample that stands for the others, each with the chance that it had to be drawn.

        Half of the chance is the same for all; half grows with the size of what the edge carries, times the largest share
        of that size that its reader passes on. What carries nothing has no decoys.
        """
        graph = self.cutter.graph
        size = torch.tensor([float(self.shifts[writer].norm()) for writer, _ in graph.edges])
        reach = torch.zeros(len(graph))
        for reader in range(len(graph.readers)):
            here = graph.into(reader)
            passed = torch.where(size[here] > 0, rank[here] / size[here].clamp(min=1e-30), 0.0)
            reach[here] = size[here] * passed.max()
        even = (size > 0) / (size > 0).sum().clamp(min=1)
        chance = (SAMPLE / 2 * (even + reach / reach.sum().clamp(min=1e-30))).clamp(max=1)
        drawn = (torch.rand(len(graph), generator=self.generator) < chance).nonzero()[:, 0].tolist()
        return {**dict.fromkeys(edges, 1.0), **{edge: float(chance[edge]) for edge in drawn if edge not in set(edges)}}

    def run(self, edges: Sequence[int]) -> dict[str, Float[Tensor, "edges candidates"]]:
        """By kind of decoy, how far each edge (first) and its decoys move the decision."""
        moved = torch.stack([self._race(edge) for edge in edges])
        found = {
            "covariance": moved[:, : 1 + self.decoys],
            "natural": torch.cat([moved[:, :1], moved[:, 1 + self.decoys :]], dim=1),
        }
        elsewhere = self._elsewhere(edges)
        return found if elsewhere is None else found | {"decisions": torch.cat([moved[:, :1], elsewhere], dim=1)}

    def _race(self, edge: int) -> Float[Tensor, "candidates"]:
        """What an edge and its decoys of the first two kinds move."""
        writer, reader = self.cutter.graph.edges[edge]
        shift, entry = self.shifts[writer], self.cutter.graph.readers[reader].entry
        if not bool(shift.any()):
            return torch.zeros(1 + 2 * self.decoys, dtype=torch.float64)
        stream = self.streams[entry]
        unit = stream / stream.norm(dim=-1, keepdim=True).clamp(min=1e-30)
        along = (shift * unit).sum(-1, keepdim=True) * unit
        relation = relations(shift - along).to(shift)
        count = self.decoys * relation.shape[-1]
        drawn = torch.cat([self._covariance(entry, count), self._natural(entry, count)])
        drawn = drawn / drawn.norm(dim=-1, keepdim=True).clamp(min=1e-30)
        moved = torch.einsum("prd,ndpw->nrpw", relation, drawn.unflatten(0, (2 * self.decoys, -1)))
        moved = moved - (moved * unit).sum(-1, keepdim=True) * unit
        across = (shift - along).norm(dim=-1, keepdim=True)
        moved = along + across * moved / moved.norm(dim=-1, keepdim=True).clamp(min=1e-30)
        return self._moved(reader, torch.cat([shift[None], moved])).double().mean(1).abs()

    def _covariance(self, entry: Port, count: int) -> Float[Tensor, "count position width"]:
        x = self.natural[entry]
        return torch.randn((count, *x.shape[1:]), generator=self.generator).to(x) @ self.spread[entry]

    def _natural(self, entry: Port, count: int) -> Float[Tensor, "count position width"]:
        x = self.natural[entry]
        first = torch.randint(len(x), (count,), generator=self.generator)
        second = (first + torch.randint(1, len(x), (count,), generator=self.generator)) % len(x)
        return x[first] - x[second]

    def _moved(
        self, reader: int, shifts: Float[Tensor, "candidates rows position width"]
    ) -> Float[Tensor, "candidates rows"]:
        """Change of the decision when one reader sees the stream shifted.

        As a cut of its edge from the embedding: the only writer that can stand for any displacement of the stream.
        """
        cutter, rows = self.cutter, shifts.shape[1]
        pieces, first = cutter.graph.members[EMBED], cutter.graph.into(reader).start
        cut = cutter.cuts([range(first + pieces.start, first + pieces.stop)])

        def some(here: slice) -> Tensor:
            put = (self.now[EMBED] + shifts[here] / cutter.graph.factor(EMBED)).flatten(0, 1)
            repeated = cutter.rows(torch.arange(len(put)) % rows)
            shown = replace(repeated, values=Baseline("value", ({EMBED: put},)))
            return shown.decide(cut)[0].view(-1, rows) - self.clean

        self.runs += len(shifts)
        return cutter.in_stacks(some, len(shifts), max(1, STACK // (rows * shifts.shape[2] * 2)), "decoys")

    def _elsewhere(self, edges: Sequence[int]) -> Float[Tensor, "edges decisions"] | None:
        """What each edge moves other decisions by; None where there are too few."""
        asked = _asked(self.cutter.posed.metric)
        if asked is None:
            return None
        words, inverse = torch.stack(asked).unique(return_inverse=True)
        clean = self._logits([[]])
        outputs = clean.shape[-1]
        if len(words) > outputs or math.perm(outputs, len(words)) < DECISIONS:
            return None
        drawn = torch.rand(DECISIONS, outputs, generator=self.generator).argsort(1)[:, : len(words)]
        answer, instead = drawn[:, inverse[0]].T, drawn[:, inverse[1]].T
        self.runs += len(edges)

        def some(here: slice) -> Tensor:
            change = self._logits([[edge] for edge in edges[here]]) - clean
            picked = [change.gather(2, ends.expand(len(change), -1, -1)) for ends in (answer, instead)]
            return (picked[0] - picked[1]).mean(1).abs()

        return self.cutter.in_stacks(some, len(edges), max(1, OUTPUTS // clean.numel()), "edges")

    def _logits(self, sets: Sequence[Sequence[int]]) -> Float[Tensor, "sets rows outputs"]:
        """All outputs with each of these sets of edges cut."""
        seen = _Outputs()
        posed = replace(self.cutter.posed, metric=seen)
        replace(self.cutter, posed=posed).decide(self.cutter.cuts(sets))
        return seen.found[-1].double().cpu().unflatten(0, (len(sets), -1))


def _streams(cutter: Cutter, batch: Batch) -> dict[Port, Moved]:
    """The stream at each place where it is read."""

    def some(rows: Int[Tensor, "rows"]) -> dict[Port, Moved]:
        seen: dict[Port, Tensor] = {}
        touches = [
            Touch(entry, lambda x, entry=entry: seen.__setitem__(entry, at_least_single(x).clone()))
            for entry in cutter.graph.entries
        ]
        Pass(cutter.net.wiring, touches)(batch if len(rows) == batch.rows else batch.take(rows))
        return seen

    return in_halves(some, torch.arange(batch.rows), by_name, cutter.told, "decoys")


def _dealt(cutter: Cutter) -> Cutter:
    """The same with one stand-in for each row: dealt out in turn; where there are few rows, each row with every one."""
    draws, rows = cutter.values.draws, cutter.posed.batch.rows
    if draws == 1:
        return cutter
    few = rows < 2 * FEWEST
    take = torch.arange(rows).repeat(draws if few else 1)
    draw = (torch.arange(draws).repeat_interleave(rows) if few else take % draws).tolist()
    values = {
        site: torch.stack(
            [cutter.values.values[d][site][i if len(x) == rows else 0] for i, d in zip(take.tolist(), draw)]
        )
        for site, x in cutter.values.values[0].items()
    }
    return replace(cutter.rows(take), values=replace(cutter.values, values=(values,)))


def _asked(metric: Metric) -> tuple[Tensor, Tensor] | None:
    """The outputs that each row's decision is between, if it is between two."""
    rows: Tensor | None = None
    while not isinstance(metric, LogitDifference):
        inner, chosen = getattr(metric, "inner", None), getattr(metric, "chosen", None)
        if inner is None or chosen is None:
            return None
        metric, rows = inner, chosen if rows is None else chosen[rows]
    if metric.instead is None:
        return None
    both = metric.answer.cpu(), metric.instead.cpu()
    return both if rows is None else (both[0][rows], both[1][rows])


@dataclass(frozen=True)
class _Outputs:
    """A metric that keeps all outputs of the last position."""

    found: list[Tensor] = field(default_factory=list)
    last: bool = True
    columns: Tensor | None = None

    def narrowed(self) -> _Outputs:
        return self

    def __call__(self, output: Any, rows: Tensor) -> Float[Tensor, "rows"]:
        logits = logits_of(output)
        self.found.append(logits[:, -1] if logits.ndim == 3 else logits)
        return torch.zeros(len(rows), device=logits.device)


# scores -----------------------------------------------------------------------------------------------------------------


def _expected(
    effects: Float[Tensor, "edges candidates"], tested: int, chances: Mapping[int, float], least: float
) -> Float[Tensor, "tested"]:
    """How many edges of the network that are about nothing would score as high as each tested one.

    A score is an effect against those of the other candidates of its edge (root mean square, at least `least`), the same
    for an edge and for its decoys: if the edge is about nothing, nothing tells it from them.
    """
    square, decoys = effects**2, effects.shape[1] - 1
    others = ((square.sum(1, keepdim=True) - square) / decoys).clamp(min=0).sqrt()
    score = torch.where(effects > least, effects / others.clamp(min=least), 0.0)
    weight = 1 / torch.tensor(list(chances.values()), dtype=score.dtype)
    beyond = [float((weight * (score[:, 1:] >= own).sum(1)).sum()) for own in score[:tested, 0]]
    expected = (1 + torch.tensor(beyond)) / decoys
    return torch.where(score[:tested, 0] > 0, expected, torch.inf)


def _named(
    edges: tuple[int, ...], expected: Float[Tensor, "edges"], race: _Race, kinds: tuple[str, ...], seed: int
) -> SelectiveEdges:
    """The longest list whose estimated false discovery proportion is small enough."""
    order = expected.argsort()
    proportion = (expected[order] / torch.arange(1, len(edges) + 1)).clamp(max=1)
    q = torch.ones(len(edges))
    q[order] = proportion.flip(0).cummin(0).values.flip(0)
    count = int((q <= PROMISED).sum())
    p = (expected / len(race.cutter.graph)).clamp(max=1)
    return SelectiveEdges(
        edges,
        tuple(p.tolist()),
        tuple(q.tolist()),
        frozenset(edges[i] for i in order[:count].tolist()),
        float(proportion[count - 1]) if count else 0.0,
        1 / (min(race.decoys, DECISIONS) * len(edges)),
        race.decoys,
        kinds,
        race.runs,
        seed,
    )
