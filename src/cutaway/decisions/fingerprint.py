"""Hashes of everything that a kept result depends on: network, inputs, metric, stand-ins, decompositions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import torch
from torch import Tensor

from cutaway.decisions.decision import Posed
from cutaway.network import Network
from cutaway.network.trees import map_tensors
from cutaway.submodels import Baseline, Decomposition

INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes


def fingerprint(net: Network, posed: Posed, baseline: Baseline) -> str:
    """A hash of the weights (of each a sample, and the sum of all its bits), the inputs, the metric, the baseline's values.

    The metric enters by its value on the output and on the output's negative: a function has no other name that lasts.
    """
    digest = hashlib.sha256()
    output, rows = net.run(posed.batch).output, torch.arange(posed.batch.rows, device=net.device)
    for seen in (output, map_tensors(torch.neg, output)):
        digest.update(exact(posed.metric(seen, rows)))
    for name, weight in (*net.module.named_parameters(), *net.module.named_buffers()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        if weight.device.type != "meta":
            flat = weight.detach().flatten()
            whole = INTEGERS.get(flat.element_size(), torch.uint8)
            digest.update(exact(flat[:: max(1, len(flat) // 64)]) + exact(flat.view(whole).sum()))
    for value in (*posed.batch.args, *posed.batch.kwargs.values()):
        digest.update(exact(value) if isinstance(value, Tensor) else str(value).encode())
    said = [str(posed.answers), str(posed.insteads), baseline.kind, baseline.draws, net.device.type]
    digest.update(json.dumps(said).encode())
    for draw in baseline.values:
        for site, value in draw.items():
            digest.update(str(site).encode() + exact(value))
    return digest.hexdigest()[:16]


def of_kinds(kinds: Iterable[Decomposition]) -> str:
    """A hash of decompositions: what they say of themselves, and their tensors."""
    digest = hashlib.sha256()
    for kind in kinds:
        digest.update(json.dumps(kind.describe(), sort_keys=True).encode())
        for name, tensor in kind.tensors().items():
            digest.update(name.encode() + exact(tensor))
    return digest.hexdigest()[:16]


def exact(x: Tensor) -> bytes:
    """A tensor to the last bit, with its dtype and shape."""
    plain = x.detach().cpu().contiguous().flatten().view(torch.uint8)
    return f"{x.dtype} {tuple(x.shape)}".encode() + plain.numpy().tobytes()
