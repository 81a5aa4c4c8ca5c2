"""The proofs of a layout: in every block the stream is the sum of what was written to it, the heads are their output."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from cutaway.network.batch import Batch
from cutaway.network.layout import CONTRIBUTIONS, Layout, Proof
from cutaway.network.passes import Pass, Wiring
from cutaway.network.tape import Recorded, Tape
from cutaway.network.trees import result

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 1e-2}


def probe(wiring: Wiring, batch: Batch) -> Tape:
    """Everything that every call read and returned, on a batch small enough to keep."""
    watch = Pass(wiring, record=wiring.modules, inputs=True, clone=wiring.modules)
    watch(batch)
    assert watch.tape_out is not None
    return watch.tape_out


def prove(layout: Layout, tape: Tape, wiring: Wiring) -> Layout:
    """The layout with its proofs: in every block the stream is the sum of what was written, the heads are their output."""
    calls = {where[-1][0]: record for where, record in tape.calls.items()}

    def at(point: str, layer: int) -> Tensor | None:
        port = layout.ports.get((point, layer))
        if port is None or port.module not in calls:
            return None
        record = calls[port.module]
        return record.inputs[port.index] if port.side == "in" else result(record.output, port.index)

    proofs: list[Proof] = []
    for layer in range(layout.layers):
        before, after = at("resid_pre", layer), at("resid_post", layer)
        added = {p: at(p, layer) for p in CONTRIBUTIONS}
        parts = [
            layout.scale.get((p, layer), 1.0) * x.view_as(before)
            for p, x in added.items()
            if x is not None and before is not None
        ]
        if before is not None and after is not None and parts:
            error = relative(before + sum(parts), after)
            near = max(
                map(tolerance, (before, after, *parts))
            )  # Mamba sums in float32 what its mixer gives in bfloat16
            proofs.append(Proof("resid_post = resid_pre + contributions", layer, error, error < near))
        middle = at("resid_mid", layer)
        if before is not None and middle is not None and len(parts) > 1:
            error = relative(before + sum(parts[:-1]), middle.view_as(before))
            proofs.append(
                Proof("resid_mid = resid_pre + attention contribution", layer, error, error < tolerance(middle))
            )
        proofs.extend(_prove_heads(layout, layer, calls, wiring))
    stream = at("resid_pre", 0)
    return replace(layout, proofs=tuple(proofs), width=None if stream is None else stream.shape[-1])


@torch.no_grad()
def _prove_heads(layout: Layout, layer: int, calls: dict[str, Recorded], wiring: Wiring) -> list[Proof]:
    """Σ over heads of (head through the projection) + bias = the projection's output."""
    name = layout.projections.get(layer)
    if name is None or name not in calls:
        return []
    z, out, project = calls[name].inputs[0], result(calls[name].output, 0), wiring.modules[name]
    heads = layout.heads[layer]
    nothing = project(torch.zeros_like(z))
    split = z.unflatten(-1, (heads, -1))
    total = nothing.clone()
    for head in range(heads):
        alone = torch.zeros_like(split)
        alone[..., head, :] = split[..., head, :]
        total += project(alone.flatten(-2)) - nothing
    error = relative(total, out)
    return [Proof("sum of heads + bias = attention output", layer, error, error < 3 * tolerance(out))]


def relative(a: Tensor, b: Tensor) -> float:
    """Largest difference, relative to the largest value of `b`."""
    return float((a - b).abs().max() / b.abs().max().clamp(min=1e-12))


def same_size(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are of one width and size, batch and position flattened together or not."""
    return a.numel() == b.numel() and a.shape[-1] == b.shape[-1]


def tolerance(x: Tensor) -> float:
    """How close two computations of one tensor must be, by its dtype."""
    return TOLERANCE.get(x.dtype, 1e-4)
