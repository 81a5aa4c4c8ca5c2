"""Where each part of a network reads the residual stream, seen in one watched run.

Found by values, as the layout is: the call whose input is the stream and whose output is what the part reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cutaway.decisions.graph.parts import NoGraphError, Reader
from cutaway.network import Batch, Network, Site
from cutaway.network.site import Port
from cutaway.network.tape import Recorded, Tape
from cutaway.network.trees import result


@dataclass(frozen=True, eq=False)
class Seen:
    """What one watched run read and gave: enough to tell where the stream enters each part."""

    net: Network
    few: Batch
    tape: Tape

    def readers(self, layer: int) -> list[Reader]:
        """The ways into one block."""
        ports, found = self.net.layout.ports, list[Reader]()
        stream = self.tensor(ports["resid_pre", layer])
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
        stream = self.tensor(ports["resid_post", layers - 1])
        end = self.call(ports["resid_post", layers - 1].module).end
        for name, call in self.calls():
            if call.start > end and call.inputs and equal(call.inputs[0], stream):
                return Reader("output", (layers, 0), "out", Port(name, "in", flat=call.inputs[0].ndim == 2))
        raise NoGraphError(
            f"nothing after the last block of {self.net.name} was seen to read the stream; trace it without edges"
        )

    # where the stream is read -----------------------------------------------------------------------------------------

    def _entry(self, reads: Port, stream: Tensor, layer: int) -> tuple[Port, str | None]:
        """Where the stream enters the part that reads at `reads`: there itself, or at the call that makes of it what is read."""
        x, start = self.tensor(reads), self.call(reads.module).start
        inside = [(name, call) for name, call in self.calls() if name.startswith(self._block(layer) + ".")]
        for name, call in reversed(inside):  # the latest: two fresh norms give the same values
            made = _first(call.output) if call.end < start else None
            if (
                made is not None
                and call.inputs
                and equal(made, x)
                and equal(call.inputs[0], stream)
                and name != reads.module
            ):
                return Port(name, "in", flat=call.inputs[0].ndim == 2), name
        if equal(x, stream):
            return reads, None
        raise NoGraphError(
            f"{self.net.name}: what {reads.module} reads is not made of the residual stream by one call, "
            "so its links cannot be cut apart; trace it without edges"
        )

    def _first_reader(self, stream: Tensor, layer: int) -> Port:
        for name, call in self.calls():
            if name.startswith(self._block(layer) + ".") and call.inputs and equal(call.inputs[0], stream):
                return Port(name, "in", flat=call.inputs[0].ndim == 2)
        raise NoGraphError(
            f"nothing in block {layer} of {self.net.name} was seen to read the stream; trace it without edges"
        )

    def _before_mlp(self, layer: int) -> tuple[Tensor, bool]:
        """The stream that the MLP reads, and whether the block's attention reads the same one (parallel)."""
        ports = self.net.layout.ports
        before = self.tensor(ports["resid_pre", layer])
        middle = ports.get(("resid_mid", layer))
        if middle is not None:
            return self.tensor(middle), False
        return before, ("attn_out_post", layer) in ports

    def _block(self, layer: int) -> str:
        return self.net.layout.ports["resid_post", layer].module

    def calls(self) -> list[tuple[str, Recorded]]:
        """Every call with its module's name, in the order in which they began."""
        return [(where[-1][0], call) for where, call in self.tape.calls.items()]

    def call(self, module: str) -> Recorded:
        """The first call of a module."""
        return next(call for name, call in self.calls() if name == module)

    def tensor(self, port: Port) -> Tensor:
        """What passed by at a port, raw."""
        call = self.call(port.module)
        return call.inputs[port.index] if port.side == "in" else result(call.output, port.index)


def _first(output: object) -> Tensor | None:
    try:
        return result(output, 0)
    except (LookupError, TypeError, AttributeError):
        return None


def equal(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors hold the same rows, batch and position flattened together or not."""
    return a.numel() == b.numel() and a.shape[-1] == b.shape[-1] and torch.equal(a.view_as(b), b)
