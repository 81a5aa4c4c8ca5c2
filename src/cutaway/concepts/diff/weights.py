"""How far two networks of one shape are apart, matrix by matrix and part by part: what says where to look, and no more.

Further training of both networks moves every weight, and what carries a difference in behaviour is then not what moved most.
So these figures stand beside what is proved by transplanting, as the ranking that it has to beat.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.concepts.diff.transplant import Way
from cutaway.network import Network
from cutaway.runs.table import Table

LARGEST = 2**22  # weights of a matrix whose rank is counted
NOISE = 1e-3  # of the largest singular value: less is rounding


def of_matrices(a: Network, b: Network) -> Table:
    """Every weight by name: `relative`, the norm of its difference over the norm of both, largest first; `rank` that of the
    difference, of at most `full` (0: identical; none: too large to count, or no matrix). A low-rank adapter shows there."""
    rows, other = [], dict(b.module.named_parameters())
    for name, weight in a.module.named_parameters():
        one, two = (x.detach().float().cpu() for x in (weight, other[name]))
        counted = one.ndim == 2 and one.numel() <= LARGEST
        rank = int(torch.linalg.matrix_rank(one - two, rtol=NOISE)) if counted else None
        row = {"weight": name, "relative": relative(one, two), "rank": rank}
        rows.append({**row, "full": min(one.shape) if counted else None})
    rows.sort(key=lambda row: -row["relative"])
    return Table.of(rows, columns=("weight", "relative", "rank", "full"))


def of_parts(way: Way, prompts: Sequence[str]) -> Table:
    """Every part by its address in the first network, with its counterpart in the second.

    `weights`: how far what it writes differs, by its output weights; `activations`: by what it adds to the stream on these
    prompts, both relative to their own size and from 0 to 2. Parts that no matrix reads have no weights of their own.
    """
    rows = []
    read = [one.net.read(one.net.batch(list(prompts)), *one.sites) for one in (way.source, way.into)]
    for name, addresses in way.places.items():
        codes, matrices = [], []
        for parts, values, address in zip((way.source, way.into), read, addresses):
            one = parts.of[address]
            atoms, reader = list(one.parts[address]), parts.reader(one)
            codes.append(one.encode({one.site: values[str(one.site)]})[..., atoms].detach().cpu().float())
            matrices.append(None if reader is None else parts.columns(reader, atoms).cpu().float())
        row = {"part": name, "there": addresses[1], "weights": None}
        if matrices[0] is not None and matrices[1] is not None:
            row["weights"] = relative(matrices[0], matrices[1])
            codes = [code @ matrix for code, matrix in zip(codes, matrices)]
        rows.append({**row, "activations": relative(codes[0], codes[1])})
    return Table.of(rows, columns=("part", "there", "weights", "activations"))


def relative(one: Float[Tensor, "*axes"], two: Float[Tensor, "*axes"]) -> float:
    """The norm of the difference over the root mean square of both norms: 0 the same, √2 unrelated; 0 where both are zero."""
    size = float((one.pow(2).sum() + two.pow(2).sum()) / 2) ** 0.5
    return float((one - two).norm()) / size if size else 0.0


def place(table: Table, column: str, name: str) -> int | None:
    """How many parts differ at least as much as this one; None where that is not known."""
    values = dict(zip(table["part"], table[column]))
    own = values.get(name)
    return None if own is None else sum(one is not None and one >= own for one in values.values())
