"""The graph behind a decision: who writes to the residual stream, who reads it, and through what.

Writers are the embedding, every attention head and every MLP, and where asked for their groups of neurons, features or
components; readers are every head's queries, keys and values, every MLP or group of neurons, and the output. An edge
carries what one writer adds to the stream into one reader, and nothing else. The graph is that of path patching
(Goldowsky-Dill et al. 2023, arXiv 2304.05969) with queries, keys and values apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Bool
from torch import Tensor

from cutaway.decisions.graph.parts import ERROR, REST, START, NoGraphError, Reader, Time, Writer
from cutaway.decisions.graph.refine import refined
from cutaway.decisions.graph.seen import Seen
from cutaway.decisions.graph.split import Coded, Groups, Heads, Split, Whole, matrix
from cutaway.network import Batch, Network, Site
from cutaway.network.proofs import probe
from cutaway.network.site import Port
from cutaway.submodels import Decomposition, SubModel


@dataclass(frozen=True, eq=False)
class Graph:
    """All writers and readers of a network, in the order in which they run.

    An edge is a pair (writer, reader) with the writer before the reader; `edges` are numbered reader by reader.
    """

    writers: tuple[Writer, ...]
    readers: tuple[Reader, ...]
    edges: tuple[tuple[int, int], ...]
    splits: Mapping[Site, Split] = field(repr=False, default_factory=dict)
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
        point = {"z": "attn_out_post", "mlp_act": "mlp_out_post"}.get(site.point, site.point)
        return self.scale.get(Site(point, site.layer), 1.0)

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
        """Which writers are read off at each site, in the order of the sites."""
        found: dict[Site, slice] = {}
        for i, writer in enumerate(self.writers):
            found[writer.site] = slice(found[writer.site].start if writer.site in found else i, i + 1)
        return found

    @property
    def sites(self) -> tuple[Site, ...]:
        """Where the writers are read off, and what else features are read from: a baseline must have values there."""
        return (*self.members, *self.beside)

    @cached_property
    def beside(self) -> tuple[Site, ...]:
        """Sites that features of a part are read from and nothing is written at."""
        reads = (read for split in self.splits.values() for read in split.reads)
        return tuple(read for read in dict.fromkeys(reads) if read not in self.members)

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """The nodes that `refine` asked for, by name; with neurons and channels alone, `refine=pieces` gives this graph again."""
        apart = (split for split in self.splits.values() if isinstance(split, Groups | Coded))
        return tuple(name for split in apart for name in split.names if not name.endswith((REST, ERROR)))

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
                    found[r, w] = reader.part in (writer.part, writer.made_by)
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


def graph(net: Network, batch: Batch, refine: Sequence[SubModel | Decomposition | Site | str] = ()) -> Graph:
    """The graph of `net`, found on the first rows of `batch`; the parts of `refine` are nodes of their own in it.

    `refine` names sub-models or addresses: `mlp_act.2[neuron=3]` (a neuron, or with `0:8` a group, which writes and reads
    by itself), `mlp_out.2[channel=0:4]`, directions, features of a dictionary or parameter components (`Components`), whose
    reader is that of the whole part. What is left of the part is one more node: `mlp_out.2[rest]`, or `mlp_out.2[error]`
    behind a dictionary; parts and rest add up to the part exactly.

    Raises `NoGraphError` where the residual stream is no sum of what was written to it, or where it is not seen to be read;
    `RefineError` for what cannot be refined.
    """
    layout = net.locate(batch)
    if not layout.layers or not layout.additive:
        raise NoGraphError(
            f"{net.name} has no residual stream that is proved to be the sum of what its blocks write "
            f"({_why(net)}), so there are no links to tell apart; trace it without edges"
        )
    few = batch.take(torch.arange(min(2, batch.rows)))
    seen = Seen(net, few, probe(net.wiring, few))
    writers = [Writer("embed", START, Site("embed"))]
    readers: list[Reader] = []
    for layer in range(layout.layers):
        writers += _writers(net, layer)
        readers += seen.readers(layer)
    writers.sort(key=lambda writer: writer.time)
    readers = [*sorted(readers, key=lambda reader: reader.time), seen.output()]
    splits = _splits(net, writers)
    for part in refined(seen, writers, refine):
        writers, readers = part.of_writers(writers), part.of_readers(readers)
        splits[part.split.site] = part.split
    edges = [
        (w, r) for r, reader in enumerate(readers) for w, writer in enumerate(writers) if writer.time < reader.time
    ]
    scale = {Site(point, layer): factor for (point, layer), factor in layout.scale.items()}
    written = dict.fromkeys(writer.site for writer in writers)
    return Graph(tuple(writers), tuple(readers), tuple(edges), {site: splits[site] for site in written}, scale)


def _splits(net: Network, writers: Sequence[Writer]) -> dict[Site, Split]:
    """Heads through the output projection; everything else as it is."""
    names: dict[Site, list[str]] = {}
    for writer in writers:
        names.setdefault(writer.site, []).append(writer.part)
    found: dict[Site, Split] = {}
    for site, parts in names.items():
        if site.point == "z" and site.layer is not None:
            projection = matrix(net.wiring.modules[net.layout.projections[site.layer]]).detach()
            found[site] = Heads(site, tuple(parts), projection)
        else:
            found[site] = Whole(site, tuple(parts))
    return found


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
