"""Edges that cannot carry anything: what the writer can write, times what the reader's matrices read, is zero.

Only where no norm stands between: a norm divides by the size of the whole stream, so that everything written reaches
every reader through it. Where the weights are not seen to tell (a norm, a part of no known kind), nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from cutaway.decisions.graph.graph import Graph
from cutaway.decisions.graph.parts import Reader
from cutaway.decisions.graph.refine import RefineError, down
from cutaway.decisions.graph.seen import Seen, equal
from cutaway.decisions.graph.split import matrix
from cutaway.decisions.graph.ways import ways
from cutaway.network import AddressError, Batch, Network, Site
from cutaway.network.calls import is_matrix
from cutaway.network.passes import Pass, Touch
from cutaway.network.proofs import probe, relative, tolerance
from cutaway.network.site import Port
from cutaway.network.trees import result

ZERO = (
    1e-6  # |cosine| between a row written and a column read below which they do not meet: single precision's rounding
)


def zeros(net: Network, graph: Graph, batch: Batch) -> Bool[Tensor, "edges"]:
    """Which edges are structural zeros: cutting them changes nothing on any input, up to rounding.

    An edge that is none may still carry nothing on the inputs at hand. One probe of two rows, where any part reads the
    stream without a norm.
    """
    found = torch.zeros(len(graph), dtype=torch.bool)
    plain = [i for i, reader in enumerate(graph.readers) if _unnormed(net, reader)]
    if not plain:
        return found
    few = batch.take(torch.arange(min(2, batch.rows)))
    seen = Seen(net, few, probe(net.wiring, few))
    known, written = ways(net, graph, batch), _all_written(seen, graph)
    reads: dict[int, Tensor | None] = {}
    for i in plain:
        way = known.get(i)
        if way is not None:
            reads[i] = matrix(net.wiring.modules[way.module]).detach()[:, way.columns]
        else:
            reads[i] = _read(seen, graph.readers[i])
    for i, columns in reads.items():
        edges = graph.into(i)
        for at, rows in enumerate(written[: edges.stop - edges.start]):
            found[edges.start + at] = rows is not None and columns is not None and never_meet(rows, columns)
    return found


def never_meet(rows: Float[Tensor, "rows width"], columns: Float[Tensor, "width columns"]) -> bool:
    """Whether every row · column is zero for their sizes."""
    a, b = rows.double(), columns.to(rows.device).double()
    return bool(((a @ b).abs() <= ZERO * a.norm(dim=1)[:, None] * b.norm(dim=0)).all())


def _unnormed(net: Network, reader: Reader) -> bool:
    """Whether nothing that mixes the width stands between the stream and what the reader's matrices read."""
    if reader.norm is not None:
        return type(net.wiring.modules[reader.norm]) is nn.Identity
    part = net.wiring.modules[reader.entry.module]
    return reader.through != "out" or type(part) is nn.Identity or is_matrix(part)


# what is written ------------------------------------------------------------------------------------------------------


def _all_written(seen: Seen, graph: Graph) -> list[Tensor | None]:
    """Rows whose span holds what each writer can change, whatever stands in; None where that is not known."""
    found: list[Tensor | None] = []
    for site, split in graph.splits.items():
        whole = _embeddings(seen) if site.point == "embed" else _behind(seen, site)
        found += [split.written(member, whole) for member in range(len(split.names))]
    return found


def _behind(seen: Seen, site: Site) -> Tensor | None:
    """The last matrix of an MLP, with its bias as a row: zeros in the MLP's place take that away too."""
    if not site.point.startswith("mlp_out"):
        return None
    part = f"mlp_out.{site.layer}"
    try:
        rows = down(seen, part)
    except (RefineError, AddressError):
        return None
    bias = getattr(seen.net.wiring.modules[seen.net.port(Site("mlp_act", site.layer)).module], "bias", None)
    return torch.cat([rows, bias.detach()[None].to(rows)]) if isinstance(bias, Tensor) else rows


def _embeddings(seen: Seen) -> Tensor | None:
    """The rows of the embeddings whose sum the first block reads."""
    stream = seen.tensor(seen.net.port("embed"))
    total: Tensor | float = 0.0
    tables = []
    for name, call in seen.calls():
        part = seen.net.wiring.modules.get(name)
        if isinstance(part, nn.Embedding) and part.embedding_dim == stream.shape[-1]:
            made = result(call.output, 0)
            total = total + (made if made.ndim == stream.ndim else made.expand_as(stream))
            tables.append(part.weight.detach())
    same = isinstance(total, Tensor) and total.shape == stream.shape and relative(total, stream) < tolerance(stream)
    return torch.cat(tables) if same else None


# what is read ---------------------------------------------------------------------------------------------------------


def _read(seen: Seen, reader: Reader) -> Tensor | None:
    """The columns of every matrix through which a reader sees the stream; None where there may be another way."""
    if reader.through == "out":
        return _unembedding(seen, reader)
    if reader.through != "mlp":
        return None
    return _Watched(seen, reader).columns()


def _unembedding(seen: Seen, reader: Reader) -> Tensor | None:
    logits = seen.net.layout.ports.get(("logits", None))
    if logits is None or not is_matrix(seen.net.wiring.modules[logits.module]):
        return None
    stream, read = seen.tensor(reader.entry), seen.tensor(Port(logits.module, "in"))
    return matrix(seen.net.wiring.modules[logits.module]).detach() if equal(read, stream) else None


class _Watched:
    """One run that keeps what an MLP's matrices make of the stream, to see whether it reads it in no other way."""

    def __init__(self, seen: Seen, reader: Reader) -> None:
        net = seen.net
        self.seen, self.reader = seen, reader
        self.made: dict[str, Tensor] = {}
        self.source = torch.zeros(())
        entry = Port(reader.norm, "out") if reader.norm else reader.entry
        stream = seen.tensor(reader.entry)
        around = entry.module.rpartition(".")[0]
        names = [
            name
            for name, call in seen.calls()
            if name.startswith(around + ".")
            and is_matrix(net.wiring.modules[name] if name in net.wiring.modules else nn.Identity())
            and call.inputs
            and equal(call.inputs[0], stream)
        ]
        self.touches = [Touch(entry, self._start)]
        self.touches += [
            Touch(Port(name, "out"), lambda y, name=name: self.made.setdefault(name, y).clone()) for name in names
        ]
        part = reader.site if reader.neurons is not None else Site("mlp_out", reader.time[0])
        assert part is not None
        self.part = net.port(part)
        self.touches.append(Touch(self.part, self._end))

    def _start(self, x: Tensor) -> Tensor:
        self.source = x.detach().requires_grad_()
        return self.source.clone()

    def _end(self, y: Tensor) -> None:
        self.end = y

    def columns(self) -> Tensor | None:
        """All columns, or of neurons that are seen to be made one by one those of the reader's."""
        net = self.seen.net
        Pass(net.wiring, self.touches, gradients=True)(self.seen.few)
        reached = self._reached()
        if not reached:
            return None
        matrices = {name: matrix(net.wiring.modules[name]).detach() for name in reached}
        group = self.reader.neurons
        if group is not None and self._one_by_one(group, reached):
            return torch.cat([weight[:, list(group)] for weight in matrices.values()], dim=1)
        return torch.cat(list(matrices.values()), dim=1)

    def _reached(self) -> list[str]:
        """The matrices between the stream and the part; none if they do not give the whole gradient at the stream."""
        drawn = torch.randn(self.end.shape, generator=torch.Generator().manual_seed(0)).to(self.end)
        made = {name: x for name, x in self.made.items() if x.requires_grad}  # others read the same values earlier
        if not made or not self.end.requires_grad:
            return []
        with torch.enable_grad():
            ends = [*made.values(), self.source]
            *back, whole = torch.autograd.grad((self.end * drawn).sum(), ends, allow_unused=True)
        found = {name: gradient for name, gradient in zip(made, back) if gradient is not None}
        total = torch.zeros_like(whole)
        for name, gradient in found.items():
            weight = matrix(self.seen.net.wiring.modules[name]).detach()
            total = total + (gradient @ weight.T.to(gradient)).view_as(whole)
        near = tolerance(whole) * float(whole.abs().max())
        return list(found) if float((total - whole).abs().max()) <= near else []

    def _one_by_one(self, group: Sequence[int], reached: Sequence[str]) -> bool:
        """Whether these neurons stay the same, bit for bit, when what the matrices make for all others is drawn anew."""
        others = torch.ones(self.end.shape[-1], dtype=torch.bool)
        others[list(group)] = False
        if any(self.made[name].shape[-1] != len(others) for name in reached):
            return False
        drawn = torch.Generator().manual_seed(1)
        seen: list[Tensor] = []
        touches = [
            Touch(
                Port(name, "out"),
                lambda y: torch.where(others.to(y.device), torch.randn(y.shape, generator=drawn).to(y), y),
            )
            for name in reached
        ]
        Pass(self.seen.net.wiring, [*touches, Touch(self.part, lambda y: seen.append(y))])(self.seen.few)
        return torch.equal(seen[0][..., list(group)], self.end.detach()[..., list(group)])
