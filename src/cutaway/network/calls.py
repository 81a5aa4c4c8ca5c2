"""Recorded calls as the search for a layout sees them: what they read and wrote, what kind of module made them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cutaway.network.layout import STREAM
from cutaway.network.passes import Wiring
from cutaway.network.proofs import tolerance
from cutaway.network.site import Port
from cutaway.network.tape import CallId, Recorded
from cutaway.network.trees import result


@dataclass(frozen=True)
class Call:
    """A recorded call as the search sees it: the module, its first input and its first output."""

    name: str
    where: CallId
    record: Recorded

    @property
    def x(self) -> Tensor | None:
        return self.record.inputs[0] if self.record.inputs else None

    @property
    def y(self) -> Tensor | None:
        try:
            y = result(self.record.output, 0)
        except (LookupError, TypeError, AttributeError):
            return None
        return y if y.is_floating_point() else None


def port_of(call: Call) -> Port:
    """The output port of a call whose output is a stream, with batch and position flattened together or not."""
    flat = call.y is not None and call.y.ndim == 2
    return Port(call.name, "out", STREAM, flat=flat)


def heads_in(wiring: Wiring, path: str) -> int | None:
    """The number of heads that the module at `path`, or the nearest one around it, says it has."""
    while True:
        for name in ("num_heads", "heads", "n_heads", "n_head", "num_attention_heads"):
            if isinstance(count := getattr(wiring.modules[path], name, None), int):
                return count
        if not path:
            return None
        path = path.rpartition(".")[0]


def mixes_positions(part: nn.Module) -> bool:
    """Whether a module is, by its class name, a mixer of positions other than attention (state space, recurrent, convolution)."""
    return any(
        word in type(part).__name__
        for word in ("Mixer", "Mamba", "SSM", "Recurrent", "Rwkv", "RWKV", "Conv", "Delta", "LSTM", "GRU")
    )


def explain(change: Tensor, calls: list[Call], most: int = 2) -> list[tuple[Call, float]] | None:
    """The fewest calls (at most `most`) whose outputs, each times a factor, sum to `change`; None if there are none.

    Of several such sets the one with most factors equal to 1, then the closest. Solved by normal equations in float64.
    """
    usable = [call for call in calls if call.y is not None and float(call.y.abs().max()) > 0]
    if not usable or float(change.abs().max()) == 0:
        return None
    target = change.double().flatten()
    outputs = torch.stack([call.y.double().flatten() for call in usable if call.y is not None])
    enough = tolerance(change) * float(target.norm())
    gram, toward = outputs @ outputs.T, outputs @ target
    for size in range(1, min(most, len(usable)) + 1):
        fits: list[tuple[int, float, list[tuple[Call, float]]]] = []
        for chosen in torch.combinations(torch.arange(len(usable)), size):
            factors, failed = torch.linalg.solve_ex(gram[chosen][:, chosen], toward[chosen])
            if bool(failed) or not factors.isfinite().all() or float(factors.abs().min()) < 1e-3:
                continue
            left = float((factors @ outputs[chosen] - target).norm())
            if left < enough:
                plain = int((factors - 1).abs().gt(1e-3).sum())
                exact = torch.where((factors - 1).abs() > 1e-3, factors, 1.0)
                fits.append((plain, left, [(usable[i], round(float(f), 5)) for i, f in zip(chosen.tolist(), exact)]))
        if fits:
            return min(fits, key=lambda fit: fit[:2])[2]
    return None


def is_norm(part: nn.Module) -> bool:
    """Whether a module is a normalisation: by its name, or one vector of weights and no children."""
    return "Norm" in type(part).__name__


def is_matrix(part: nn.Module) -> bool:
    """Whether a module is one matrix (Linear, GPT-2's Conv1D, quantised linears)."""
    weight = getattr(part, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim == 2 and not isinstance(part, nn.Embedding)
