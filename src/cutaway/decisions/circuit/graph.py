"""The graph behind a decision: who writes to the residual stream, who reads it, and through what.

Writers are the embedding, every attention head and every MLP; readers are every head's queries, keys and values, every
MLP and the output. An edge carries what one writer adds to the stream into one reader, and nothing else. The graph is
that of path patching (Goldowsky-Dill et al. 2023, arXiv 2304.05969) with queries, keys and values apart. Where the stream
is read is found by values, as the layout is: the call whose input is the stream and whose output is what the part reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cutaway.decisions.decision import DecisionError
from cutaway.network import Batch, Network, Site
from cutaway.network.calls import is_matrix
from cutaway.network.proofs import probe
from cutaway.network.site import Port
from cutaway.network.tape import Recorded, Tape
from cutaway.network.trees import result

Through = Literal["q", "k", "v", "attn", "mlp", "out"]
Time = tuple[int, int]  # block, then 0 for what mixes positions and 1 for the MLP behind it
START: Time = (-1, 0)


class NoGraphError(DecisionError):
    """A network whose stream is no sum of what its parts write, so that it has no edges in this sense."""


@dataclass(frozen=True)
class Writer:
    """A part that adds to the residual stream: `site` is what stands for it (whole), `head` which head of it."""

    part: str
    time: Time
    site: Site
    head: int | None = None


@dataclass(frozen=True)
class Reader:
    """A part that reads the stream at `entry` `through` its queries, keys, values, …

    `site` is what it makes of the stream (queries: `q.3`, picked by `head`); None: the stream at `entry` itself, which
    nobody else reads. `norm` is the module between the stream and what the part's matrices read.
    """

    part: str
    time: Time
    through: Through
    entry: Port
    site: Site | None = None
    head: int | None = None
    norm: str | None = None

    @property
    def name(self) -> str:
        """`z.3[head=1]/q`: the part and the way in."""
        return self.part if self.through == "out" else f"{self.part}/{self.through}"


@dataclass(frozen=True, eq=False)
class Graph:
    """All writers and readers of a network, in the order in which they run.

    An edge is a pair (writer, reader) with the writer before the reader; `edges` are numbered reader by reader.
    """

    writers: tuple[Writer, ...]
    readers: tuple[Reader, ...]
    edges: tuple[tuple[int, int], ...]
    projections: dict[int, Float[Tensor, "inner width"]] = field(repr=False, default_factory=dict)
    scale: dict[Site, float] = field(repr=False, default_factory=dict)

    def __len__(self) -> int:
        return len(self.edges)

    def name(self, edge: int) -> str:
        """`z.1[head=0] → z.3[head=1]/k`."""
        writer, reader = self.edges[edge]
        return f"{self.writers[writer].part} → {self.readers[reader].name}"

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of every edge, by name."""
        return {self.name(edge): edge for edge in range(len(self))}

    @cached_property
    def entries(self) -> tuple[Port, ...]:
        """The different places where the stream is read, in order."""
        return tuple(dict.fromkeys(reader.entry for reader in self.readers))

    def factor(self, site: Site) -> float:
        """With what factor the writers at `site` enter the stream (1 but for families that scale their contributions)."""
        return self.scale.get(Site("attn_out_post", site.layer) if site.point == "z" else site, 1.0)

    def before(self, time: Time) -> int:
        """How many writers wrote before `time`."""
        return sum(writer.time < time for writer in self.writers)

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """The numbers of each reader's edges: one from each of the writers before it, in order."""
        spans, at = [], 0
        for reader in self.readers:
            spans.append(slice(at, at + self.before(reader.time)))
            at = spans[-1].stop
        return tuple(spans)

    @cached_property
    def members(self) -> dict[Site, slice]:
        """Which writers are read off at each site."""
        found: dict[Site, slice] = {}
        for i, writer in enumerate(self.writers):
            found[writer.site] = slice(found[writer.site].start if writer.site in found else i, i + 1)
        return found

    @property
    def sites(self) -> tuple[Site, ...]:
        """Where the writers are read off, in order: a baseline must have values there, so that any edge can be cut."""
        return tuple(self.members)

    @cached_property
    def feeds(self) -> Bool[Tensor, "readers writers"]:
        """Which writers are made of what each reader reads: a head's queries of that head, its keys of all that share them."""
        found = torch.zeros(len(self.readers), len(self.writers), dtype=torch.bool)
        counts: dict[tuple[Time, str], int] = {}
        for reader in self.readers:
            counts[reader.time, reader.through] = counts.get((reader.time, reader.through), 0) + 1
        for r, reader in enumerate(self.readers):
            for w, writer in enumerate(self.writers):
                if reader.through in ("mlp", "out"):
                    found[r, w] = writer.part == reader.part
                elif writer.time == reader.time and (writer.head is None or reader.head is None):
                    found[r, w] = True
                elif writer.time == reader.time and writer.head is not None:
                    group = counts[reader.time, "q"] // counts[reader.time, reader.through]
                    found[r, w] = writer.head // group == reader.head
        return found

    def into(self, reader: int) -> slice:
        """The numbers of the edges that end in this reader."""
        return self.spans[reader]

    def __repr__(self) -> str:
        return f"Graph({len(self.writers)} writers, {len(self.readers)} readers, {len(self)} edges)"


def graph(net: Network, batch: Batch) -> Graph:
    """The graph of `net`, found on the first rows of `batch`.

    Raises `NoGraphError` where the residual stream is no sum of what was written to it, or where it is not seen to be read.
    """
    layout = net.locate(batch)
    if not layout.layers or not layout.additive:
        raise NoGraphError(
            f"{net.name} has no residual stream that is proved to be the sum of what its blocks write "
            f"({_why(net)}), so there are no links to tell apart; trace it without edges"
        )
    few = batch.take(torch.arange(min(2, batch.rows)))
    seen = _Seen(net, few, probe(net.wiring, few))
    writers = [Writer("embed", START, Site("embed"))]
    readers: list[Reader] = []
    for layer in range(layout.layers):
        writers += _writers(net, layer)
        readers += seen.readers(layer)
    writers.sort(key=lambda writer: writer.time)
    readers = [*sorted(readers, key=lambda reader: reader.time), seen.output()]
    edges = [
        (w, r) for r, reader in enumerate(readers) for w, writer in enumerate(writers) if writer.time < reader.time
    ]
    scale = {Site(point, layer): factor for (point, layer), factor in layout.scale.items()}
    projections = {
        writer.time[0]: matrix(net.wiring.modules[layout.projections[writer.time[0]]]).detach()
        for writer in writers
        if writer.head is not None
    }
    return Graph(tuple(writers), tuple(readers), tuple(edges), projections, scale)


def _why(net: Network) -> str:
    reasons = list(dict.fromkeys(net.layout.missing.values()))
    return reasons[0] if reasons else "the proof fails: see net.layout.proofs"


def _writers(net: Network, layer: int) -> list[Writer]:
    """The heads of a block where their sum is what attention adds, else its attention as a whole; its MLP."""
    ports, found = net.layout.ports, []
    whole = ports.get(("attn_out_post", layer))
    linear = whole is not None and whole == ports.get(("attn_out", layer)) and layer in net.layout.projections
    if linear and ("z", layer) in ports:
        for head in range(net.layout.heads[layer]):
            site = Site("z", layer)
            found.append(Writer(str(site.at(head=head)), (layer, 0), site, head))
    for point, late in (("attn_out_post", 0), ("mixer_out_post", 0), ("mlp_out_post", 1)):
        if (point, layer) in ports and not (found and point == "attn_out_post"):
            found.append(Writer(f"{point.removesuffix('_post')}.{layer}", (layer, late), Site(point, layer)))
    if ("cross_out_post", layer) in ports:
        raise NoGraphError(f"{net.name} has cross-attention, whose links are not traced; trace it without edges")
    return found


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one watched run read and gave: enough to tell where the stream enters each part."""

    net: Network
    few: Batch
    tape: Tape

    def readers(self, layer: int) -> list[Reader]:
        """The ways into one block."""
        ports, found = self.net.layout.ports, list[Reader]()
        stream = self._tensor(ports["resid_pre", layer])
        if ("attn_in", layer) in ports:
            entry, norm = self._entry(ports["attn_in", layer], stream, layer)
            if all((point, layer) in ports for point in "qkv"):
                found += self._queries_keys_values(layer, entry, norm)
            else:
                part = f"attn_out.{layer}"
                found.append(Reader(part, (layer, 0), "attn", entry, Site("attn_in", layer), None, norm))
        elif ("mixer_out", layer) in ports:
            first = self._first_reader(stream, layer)
            found.append(Reader(f"mixer_out.{layer}", (layer, 0), "attn", first, None, None, None))
        if ("mlp_in", layer) in ports:
            middle, parallel = self._before_mlp(layer)
            entry, norm = self._entry(ports["mlp_in", layer], middle, layer)
            shared = any(reader.entry == entry for reader in found)
            site = Site("mlp_in", layer) if shared else None
            time = (layer, 0) if parallel else (layer, 1)
            found.append(Reader(f"mlp_out.{layer}", time, "mlp", entry, site, None, norm))
        return found

    def _queries_keys_values(self, layer: int, entry: Port, norm: str | None) -> list[Reader]:
        """A reader for each head's queries and each key-value head's keys and values (grouped-query attention shares them)."""
        found = []
        for through in ("q", "k", "v"):
            site = Site(through, layer)
            count, queries = self.heads[str(site)], self.heads[str(Site("q", layer))]
            group = queries // count
            for head in range(count):
                heads = head if group == 1 else slice(head * group, (head + 1) * group)
                part = str(Site("z", layer).at(head=heads))
                found.append(Reader(part, (layer, 0), through, entry, site, head, norm))
        return found

    @cached_property
    def heads(self) -> dict[str, int]:
        """How many heads the queries, keys and values of every block have."""
        sites = [Site(point, layer) for point, layer in self.net.layout.ports if point in ("q", "k", "v")]
        return {address: x.shape[2] for address, x in self.net.read(self.few, *sites).items()}

    def output(self) -> Reader:
        """The way out: the first call after the blocks that reads what the last one wrote."""
        ports, layers = self.net.layout.ports, self.net.layout.layers
        stream = self._tensor(ports["resid_post", layers - 1])
        end = self._call(ports["resid_post", layers - 1].module).end
        for name, call in self._calls():
            if call.start > end and call.inputs and _equal(call.inputs[0], stream):
                return Reader("output", (layers, 0), "out", Port(name, "in", flat=call.inputs[0].ndim == 2))
        raise NoGraphError(
            f"nothing after the last block of {self.net.name} was seen to read the stream; trace it without edges"
        )

    # where the stream is read -----------------------------------------------------------------------------------------

    def _entry(self, reads: Port, stream: Tensor, layer: int) -> tuple[Port, str | None]:
        """Where the stream enters the part that reads at `reads`: there itself, or at the call that makes of it what is read."""
        x, start = self._tensor(reads), self._call(reads.module).start
        inside = [(name, call) for name, call in self._calls() if name.startswith(self._block(layer) + ".")]
        for name, call in reversed(inside):  # the latest: two fresh norms give the same values
            made = _first(call.output) if call.end < start else None
            if (
                made is not None
                and call.inputs
                and _equal(made, x)
                and _equal(call.inputs[0], stream)
                and name != reads.module
            ):
                return Port(name, "in", flat=call.inputs[0].ndim == 2), name
        if _equal(x, stream):
            return reads, None
        raise NoGraphError(
            f"{self.net.name}: what {reads.module} reads is not made of the residual stream by one call, "
            "so its links cannot be cut apart; trace it without edges"
        )

    def _first_reader(self, stream: Tensor, layer: int) -> Port:
        for name, call in self._calls():
            if name.startswith(self._block(layer) + ".") and call.inputs and _equal(call.inputs[0], stream):
                return Port(name, "in", flat=call.inputs[0].ndim == 2)
        raise NoGraphError(
            f"nothing in block {layer} of {self.net.name} was seen to read the stream; trace it without edges"
        )

    def _before_mlp(self, layer: int) -> tuple[Tensor, bool]:
        """The stream that the MLP reads, and whether the block's attention reads the same one (parallel)."""
        ports = self.net.layout.ports
        before = self._tensor(ports["resid_pre", layer])
        middle = ports.get(("resid_mid", layer))
        if middle is not None:
            return self._tensor(middle), False
        return before, ("attn_out_post", layer) in ports

    def _block(self, layer: int) -> str:
        return self.net.layout.ports["resid_post", layer].module

    def _calls(self) -> list[tuple[str, Recorded]]:
        return [(where[-1][0], call) for where, call in self.tape.calls.items()]

    def _call(self, module: str) -> Recorded:
        return next(call for name, call in self._calls() if name == module)

    def _tensor(self, port: Port) -> Tensor:
        call = self._call(port.module)
        return call.inputs[port.index] if port.side == "in" else result(call.output, port.index)


def _first(output: object) -> Tensor | None:
    try:
        return result(output, 0)
    except (LookupError, TypeError, AttributeError):
        return None


def _equal(a: Tensor, b: Tensor) -> bool:
    return a.numel() == b.numel() and a.shape[-1] == b.shape[-1] and torch.equal(a.view_as(b), b)


@torch.no_grad()
def matrix(part: nn.Module) -> Float[Tensor, "inner width"]:
    """What a linear module multiplies by, inputs first: found by feeding it the unit vectors where it is of no known kind."""
    weight = getattr(part, "weight", None)
    if is_matrix(part) and isinstance(weight, Tensor) and weight.is_floating_point():
        return weight.T if isinstance(part, nn.Linear) else weight
    size = next(p for p in part.parameters() if p.ndim == 2).shape[-1]
    units = torch.eye(size, dtype=torch.float32)
    return part(units) - part(torch.zeros_like(units))
