"""Readings on disk: safetensors files of some hundred passages each, found again by a hash of what was read.

A shard is written beside its name and renamed, so a killed harvest leaves whole shards only, and goes on after them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cutaway.runs.progress import Progress, silent

KEYS = "keys"
KEY_BYTES = 16


class Shards:
    """The shards of one folder: `key in shards`, `shards.take(keys, name)`, `shards.add(keys, tensors)`.

    A file that cannot be read is noted to `progress` and left out, so that its passages are read again.
    """

    def __init__(self, folder: Path, progress: Progress = silent) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.where: dict[bytes, tuple[Path, int]] = {}
        for path in sorted(folder.glob("*.safetensors")):
            try:
                with safe_open(path, "pt") as file:
                    self._index(path, file.get_tensor(KEYS))
            except (SafetensorError, OSError, RuntimeError):
                progress.note(f"{path}: not a whole shard; its passages are read again")

    def __contains__(self, key: bytes) -> bool:
        return key in self.where

    def add(self, keys: Sequence[bytes], tensors: Mapping[str, Tensor]) -> None:
        """Keeps the rows of `tensors` (each [passages, …]) under these keys."""
        stacked = torch.tensor([list(key) for key in keys], dtype=torch.uint8)
        path = self.folder / f"{hashlib.sha256(b''.join(keys)).hexdigest()[:24]}.safetensors"
        beside = path.with_name(f"{path.name}.tmp-{os.getpid()}")
        save_file({KEYS: stacked, **{name: value.contiguous() for name, value in tensors.items()}}, beside)
        os.replace(beside, path)
        self._index(path, stacked)

    def take(self, keys: Sequence[bytes], name: str) -> Float[Tensor, "passages *width"]:
        """The rows of one tensor, in the order of the keys."""
        wanted: dict[Path, list[tuple[int, int]]] = {}
        for index, key in enumerate(keys):
            path, row = self.where[key]
            wanted.setdefault(path, []).append((index, row))
        parts = []
        for path, places in wanted.items():
            with safe_open(path, "pt") as file:
                parts.append(file.get_tensor(name)[[row for _, row in places]])
        order = torch.tensor([index for places in wanted.values() for index, _ in places])
        return torch.cat(parts)[order.argsort()]

    def _index(self, path: Path, keys: Tensor) -> None:
        for row, key in enumerate(keys.tolist()):
            self.where[bytes(key)] = (path, row)
