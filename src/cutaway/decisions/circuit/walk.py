"""A circuit step by step: each part at each position, what it read from where, and what it wrote for whom.

A step is a part at a position where something that it wrote is read. What enters through a head's queries, an MLP or the
output is read at the step's own position, what enters through keys and values at the position that the head looks at.
With it, exactly: how much of the decision goes through parts that have a name, through others, and through no edge of the
circuit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.find import over_draws
from cutaway.decisions.circuit.placed import HERE, Place, Placed, padding
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.decisions.graph.graph import Graph
from cutaway.decisions.graph.parts import START, Time
from cutaway.network import Batch, Site
from cutaway.runs.table import Table

EXACT = 64  # steps of which the effect is measured, at most: those with the largest shares
COLUMNS = ("layer", "part", "at", "token", "alike", "labels", "reads", "through", "read at", "share", "knockout", "writes",
           "into", "effect", "low", "high")  # fmt: skip
CARRIED = ("what", "share", "low", "high", "n", "edges", "parts")

Step = tuple[str, Place]


def walk(
    held: Cutter,
    named: Sequence[int],
    score: Float[Tensor, "edges batch position"],
    effects: Sequence[Estimate | float],
    labels: Mapping[str, Sequence[str]],
    batch: Batch | None = None,
) -> Table:
    """The steps of a circuit in the order in which they run: a row for each part at each position where it is used.

    `named` are the edges of the circuit, `effects` what cutting each of them alone changes, in the same order; `score` the
    shares of every edge of the graph on the rows of `batch` (default: those of `held`). `labels` are names of parts.

    `at` counts from a prompt's first token; negative, from its end; None: the positions with less than a tenth of an
    edge's absolute share each, together. `token` is the most usual one there, in a share `alike` of the prompts. What was
    read: lists `reads` (parts), `through`, `read at` (a list of positions each, strongest first), `share` (of the total,
    signed, at those positions), `knockout` (of the whole edge). What was written: lists `writes` (parts) and `into` (their
    ways in), strongest first. `effect`: exact change of the decision if none of the named readers sees what was written
    here, with its interval (None: no interval, or not among the 64 steps with the largest shares).

    What a head reads through keys and values is not known apart for each position of its query: it stands in each of its
    steps, but for what comes after the step in a network that only looks back.
    """
    if not named:
        return Table.of([], columns=COLUMNS)
    placed = Placed(held.graph, tuple(named), score, batch or held.posed.batch)
    work = _Walk(held, placed, tuple(effects), labels)
    return Table.of([work.row(step) for step in work.steps], columns=COLUMNS)


def carried(held: Cutter, named: Sequence[int], labels: Mapping[str, Sequence[str]]) -> Table:
    """How much of the decision goes through named parts, through unnamed ones, and is not explained: exact, 100 % in all.

    Cut one after the other: the edges of the circuit that touch a part with a label; the others of the circuit; every other
    edge. Each row is what that adds, as a share of the total, with its interval. `parts`: those with a label; those used
    without one, strongest first (candidates for a name). Empty where cutting everything changes nothing.
    """
    graph = held.graph
    known = [edge for edge in named if any(labels.get(part) for part in _ends(graph, edge))]
    sums = over_draws(held, held.cuts([known, named, range(len(graph))]))
    total = float(sums[:, 2].mean())
    if total == 0:
        return Table.of([], columns=CARRIED)
    added = torch.diff(sums, dim=1, prepend=torch.zeros_like(sums[:, :1])) / total
    parts = _by_strength(held, named)
    rows = [
        ("named", len(known), [part for part in parts if labels.get(part)]),
        ("unnamed", len(named) - len(known), [part for part in parts if not labels.get(part)]),
        ("unexplained", len(graph) - len(named), []),
    ]
    return Table.of(
        [
            {"what": what, "share": share.mean, "low": share.low if share.known else None,
             "high": share.high if share.known else None, "n": share.n, "edges": edges, "parts": among}
            for (what, edges, among), share in zip(rows, (estimate(added[:, i]) for i in range(3)))
        ],
        columns=CARRIED,
    )  # fmt: skip


def _ends(graph: Graph, edge: int) -> list[str]:
    """The parts that an edge touches: its writer, its reader, and each head that is made of what is read."""
    writer, reader = graph.edges[edge]
    fed = [graph.writers[i].part for i in graph.feeds[reader].nonzero()[:, 0].tolist()]
    return list(dict.fromkeys([graph.writers[writer].part, graph.readers[reader].part, *fed]))


def _by_strength(held: Cutter, named: Sequence[int]) -> list[str]:
    """The parts that a circuit goes through, by what cutting all their edges in it changes; neither input nor output."""
    graph, touching = held.graph, dict[str, list[int]]()
    for edge in named:
        writer, reader = graph.writers[graph.edges[edge][0]], graph.readers[graph.edges[edge][1]]
        inside = [writer.part] * (writer.time != START) + [reader.part] * (reader.through != "out")
        for part in dict.fromkeys(inside):
            touching.setdefault(part, []).append(edge)
    if not touching:
        return []
    moved = over_draws(held, held.cuts(list(touching.values()))).mean((0, 2)).abs().tolist()
    return [part for _, part in sorted(zip(moved, touching), key=lambda pair: -pair[0])]


@dataclass(frozen=True, eq=False)
class _Walk:
    """The steps of one circuit."""

    held: Cutter
    placed: Placed
    effects: tuple[Estimate | float, ...]
    labels: Mapping[str, Sequence[str]]

    @cached_property
    def steps(self) -> list[Step]:
        """Every part at every position where what it wrote is read, or where it reads."""
        placed = self.placed
        found = {(part, at) for part, edges in placed.written.items() for i in edges for at in placed.at(i, part)}
        for part, edges in placed.entering.items():
            found |= {(part, at) for i in edges if placed.way(i) in HERE for at in placed.at(i, part)}
            if not any(step[0] == part for step in found):
                found.add((part, None))
        return sorted(found, key=lambda step: (self.times[step[0]], numbers_in(step[0]), _order(step[1])))

    @cached_property
    def times(self) -> dict[str, Time]:
        """When each part runs."""
        graph = self.held.graph
        return {one.part: one.time for one in (*graph.readers, *graph.writers)}

    def row(self, step: Step) -> dict[str, Any]:
        """What a step read and wrote, and what that is worth."""
        (part, at), placed = step, self.placed
        reads = sorted(self._reads(step), key=lambda read: -abs(read[2]))
        writes = [i for i in placed.written.get(part, ()) if at in placed.at(i, part)]
        writes.sort(key=lambda i: -abs(placed.at(i, part)[at]))
        token, alike = self._token(at)
        layer, effect = self.times[part][0], self.measured.get(step)
        known = effect is not None and effect.known
        return {
            "layer": layer if 0 <= layer < self.held.net.layout.layers else None,
            "part": part,
            "at": at,
            "token": token,
            "alike": alike,
            "labels": list(self.labels.get(part, ())),
            "reads": [placed.writer(i) for i, *_ in reads],
            "through": [placed.way(i) for i, *_ in reads],
            "read at": [places for _, places, _ in reads],
            "share": [share for *_, share in reads],
            "knockout": [self._knockout(i) for i, *_ in reads],
            "writes": [placed.reader(i) for i in writes],
            "into": [placed.way(i) for i in writes],
            "effect": None if effect is None else effect.mean,
            "low": effect.low if effect is not None and known else None,
            "high": effect.high if effect is not None and known else None,
        }

    def _knockout(self, i: int) -> float:
        effect = self.effects[i]
        return effect.mean if isinstance(effect, Estimate) else float(effect)

    def _reads(self, step: Step) -> list[tuple[int, list[Place], float]]:
        """Each edge that enters a step, the positions read, and the share there."""
        (part, at), placed, found = step, self.placed, list[tuple[int, list[Place], float]]()
        for i in placed.entering.get(part, ()):
            if placed.way(i) in HERE:
                mine = placed.at(i, part)
                found += [(i, [at], mine[at])] if at in mine else []
                continue
            looked = placed.at(i, placed.writer(i))
            places = sorted((place for place in looked if self._may_look(at, place)), key=lambda p: -abs(looked[p]))
            found += [(i, places, sum(looked[place] for place in places))] if places else []
        return found

    def _may_look(self, at: Place, place: Place) -> bool:
        """Whether a part at `at` may look at `place`: never at what comes later, where the network only looks back."""
        if at is None or place is None or (at < 0) != (place < 0):
            return True
        return place <= at or not self.looks_back_only

    @cached_property
    def looks_back_only(self) -> bool:
        """Whether nothing before the last position changes with the last token."""
        few = self.held.posed.batch.take(torch.tensor([0]))
        if few.ids is None or few.ids.shape[1] < 2:
            return False
        others = few.ids.clone()
        others[:, -1] = torch.where(few.ids[:, -1] == 0, 1, 0)
        site = Site("resid_post", self.held.net.layout.layers - 1)
        changed = replace(few, kwargs={**few.kwargs, "input_ids": others})
        before, after = (self.held.net.read(batch, site)[str(site)][:, :-1] for batch in (few, changed))
        return torch.allclose(before, after, rtol=1e-4, atol=1e-5 * float(before.abs().max()))

    def _token(self, at: Place) -> tuple[str | None, float | None]:
        """The most usual token at a position, and in what share of the prompts."""
        batch = self.placed.batch
        if at is None or batch.tokens is None:
            return None, None
        pads = padding(batch).tolist() if at >= 0 else [0] * batch.rows
        there = [row[at + pad] for row, pad in zip(batch.tokens, pads) if at + pad < len(row) and row[at + pad]]
        if not there:
            return None, None
        token, count = Counter(there).most_common(1)[0]
        return token, count / batch.rows

    # exactly ----------------------------------------------------------------------------------------------------------

    @cached_property
    def measured(self) -> dict[Step, Estimate]:
        """What it changes that nobody named sees what a step wrote, for the strongest steps that write."""
        placed, held = self.placed, self.held
        size = {
            (part, at): sum(abs(placed.at(i, part).get(at, 0.0)) for i in placed.written[part])
            for part, at in self.steps
            if part in placed.written
        }
        chosen = sorted(size, key=lambda step: -size[step])[:EXACT]
        cuts = held.cuts([[placed.named[i] for i in placed.written[part]] for part, _ in chosen])
        pads = padding(held.posed.batch)
        found = torch.zeros(held.values.draws, len(chosen), len(pads))
        for pad in pads.unique().tolist():
            rows = (pads == pad).nonzero()[:, 0]
            some, where = held if len(rows) == len(pads) else held.rows(rows), self._where(chosen, pad)
            effects = [some.effects(cuts, draw, where) for draw in range(some.values.draws)]
            found[:, :, rows] = torch.stack(effects).to(found)
        return {step: estimate(found[:, i]) for i, step in enumerate(chosen)}

    def _where(self, chosen: Sequence[Step], pad: int) -> Bool[Tensor, "steps position"] | None:
        """Where each step writes in prompts with so much padding; a step without a position has all that others have not."""
        count = self.held.posed.batch.positions
        if count is None:
            return None
        where = torch.zeros(len(chosen), count, dtype=torch.bool)
        for mask, (part, at) in zip(where, chosen):
            places = [place for one, place in self.steps if one == part and place is not None] if at is None else [at]
            columns = [place + pad if place >= 0 else place + count for place in places]
            mask[[column for column in columns if column < count]] = True
            if at is None:
                mask.logical_not_()
        return where


def numbers_in(part: str) -> list[int]:
    """The numbers in a part's name, so that head 10 stands after head 9."""
    return [int(digits) for digits in re.findall(r"\d{1,9}", part)]


def _order(at: Place) -> tuple[int, int]:
    """From the start first, then from the end, then the rest."""
    return (2, 0) if at is None else (int(at < 0), at)
