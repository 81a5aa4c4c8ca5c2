"""How each head's queries, keys and values are made of the stream: which columns of which matrix.

With them one backward pass scores every head's queries, keys and values apart: the gradient at a matrix's output, cut
into columns, goes back through the matrix reader by reader. Found by watching, in fused and separate projections and
grouped heads alike, and checked against the gradient itself; where it does not hold (low-rank queries, a norm over all
heads) the gradient is taken reader by reader, slower and the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.decisions.graph.graph import Graph
from cutaway.decisions.graph.parts import Reader
from cutaway.decisions.graph.split import matrix
from cutaway.network import Batch, Network
from cutaway.network.calls import is_matrix
from cutaway.network.passes import Pass, Touch
from cutaway.network.site import Port


@dataclass(frozen=True, eq=False)
class Way:
    """Columns of the matrix of `module` that make what one reader sees. The weights are the module's own, as they are now."""

    module: str
    columns: Int[Tensor, "columns"]

    def back(self, net: Network, gradient: Float[Tensor, "*any outputs"]) -> Float[Tensor, "*any width"]:
        """The gradient at the module's output taken back to its input, through these columns alone."""
        weight = matrix(net.wiring.modules[self.module]).detach()
        return gradient[..., self.columns] @ _columns(weight, self.columns).T.to(gradient)


_known: WeakKeyDictionary[Network, dict[Reader, Way]] = WeakKeyDictionary()


def ways(net: Network, graph: Graph, batch: Batch) -> dict[int, Way]:
    """The way of every reader of queries, keys or values that has one, by its number; found once for each network."""
    if net not in _known:
        found: dict[Reader, Way] = {}
        few = batch.take(torch.arange(min(2, batch.rows)))
        for entry in graph.entries:
            mine = [reader for reader in graph.readers if reader.entry == entry and reader.through in ("q", "k", "v")]
            if mine:
                found |= _Watch(net, mine, few).ways()
        _known[net] = found
    return {i: _known[net][reader] for i, reader in enumerate(graph.readers) if reader in _known[net]}


@dataclass
class _Watch:
    """One run that keeps the graph between the stream at one entry and the queries, keys and values made of it."""

    net: Network
    readers: Sequence[Reader]
    few: Batch

    def ways(self) -> dict[Reader, Way]:
        net, first = self.net, self.readers[0]
        around = first.entry.module.rpartition(".")[0]
        names = [n for n, part in net.wiring.modules.items() if n.startswith(around + ".") and is_matrix(part)]
        self.made: dict[str, Tensor] = {}
        self.reads: dict[str, Tensor] = {}
        self.heads: dict[str, Tensor] = {}
        source = Port(first.norm, "out") if first.norm else first.entry
        touches = [Touch(source, self._start)]
        for name in names:
            touches.append(Touch(Port(name, "in"), lambda x, name=name: self.reads.__setitem__(name, x)))
            touches.append(Touch(Port(name, "out"), lambda y, name=name: self._keep(self.made, name, y)))
        for reader in {reader.site: reader for reader in self.readers}.values():
            assert reader.site is not None
            port = net.port(reader.site)
            touches.append(Touch(port, lambda x, key=str(reader.site): self._keep(self.heads, key, x)))
        Pass(net.wiring, touches, gradients=True)(self.few)
        direct = [n for n, made in self.made.items() if made.requires_grad and self._same(self.reads[n])]
        found: dict[Reader, Way] = {}
        taken: set[tuple[str, int]] = set()
        for reader in self.readers:
            way = self._way(reader, direct)
            if way is None:
                return {}
            cells = {(way.module, c) for c in way.columns.tolist()}
            if taken & cells:
                return {}
            taken |= cells
            found[reader] = way
        return found

    def _start(self, x: Tensor) -> Tensor:
        self.source = x.detach().requires_grad_()
        return self.source.clone()

    def _keep(self, into: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
        into.setdefault(name, x)
        return x.clone()

    def _same(self, x: Tensor) -> bool:
        return x.numel() == self.source.numel() and torch.equal(x.detach().view_as(self.source), self.source.detach())

    def _way(self, reader: Reader, direct: Sequence[str]) -> Way | None:
        """The columns that this reader's gradient reaches, if they explain the whole gradient at the stream."""
        x = self.heads[str(reader.site)][:, :, reader.head]
        drawn = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(x)
        outputs = [self.made[name] for name in direct]
        if not outputs:
            return None
        *found, whole = torch.autograd.grad(
            (x * drawn).sum(), [*outputs, self.source], retain_graph=True, allow_unused=True
        )
        reached = [(name, g) for name, g in zip(direct, found) if g is not None and bool(g.any())]
        if len(reached) != 1:
            return None
        name, gradient = reached[0]
        columns = gradient.flatten(0, -2).any(0).nonzero()[:, 0]
        way, near = Way(name, columns), 1e-3 * float(whole.abs().max())
        again = way.back(self.net, gradient)
        return way if float((again.view_as(whole) - whole).abs().max()) <= near else None


def _columns(weight: Tensor, columns: Tensor) -> Tensor:
    """These columns; a view where they lie side by side, so that no second copy of the weights is made."""
    first, last = int(columns[0]), int(columns[-1])
    return weight[:, first : last + 1] if last - first + 1 == len(columns) else weight[:, columns]
