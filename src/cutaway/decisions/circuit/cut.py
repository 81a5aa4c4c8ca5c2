"""Cutting edges: reruns in which some readers see another value of some writers, and everything else sees the true one.

A cut of strength 1 gives a reader `stand-in` instead of what the writer adds to the stream *in this very run*; any set of
edges may be cut at once, exactly. Readers at one place that must see different streams (the queries of one head, the keys
of another) see them in copies of the batch that run beside it: each copy's norm and projections make the queries, keys or
values, which are then put into the true rows. No module is re-implemented, so this holds for every architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.decisions.circuit.kept import kept, of_graph
from cutaway.decisions.decision import Posed
from cutaway.decisions.fingerprint import fingerprint
from cutaway.decisions.graph.graph import Graph
from cutaway.decisions.graph.parts import Reader
from cutaway.decisions.graph.split import Coded
from cutaway.network import Metric, Network, Site
from cutaway.network.passes import Pass, Touch
from cutaway.network.site import Port
from cutaway.network.sweep import out_of_memory
from cutaway.submodels import Baseline

STACK = 4096  # rows × positions of one pass


@dataclass(frozen=True, eq=False)
class Cutter:
    """Everything that cuts of one decision share: the network, its graph and what stands in for each writer.

    `told`: what had to be done otherwise, in words; the same list for all that is made of one cutter. `keep`: a folder in
    which effects are kept as they are measured, and looked up; the network must stay as it is meanwhile.
    """

    net: Network
    posed: Posed
    graph: Graph
    values: Baseline
    told: list[str] = field(default_factory=list, repr=False)
    keep: Path | None = None

    def rows(self, chosen: Int[Tensor, "rows"]) -> Cutter:
        """The same on these rows of the batch, in this order."""
        values = [
            {site: x[chosen] if x.ndim and x.shape[0] == self.posed.batch.rows > 1 else x for site, x in one.items()}
            for one in self.values.values
        ]
        posed = replace(self.posed, batch=self.posed.batch.take(chosen), metric=_OfRows(self.posed.metric, chosen))
        return replace(self, posed=posed, values=replace(self.values, values=tuple(values)))

    def effects(
        self, cuts: Float[Tensor, "sets edges"], draw: int = 0, positions: Bool[Tensor, "sets position"] | None = None
    ) -> Float[Tensor, "sets batch"]:
        """Change of the decision under each set of cuts, against the uncut rows of the same pass.

        `cuts` is 1 where an edge is cut, 0 where it is whole, anything between; `positions` says where (default:
        everywhere). Runs as many sets at once as fit; fewer if memory runs out.
        """

        def some(here: slice) -> Tensor:
            whole = torch.cat([torch.zeros_like(cuts[:1]), cuts[here]])
            where = None if positions is None else torch.cat([positions[:1], positions[here]])

            def run() -> Tensor:
                value = self.decide(whole, draw, where)
                return value[1:] - value[:1]

            return run() if self.keep is None else kept(self.keep, self._asked, whole, draw, where, run)

        if not len(cuts):
            return torch.zeros(0, self.posed.batch.rows)
        return self.in_stacks(some, len(cuts), self._fitting(cuts), "sets of cuts")

    @cached_property
    def _asked(self) -> str:
        """A hash of everything that effects depend on but the cuts: network, rows, metric, stand-ins and graph."""
        return fingerprint(self.net, self.posed, self.values) + of_graph(self.graph)

    def in_stacks(self, run: Callable[[slice], Tensor], count: int, many: int, what: str) -> Tensor:
        """`run` of `many` of `count` at once, one after the other, on the CPU; of half as many, and told, if memory runs out."""
        found, at = list[Tensor](), 0
        while at < count:
            try:
                found.append(run(slice(at, at + many)).cpu())
                at += many
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error) or many == 1:
                    raise
                many = max(1, many // 2)
                self.told.append(f"memory ran out: {many} {what} in a pass")
        return torch.cat(found)

    def decide(
        self,
        cuts: Float[Tensor, "sets edges"],
        draw: int = 0,
        positions: Bool[Tensor, "sets position"] | None = None,
        gradients: bool = False,
    ) -> Float[Tensor, "sets batch"]:
        """The decision itself under each set of cuts, in one pass."""
        return _Rerun(self, cuts.to(self.net.device), draw, positions, gradients)()

    def _fitting(self, cuts: Tensor) -> int:
        """How many sets fit into one pass."""
        positions = self.posed.batch.positions or 1
        few = cuts[:: max(1, len(cuts) // 4)]
        copies = max((shared.copies for shared in share_copies(self.graph, few).values()), default=1) if len(few) else 1
        return max(1, STACK // (self.posed.batch.rows * positions * (copies + 1)))

    def cuts(self, sets: Sequence[Iterable[int]]) -> Float[Tensor, "sets edges"]:
        """Each set of edges cut, everything else whole."""
        cuts = torch.zeros(len(sets), len(self.graph))
        for cut, edges in zip(cuts, sets):
            cut[list(edges)] = 1
        return cuts

    def stand_in(self, site: Site, draw: int, like: Tensor) -> Tensor:
        """What stands in for the writers at `site`: a tensor that fits `like`, whose last axes are those of the site."""
        if self.values.kind == "zero":
            return torch.zeros((), dtype=like.dtype, device=like.device)
        return self.values.values[draw][site].to(like)

    def change(self, site: Site, draw: int, now: Mapping[Site, Tensor], rows: slice | None = None) -> Tensor:
        """Stand-in − `now` (the values on these rows) for the writers at `site`, as their split takes it."""
        split = self.graph.splits[site]
        others = {read: self.stand_in(read, draw, now[read]) for read in split.reads}
        if rows is not None:
            whole = self.posed.batch.rows
            others = {read: x[rows] if x.ndim and len(x) == whole else x for read, x in others.items()}
        return split.change(now, {read: x if x.ndim else x.expand_as(now[read]) for read, x in others.items()})

    def added(self, site: Site, change: Tensor, strength: Tensor) -> Tensor:
        """What `strength` × a `change` at `site` adds to the stream, all its members together."""
        return self.graph.splits[site].added(change * self.graph.factor(site), strength)

    def each(self, site: Site, change: Tensor, weight: float) -> Tensor:
        """What `weight` × a `change` at `site` adds to the stream, member by member."""
        return self.graph.splits[site].each(change * (weight * self.graph.factor(site)))


@dataclass(frozen=True)
class Shared:
    """At one entry: how much of each writer is cut in every copy, and which copy each reader sees."""

    strength: Float[Tensor, "sets copies writers"]
    copy_of: Int[Tensor, "sets readers"]

    @property
    def copies(self) -> int:
        return self.strength.shape[1]


def share_copies(graph: Graph, cuts: Float[Tensor, "sets edges"], each: bool = False) -> dict[Port, Shared]:
    """As few copies as the cuts allow: readers that must see the same stream share one, the first is the run itself.

    What a part reads does not matter where nothing that it writes is seen. `each`: a copy for every reader (for gradients).
    """
    matters = torch.ones(len(cuts), len(graph.readers), dtype=torch.bool) if each else seen(graph, cuts)
    found = {}
    for entry in graph.entries:
        mine = [i for i, reader in enumerate(graph.readers) if reader.entry == entry]
        width = max(graph.into(i).stop - graph.into(i).start for i in mine)
        wanted = cuts.new_zeros(len(cuts), len(mine), width)
        for place, i in enumerate(mine):
            row = cuts[:, graph.into(i)]
            wanted[:, place, : row.shape[1]] = row
        if each:
            found[entry] = Shared(wanted, torch.arange(len(mine)).expand(len(cuts), -1))
            continue
        copy_of, rows = torch.zeros(len(cuts), len(mine), dtype=torch.long), []
        for s, among in enumerate(matters[:, mine]):
            different, copy_of[s, among] = wanted[s, among].unique(dim=0, return_inverse=True)
            rows.append(different)
        strength = cuts.new_zeros(len(cuts), max(1, *map(len, rows)), width)
        for s, different in enumerate(rows):
            strength[s, : len(different)] = different
        found[entry] = Shared(strength, copy_of)
    return found


def seen(graph: Graph, cuts: Float[Tensor, "sets edges"]) -> Bool[Tensor, "sets readers"]:
    """Which readers matter: those of parts from which an uncut path leads to the output."""
    cuts = cuts.cpu()
    readers = torch.zeros(len(cuts), len(graph.readers), dtype=torch.bool)
    writers = torch.zeros(len(cuts), len(graph.writers), dtype=torch.bool)
    for r in reversed(range(len(graph.readers))):
        readers[:, r] = True if graph.readers[r].through == "out" else (writers & graph.feeds[r]).any(1)
        edges = graph.into(r)
        writers[:, : edges.stop - edges.start] |= (cuts[:, edges] < 1) & readers[:, r : r + 1]
    return readers


@dataclass
class _Rerun:
    """One pass with cuts. Rows are [sets, copies, batch]; copy 0 is the network as cut, the others only make q, k and v."""

    cutter: Cutter
    cuts: Tensor
    draw: int
    positions: Tensor | None
    gradients: bool

    def __call__(self) -> Tensor:
        cutter, graph = self.cutter, self.cutter.graph
        net, batch = cutter.net, cutter.posed.batch
        self.sets, self.batch = len(self.cuts), batch.rows
        self.now: dict[Site, Tensor] = {}
        self.changes: dict[Site, Tensor] = {}
        self.shared = share_copies(graph, self.cuts, each=self.gradients)
        self.copies = max(shared.copies for shared in self.shared.values())
        rows = torch.arange(self.batch).repeat(self.sets * self.copies)
        output = Pass(net.wiring, self._touches(), gradients=self.gradients)(batch.take(rows))
        return cutter.posed.metric(output, torch.arange(self.batch, device=net.device).repeat(self.sets)).view(
            self.sets, self.batch
        )

    def _touches(self) -> list[Touch]:
        net, graph = self.cutter.net, self.cutter.graph
        keep = {site: Touch(net.port(site), lambda x, site=site: self._keep(site, x)) for site in graph.sites}
        picked = {reader.site for reader in graph.readers}
        touches = [keep[site] for site in graph.members if site not in picked]
        for entry in graph.entries:
            last = entry == graph.readers[-1].entry
            touches.append(Touch(entry, lambda x, entry=entry, last=last: self._enter(entry, x, last)))
            at: dict[Site, list[int]] = {}
            for place, reader in enumerate(self._readers(entry)):
                if reader.site is not None:
                    at.setdefault(reader.site, []).append(place)
            for site, places in at.items():
                touches.append(
                    Touch(net.port(site), lambda x, entry=entry, places=tuple(places): self._pick(entry, places, x))
                )
        touches += [keep[site] for site in graph.sites if site in picked or site not in graph.members]
        logits = net.layout.ports.get(("logits", None))
        if logits is not None and self.cutter.posed.metric.last and self.cutter.posed.batch.positions:
            touches.append(Touch(Port(logits.module, "in"), lambda x: x[:, -1:]))
        return touches

    def _readers(self, entry: Port) -> list[Reader]:
        return [reader for reader in self.cutter.graph.readers if reader.entry == entry]

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(0, (self.sets, self.copies, self.batch))

    def _keep(self, site: Site, x: Tensor) -> None:
        """What a writer wrote in the run itself, [sets, batch, position, …]."""
        self.now[site] = self._split(x)[:, 0].clone()

    def _enter(self, entry: Port, x: Tensor, last: bool) -> Tensor:
        """The streams that the readers at `entry` see, copy by copy; after the last entry only the run itself goes on."""
        strength = self.shared[entry].strength
        stream = self._split(x)[:, :1].expand(-1, strength.shape[1], *([-1] * x.ndim))
        for site, among in self.cutter.graph.members.items():
            here = strength[:, :, among]
            if here.shape[2] == 0 or (not self.gradients and not bool(here.any())):
                continue
            change = self._change(site)[:, None]
            here = here[:, :, None, None].to(change)
            if self.positions is not None:
                here = here * self.positions.to(change)[:, None, None, :, None]
            stream = stream + self.cutter.added(site, change, here)
        if last:
            return stream[:, 0].flatten(0, 1)
        rest = self.copies - stream.shape[1]
        if rest:
            stream = torch.cat([stream, self._split(x)[:, stream.shape[1] :]], dim=1)
        return stream.flatten(0, 2)

    def _change(self, site: Site) -> Tensor:
        """What stands in less what is now; kept where it takes more than a subtraction."""
        if site in self.changes:
            return self.changes[site]
        change = self.cutter.change(site, self.draw, self.now)
        if isinstance(self.cutter.graph.splits[site], Coded):
            self.changes[site] = change
        return change

    def _pick(self, entry: Port, places: Sequence[int], x: Tensor) -> Tensor | None:
        """Queries, keys, values, neurons (or what the MLP reads) of each reader from its own copy, put into the run itself."""
        copy_of = self.shared[entry].copy_of[:, list(places)]
        if not self.gradients and not bool(copy_of.any()):
            return None
        split = self._split(x)
        sets = torch.arange(self.sets)[:, None]
        picks = [self._readers(entry)[place].picks for place in places]
        if picks[0] is None:
            own = split[sets[:, 0], copy_of[:, 0]]
        else:  # heads or neurons, each from the copy of the reader that makes it
            made = torch.tensor([i for pick in picks for i in pick or ()])
            by = torch.tensor([place for place, pick in enumerate(picks) for _ in pick or ()])[made.argsort()]
            own = split[sets, copy_of[:, by], :, :, made.sort().values].movedim(1, 3)
        return torch.cat([own[:, None], split[:, 1:]], dim=1).flatten(0, 2)


@dataclass(frozen=True)
class _OfRows:
    """A metric on some rows of the batch that it was made for."""

    inner: Metric
    chosen: Tensor

    @property
    def last(self) -> bool:
        return self.inner.last

    @property
    def columns(self) -> Tensor | None:
        return self.inner.columns

    def narrowed(self) -> _OfRows:
        return _OfRows(self.inner.narrowed(), self.chosen)

    def __call__(self, output: object, rows: Tensor) -> Float[Tensor, "rows"]:
        return self.inner(output, self.chosen.to(rows.device)[rows])
