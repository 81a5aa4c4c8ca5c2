"""The state of a training run on disk: safetensors and JSON, written beside and renamed.

A checkpoint is a folder `step-N` with `weights.safetensors`, `moments.safetensors` and `state.json`. A killed run
leaves whole checkpoints or nothing; the next one replaces the last.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


@dataclass(frozen=True)
class Checkpoint:
    """Weights, the optimiser's moments, the loss of each step so far, and the CPU seconds that they took."""

    weights: dict[str, Tensor]
    moments: dict[str, Tensor]
    losses: tuple[float, ...]
    cpu_seconds: float

    @classmethod
    def of(
        cls, network: nn.Module, optimiser: torch.optim.Optimizer, losses: Sequence[float], cpu_seconds: float
    ) -> Checkpoint:
        """The state of a run now; the tensors are shared, not copied."""
        moments = {
            f"{index}.{name}": value
            for index, state in optimiser.state_dict()["state"].items()
            for name, value in state.items()
        }
        return cls(dict(network.state_dict()), moments, tuple(losses), cpu_seconds)

    def restore(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Put the state back into a network and an optimiser of the same shapes."""
        network.load_state_dict(self.weights)
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in self.moments.items():
            index, name = key.split(".", 1)
            state.setdefault(int(index), {})[name] = value
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def write(checkpoint: Checkpoint, folder: Path | str, identity: dict[str, str]) -> Path:
    """Write a checkpoint into `folder`, whole or not at all, and drop the older ones; gives its path."""
    folder = Path(folder)
    final = folder / f"step-{len(checkpoint.losses):07d}"
    beside = folder / f".{final.name}-{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for name in ("weights", "moments"):
        tensors = {key: tensor.contiguous() for key, tensor in getattr(checkpoint, name).items()}
        save_file(tensors, beside / f"{name}.safetensors")
    state = {"identity": identity, "cpu_seconds": checkpoint.cpu_seconds, "losses": checkpoint.losses}
    (beside / "state.json").write_text(json.dumps(state))
    shutil.rmtree(final, ignore_errors=True)
    beside.rename(final)
    for path in [*steps(folder), *folder.glob(".step-*")]:
        if path != final:
            shutil.rmtree(path)
    return final


def latest(folder: Path | str, identity: dict[str, str]) -> Checkpoint | None:
    """The last checkpoint in `folder`, or None; ValueError if it belongs to a run with another identity."""
    found = steps(Path(folder))
    if not found:
        return None
    state = json.loads((found[-1] / "state.json").read_text())
    other = sorted(name for name in identity if state["identity"].get(name) != identity[name])
    if other:
        raise ValueError(
            f"{folder} holds a run with another {' and '.join(other)}, so it cannot be resumed; give another folder or "
            "remove this one"
        )
    return Checkpoint(
        weights=load_file(found[-1] / "weights.safetensors"),
        moments=load_file(found[-1] / "moments.safetensors"),
        losses=tuple(state["losses"]),
        cpu_seconds=state["cpu_seconds"],
    )


def steps(folder: Path) -> list[Path]:
    """The whole checkpoints of a folder, oldest first."""
    return sorted(folder.glob("step-*"))


def fingerprint(parts: dict[str, Any]) -> dict[str, str]:
    """The sha256 of each thing that makes a run this run: tensors by their bytes, values by how they print."""
    return {name: hashlib.sha256(content(value)).hexdigest() for name, value in parts.items()}


def content(value: Any) -> bytes:
    """What of a value decides whether two are the same."""
    if isinstance(value, Tensor):
        return value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    if isinstance(value, dict):
        return b"".join(name.encode() + content(part) for name, part in value.items())
    if is_dataclass(value):
        return repr(value).encode()
    return type(value).__qualname__.encode()  # the printed form of other objects may hold an address
