"""How much of a decision each edge carries, by integrated gradients over one common strength of all edges.

Every reader sees (1 − a) · stream + a · the stream of stand-ins, with a going from 0 to 1; the gradient at each reader
times what each writer's stand-in would change, integrated over a, is the edge's share. All shares sum to the effect of
cutting everything, by the fundamental theorem of calculus: what is missing is the completeness error, and is reported.
Each example has its own random a in each stratum, spread evenly over the examples, so that few strata do the work of
many fixed steps: where every example switches at the same narrow range of a, some example is in it. Integrated
gradients: Sundararajan et al. 2017 (arXiv 1703.01365); over edges: Hanna et al. 2024 (arXiv 2403.17806), Miller et al.
2024 (arXiv 2407.08734), whose common mask this is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.fewer_rows import on_rows
from cutaway.decisions.graph.parts import Reader, Time
from cutaway.decisions.graph.ways import Way, ways
from cutaway.network import Site
from cutaway.network.passes import Pass, Touch
from cutaway.network.site import Port

Path = Literal["edges", "inputs"]
EMBED = Site("embed")
CHUNK = 16_777_216  # numbers held at once for what writers would add: 64 MB in single precision


@dataclass(frozen=True, eq=False)
class Shares:
    """First-order shares of every edge, per example and position of the reader: `score` sums to `total` up to the error.

    `total` is the change of the decision with every edge cut. `forward` and `backward` count passes over the batch.
    A share of 0 does not mean that an edge is unused: under saturation the path may miss where it matters.
    """

    score: Float[Tensor, "edges batch position"]
    total: Float[Tensor, "batch"]
    clean: Float[Tensor, "batch"]
    forward: int
    backward: int

    @property
    def signed(self) -> Float[Tensor, "edges"]:
        """Mean over examples of the sum over positions."""
        return self.score.sum(2).mean(1)

    @property
    def absolute(self) -> Float[Tensor, "edges"]:
        """Mean over examples of the |sum over positions|: examples that disagree do not cancel."""
        return self.score.sum(2).abs().mean(1)

    @property
    def completeness(self) -> float:
        """The completeness error: mean over examples of |Σ shares − total|, relative to the mean |total|."""
        missing = (self.score.sum((0, 2)) - self.total).abs().mean()
        return float(missing / self.total.abs().mean().clamp(min=1e-30))


def shares(cutter: Cutter, strata: int = 8, seed: int = 0, draw: int = 0, path: Path = "edges") -> Shares:
    """The share of every edge: 1 + `strata` forward and `strata` backward passes, and those that made the stand-ins.

    `path` is what goes from as it is to its stand-in: every edge at once, so that the shares sum to the total, or the
    inputs alone (Hanna et al. 2024), whose shares do not, but see what happens before the values of a saturated head have
    moved as well: of the two the better ranking.
    """
    if strata < 1:
        raise ValueError(f"strata={strata}; expected at least 1 point on the path (3 quick, 8 full)")
    generator, rows = torch.Generator().manual_seed(seed), cutter.posed.batch.rows
    spread = [torch.randperm(rows, generator=generator) + torch.rand(rows, generator=generator) for _ in range(strata)]
    at = torch.stack([(stratum + one / rows) / strata for stratum, one in enumerate(spread)])

    def some(few: Cutter, here: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return _along(few, at[:, here], draw, path)

    score, total, clean = on_rows(cutter, some, _joined, "shares")
    stand_ins = 1 if cutter.values.kind in ("counterfactual", "resample", "mean") else 0
    return Shares(score, total, clean, 1 + stand_ins + strata, strata)


def _along(cutter: Cutter, at: Float[Tensor, "strata batch"], draw: int, path: Path) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, total and clean decision with these points on the path."""
    work = _Shares(cutter, draw, path)
    work.look()
    for points in at:
        work.add(points, 1 / len(at))
    return work.score, work.total, work.clean


def _joined(found: Sequence[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Those of all rows, from those of some rows each."""
    scores, totals, cleans = zip(*found)
    return torch.cat(scores, 1), torch.cat(totals), torch.cat(cleans)


@dataclass
class _Shares:
    """The sums in progress."""

    cutter: Cutter
    draw: int
    path: Path = "edges"

    def look(self) -> None:
        """One clean pass: the stream of stand-ins wherever the stream is read; the decision with nothing and all cut."""
        cutter, graph = self.cutter, self.cutter.graph
        net, batch = cutter.net, cutter.posed.batch
        self.ways = ways(net, graph, batch)
        self.aim: dict[Port, Tensor] = {}
        self.gap: Tensor | float = 0.0
        self.waiting: list[tuple[Time, Tensor]] = []  # what was written, until a reader comes that sees it
        self.beside: dict[Site, Tensor] = {}
        self.unmoved: dict[Site, Tensor] = {}
        touches = [Touch(net.port(site), lambda x, site=site: self._widen(site, x)) for site in graph.members]
        touches += [Touch(entry, lambda x, entry=entry: self._look(entry, x)) for entry in graph.entries]
        touches += [Touch(net.port(s), lambda x, s=s: self.beside.__setitem__(s, x.clone())) for s in graph.beside]
        logits = net.layout.ports.get(("logits", None))
        self.cut = logits is not None and cutter.posed.metric.last and bool(batch.positions)
        self.end = [Touch(Port(logits.module, "in"), lambda x: x[:, -1:])] if self.cut and logits else []
        rows = torch.arange(batch.rows, device=net.device)
        both = cutter.posed.metric(Pass(net.wiring, [*touches, *self.end])(batch), rows.repeat(2))
        self.clean, nothing = both.split(batch.rows)
        self.total = (nothing - self.clean).cpu()
        self.score = torch.zeros(len(graph), batch.rows, batch.positions or 1)

    def _widen(self, site: Site, x: Tensor) -> None:
        if self.path == "inputs":
            self.unmoved[site] = x.detach().clone()
        change = self.cutter.change(site, self.draw, {site: x, **self.beside})
        among = self.cutter.graph.members[site]
        everything = torch.ones(1, 1, among.stop - among.start, device=x.device, dtype=x.dtype)
        time = self.cutter.graph.writers[among.start].time
        self.waiting.append((time, self.cutter.added(site, change, everything)))

    def _look(self, entry: Port, x: Tensor) -> Tensor | None:
        time = next(reader.time for reader in self.cutter.graph.readers if reader.entry == entry)
        self.gap = self.gap + sum(added for written, added in self.waiting if written < time)
        self.waiting = [(written, added) for written, added in self.waiting if written >= time]
        self.aim[entry] = x + self.gap
        last = entry == self.cutter.graph.readers[-1].entry
        return torch.cat([x, self.aim[entry]]) if last else None

    # one point of the path --------------------------------------------------------------------------------------------

    def add(self, at: Float[Tensor, "batch"], weight: float) -> None:
        """Adds `weight` × the edges' slopes with every edge cut by `at`, one strength for each example."""
        cutter, graph = self.cutter, self.cutter.graph
        net, batch = cutter.net, cutter.posed.batch
        self.at = at.to(net.device, net.dtype)[:, None, None]
        self.now: dict[Site, Tensor] = {}
        self.stream: dict[Port, Tensor] = {}
        self.tapped: dict[Port, Tensor] = {}
        keep = {
            site: Touch(net.port(site), lambda x, site=site: self.now.__setitem__(site, x.detach().clone()))
            for site in graph.sites
        }
        touches = [] if self.path == "edges" else [Touch(net.port(EMBED), self._between)]
        touches += [keep[site] for site in graph.members]
        touches += [Touch(entry, lambda x, entry=entry: self._toward(entry, x)) for entry in graph.entries]
        touches += [keep[site] for site in graph.beside]
        taps = dict.fromkeys(tap for i, reader in enumerate(graph.readers) if (tap := self._tap(i, reader)) is not None)
        touches += [Touch(tap, lambda x, tap=tap: self._keep(tap, x)) for tap in taps]
        output = Pass(net.wiring, [*touches, *self.end], gradients=True)(batch)
        rows = torch.arange(batch.rows, device=net.device)
        with torch.enable_grad():
            value = cutter.posed.metric(output, rows).sum()
            leaves = {
                **{("stream", p): x for p, x in self.stream.items()},
                **{("tap", p): x for p, x in self.tapped.items()},
            }
            slow = any(self._slow(i, reader) for i, reader in enumerate(graph.readers))
            found = torch.autograd.grad(value, list(leaves.values()), retain_graph=slow, allow_unused=True)
            self.gradient = {key: torch.zeros_like(x) if g is None else g for (key, x), g in zip(leaves.items(), found)}
            slopes = [(i, self._slope(i, reader)) for i, reader in enumerate(graph.readers) if self._slow(i, reader)]
        self.slopes = dict(slopes)
        if self.path == "inputs":
            self.now = {**self.unmoved, **self.beside}
        with torch.no_grad():
            self._score(weight)

    def _between(self, x: Tensor) -> Tensor:
        """The inputs, each example's between its own and its stand-in's."""
        at = self.at.view(-1, *[1] * (x.ndim - 1))
        return (1 - at) * x + at * self.cutter.stand_in(EMBED, self.draw, x)

    def _toward(self, entry: Port, x: Tensor) -> Tensor:
        y = x.detach() if self.path == "inputs" and not self.stream else x
        if self.path == "edges":
            y = (1 - self.at) * x + self.at * self.aim[entry]
        if not y.requires_grad:
            y.requires_grad_()
        self.stream[entry] = y
        return y.clone()

    def _keep(self, tap: Port, x: Tensor) -> Tensor:
        self.tapped[tap] = x.view_as(x)  # a node of its own: others may read the same tensor
        return self.tapped[tap].clone()

    def _tap(self, number: int, reader: Reader) -> Port | None:
        """Where the gradient of one reader (or of several side by side) is taken; None: at the stream."""
        if number in self.ways:
            return Port(self.ways[number].module, "out")
        if reader.through == "mlp" and reader.neurons is None and reader.norm is not None:
            return self.cutter.net.layout.ports["mlp_in", reader.time[0]]
        return self.cutter.net.port(reader.site) if reader.site is not None else None

    def _slow(self, number: int, reader: Reader) -> bool:
        """Whether this reader's gradient at the stream must be taken by a backward pass of its own."""
        whole = reader.through == "mlp" and reader.neurons is None
        return reader.site is not None and not whole and number not in self.ways

    def _slope(self, number: int, reader: Reader) -> Tensor:
        """The gradient at the stream through one reader alone."""
        tap = self._tap(number, reader)
        assert tap is not None
        x, gradient = self.tapped[tap], self.gradient["tap", tap]
        mine = gradient
        if reader.picks is not None:
            mine = torch.zeros_like(gradient)
            mine[:, :, reader.picks] = gradient[:, :, reader.picks]
        (found,) = torch.autograd.grad(x, self.stream[reader.entry], mine, retain_graph=True)
        return found

    def _score(self, weight: float) -> None:
        """Adds gradient at the stream · what each writer would change, some rows at a time: never every writer for all rows."""
        graph = self.cutter.graph
        rows, *shape = self.now[EMBED].shape
        fit = max(1, CHUNK // (len(graph.writers) * shape[0] * shape[1]))
        groups = [
            [i for i, _ in several]
            for _, several in groupby(enumerate(graph.readers), key=lambda pair: (pair[1].time, pair[1].entry))
        ]
        for first in range(0, rows, fit):
            here = slice(first, min(first + fit, rows))
            added = self._added(here, weight)
            for numbers in groups:
                count = graph.before(graph.readers[numbers[0]].time)
                slope = self._slopes(numbers, here)  # [batch, position, readers, width]
                scores = torch.matmul(slope, added[:, :, :count].transpose(2, 3))
                at = graph.into(numbers[0]).start
                into = self.score[at : at + len(numbers) * count].unflatten(0, (len(numbers), count))
                into[:, :, here] += scores.permute(2, 3, 0, 1).float().cpu()

    def _added(self, here: slice, weight: float) -> Float[Tensor, "rows position writers width"]:
        """What every writer's stand-in would add to the stream."""
        graph = self.cutter.graph
        embed = self.now[EMBED][here]
        added = embed.new_empty(*embed.shape[:2], len(graph.writers), embed.shape[2])
        for site, among in graph.members.items():
            now = {read: self.now[read][here] for read in graph.splits[site].reads}
            change = self.cutter.change(site, self.draw, now, here)
            added[:, :, among] = self.cutter.each(site, change, weight)
        return added

    def _slopes(self, numbers: Sequence[int], here: slice) -> Float[Tensor, "rows position readers width"]:
        """The gradient at the stream through each of several readers at one entry."""
        graph = self.cutter.graph
        first = graph.readers[numbers[0]]
        rows = len(self.now[EMBED])
        stream = self.stream[first.entry]
        stream = stream.view(rows, -1, stream.shape[-1])[here]
        found = {i: self.slopes[i].view(rows, -1, stream.shape[-1])[here] for i in numbers if i in self.slopes}
        fast = [
            i
            for i in numbers
            if i in self.ways or (i not in found and graph.readers[i].through == "mlp" and first.norm is not None)
        ]
        if fast:
            before = torch.stack([self._before_norm(i, rows, here) for i in fast])
            found |= dict(zip(fast, self._through_norm(first.norm, stream, before)))
        for i in numbers:
            if i not in found:
                found[i] = self.gradient["stream", first.entry].view(rows, -1, stream.shape[-1])[here]
        return torch.stack([found[i] for i in numbers], dim=2)

    def _before_norm(self, number: int, rows: int, here: slice) -> Tensor:
        """The gradient through one reader at what its matrices read."""
        tap = self._tap(number, self.cutter.graph.readers[number])
        assert tap is not None
        gradient = self.gradient["tap", tap]
        gradient = gradient.view(rows, -1, gradient.shape[-1])[here]
        way: Way | None = self.ways.get(number)
        return gradient if way is None else way.back(self.cutter.net, gradient)

    def _through_norm(self, norm: str | None, stream: Tensor, before: Tensor) -> Tensor:
        """Gradients at the norm's output [readers, …] taken back to its input, all readers at once."""
        part = self.cutter.net.wiring.modules[norm] if norm is not None else nn.Identity()
        if isinstance(part, nn.Identity):
            return before
        with torch.enable_grad():
            x = stream.detach().expand_as(before).requires_grad_()
            return torch.autograd.grad(part(x), x, before)[0]
