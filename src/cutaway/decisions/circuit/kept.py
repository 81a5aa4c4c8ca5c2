"""Effects of cuts kept on disk, a stack a file, so that a circuit that was stopped is taken up where it was.

What is read back is what was measured, to the last bit and in its dtype: the circuit is the one that would have been found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.fingerprint import exact, of_kinds
from cutaway.decisions.graph.graph import Graph
from cutaway.decisions.graph.split import Coded, Through
from cutaway.runs.resume import resumable
from cutaway.submodels import Decomposition

Effects = Float[Tensor, "sets batch"]


def kept(
    folder: Path, on: str, cuts: Tensor, draw: int, positions: Tensor | None, run: Callable[[], Effects]
) -> Effects:
    """What `run` gives, read from `folder` if it was kept there for the same cuts `on` the same question.

    A file that cannot be read is made again.
    """
    where = None if positions is None else hashed(exact(positions))
    key = {"on": on, "cuts": hashed(exact(cuts)), "draw": draw, "positions": where}

    def measured(_: object) -> dict[str, Any]:
        effects = run()
        return {"dtype": str(effects.dtype).removeprefix("torch."), "effects": effects.tolist()}

    (found,) = resumable(folder, measured, [key], lambda key: key)
    return torch.tensor(found["effects"], dtype=getattr(torch, found["dtype"]))


def of_graph(graph: Graph) -> str:
    """A hash of the nodes of a graph, its edges, and the tensors of the decompositions that nodes are made by."""
    coded = [kind for split in graph.splits.values() if isinstance(split, Coded) for kind in split.kinds]
    kinds = [kind.kind if isinstance(kind, Through) else kind for kind in coded]
    atoms = [split.atoms for split in graph.splits.values() if isinstance(split, Coded)]
    nodes = repr((graph.writers, graph.readers, graph.edges, graph.scale, atoms))
    return hashed(nodes.encode()) + of_kinds(kind for kind in kinds if isinstance(kind, Decomposition))


def hashed(x: bytes) -> str:
    """Sixteen digits for any bytes."""
    return hashlib.sha256(x).hexdigest()[:16]
