"""What a sweep need not compute, and how much is left: the facts about one tape that its shortcuts rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.network.batch import Batch
from cutaway.network.edit import Edit, Variant
from cutaway.network.metric import Metric, logits_of
from cutaway.network.network import Network
from cutaway.network.proofs import tolerance
from cutaway.network.site import Port, Site
from cutaway.network.tape import ATTENTION, Tape


@dataclass(frozen=True)
class Trim:
    """What need not be computed: inputs `cut` to the last position, and of the unembedding `head` all but `columns`."""

    cut: tuple[Port, ...] = ()
    head: str | None = None
    columns: Tensor | None = None

    def event(self, tape: Tape) -> int | None:
        """From when on only the last position is computed."""
        on_tape = {where[-1][0] for where in tape.calls}
        return min((tape.event(port) for port in self.cut if port.module in on_tape), default=None)

    @property
    def names(self) -> list[str]:
        """What a plan calls it."""
        cut, head = ["last position only at the end"], ["only the outputs that are read"]
        return (cut if self.cut else []) + (head if self.head else [])


def sites_of(variant: Variant) -> list[Site]:
    """Every site that a variant writes or reads."""
    return [*variant.read, *(site for edit in variant.edits for site in (edit.site, *edit.reads))]


def counted_from_the_end(variant: Variant, batch: Batch) -> Variant:
    """Position selectors as indices from the end, so that they hold when only the last positions are computed."""
    length, real = batch.positions, batch.real
    edits = []
    for edit in variant.edits:
        pos = dict(edit.site.select).get("pos")
        if isinstance(pos, int) and pos >= 0:
            if length is None:
                edits.append(edit)
                continue
            if real is not None and not bool(real.all()):
                raise ValueError(
                    f"{edit.site}: prompts of different lengths share no position {pos}; count from the end, e.g. pos=-1"
                )
            edit = replace(edit, site=edit.site.at(pos=pos - length))
        edits.append(edit)
    return replace(variant, edits=tuple(edits))


def first_position(variants: Sequence[Variant], batch: Batch, metric: Metric) -> int | None:
    """The first position that any edit touches, if that is not the first of all."""
    length = batch.positions
    if length is None or not metric.last:
        return None
    earliest = 0
    for variant in variants:
        for edit in variant.edits:
            pos = dict(edit.site.select).get("pos")
            if not isinstance(pos, int) or edit.reads or variant.read:
                return None
            earliest = min(earliest, pos)
    if not -length < earliest < 0:
        return None
    return length + earliest


def trimmed(net: Network, tape: Tape, variants: Sequence[Variant], metric: Metric) -> Trim:
    """What the last block and the unembedding need not compute, if the metric reads only the last position."""
    if not metric.last or tape.positions is None:
        return Trim()
    layout = net.found
    if layout is None or not layout.layers:
        return Trim()
    cut: list[Port] = []
    last = layout.layers - 1
    single = all(dict(e.site.select).get("pos", -1) == -1 for v in variants for e in v.edits)
    logits = layout.ports.get(("logits", None))
    if logits is not None and positionwise_after(net, tape, variants, Port(logits.module, "in")):
        cut.append(Port(logits.module, "in"))
        if single and layout.additive and last in layout.projections:
            middle = layout.ports.get(("resid_mid", last)) or layout.ports.get(("mlp_in", last))
            projection = Port(layout.projections[last], "in")
            if (
                middle is not None
                and not middle.flat
                and middle.side == "in"
                and positionwise_after(net, tape, variants, projection)
            ):
                cut += [projection, Port(middle.module, "in")]
    head, columns = None, None
    written = {net.port(edit.site).module for variant in variants for edit in variant.edits}
    if logits is not None and metric.columns is not None:
        part = net.wiring.modules[logits.module]
        if type(part) is nn.Linear and part.weight.device.type != "meta" and logits.module not in written:
            head, columns = logits.module, metric.columns.to(net.device)
    return Trim(tuple(cut), head, columns)


def positionwise_after(net: Network, tape: Tape, variants: Sequence[Variant], cut: Port) -> bool:
    """Whether every edit from `cut` on changes each position by itself, so that it may be given the last one alone."""

    def later(edit: Edit) -> bool:
        try:
            return tape.event(net.port(edit.site)) > tape.event(cut)
        except LookupError:  # the cut is not on the tape: any edit may come after it
            return True

    if any(dict(site.select).get("pos", -1) != -1 for v in variants for site in v.read):
        return False
    unsafe = (e for v in variants for e in v.edits if e.reads or not getattr(e.change, "positionwise", False))
    return not any(later(edit) for edit in unsafe if not isinstance(dict(edit.site.select).get("pos"), int))


def watched(net: Network, ports: Sequence[Port]) -> set[str]:
    """The modules whose calls a tape needs: those at the ports, and the children of everything around them.

    Around an attention product is its own module: the matrices that made queries, keys and values come before the heads.
    """
    names: set[str] = set()
    for port in ports:
        names.add(port.module)
        if port.side in ("q", "k", "v", "z"):
            names.update(_called_children(net, port.module))
        path = port.module
        while path:
            path = path.rpartition(".")[0]
            names.update(_called_children(net, path))
    names.discard("")
    return names


def _called_children(net: Network, path: str) -> Iterator[str]:
    """Children of a module, looking through lists, which are never called themselves."""
    for child, part in net.wiring.modules[path].named_children():
        name = f"{path}.{child}" if path else child
        if isinstance(part, (nn.ModuleList, nn.ModuleDict)):
            yield from _called_children(net, name)
        else:
            yield name


def causal(net: Network, where: Any, mask: Any) -> bool:
    """Whether an attention product lets no position read a later one."""
    if isinstance(mask, Tensor):
        allowed = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
        q, k = mask.shape[-2:]
        later = torch.ones(q, k, dtype=torch.bool, device=mask.device).triu(1 + k - q)
        return not bool((allowed & later).any())
    name = where[-1][0].removesuffix(ATTENTION)
    return bool(getattr(net.wiring.modules[name], "is_causal", False))


def close(a: Tensor, b: Tensor, net: Network, size: float) -> bool:
    """Whether two metrics [rows] are finite and agree to the network's dtype, relative to the largest |b|.

    A metric is read off outputs of `size`, so it cannot agree better than their rounding: a difference of two logits may
    be far smaller than either. A metric that is itself below that rounding (1e-6 read off logits of 10) is not guarded.
    """
    near = tolerance(torch.empty(0, dtype=net.dtype)) * float(b.abs().max())
    return bool(torch.isfinite(a).all()) and float((a - b).abs().max()) <= max(near, rounding(net.dtype) * size)


def rounding(dtype: torch.dtype) -> float:
    """How far apart two ways to compute one number come out, relative to what it is summed of."""
    eps = torch.finfo(dtype).eps
    return eps * (16 if eps < 1e-5 else 1)


def output_size(output: Any, metric: Metric) -> float:
    """The largest value among the outputs that a metric may be read off."""
    found = logits_of(output)
    found = found[:, -1] if metric.last and found.ndim == 3 else found
    return float(found.abs().max()) if found.numel() else 0.0
