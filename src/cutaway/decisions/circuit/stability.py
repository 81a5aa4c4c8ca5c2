"""Would other examples have named the same edges? The overlap (Jaccard index) of the edges used, over resampled examples.

Every edge that was cut alone has its effect on every example, so that the examples can be drawn again without a rerun
(the bootstrap of Efron 1979); the other half of the examples and rephrased ones are measured. That circuits change with the
batch and with the wording is the finding of CEAP (arXiv 2606.16920).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.find import is_used, over_draws
from cutaway.decisions.estimate import FEWEST, estimate
from cutaway.runs.table import Table

RESAMPLED = 60  # times the examples are drawn again
COLUMNS = ("examples", "n", "Jaccard", "low", "times")


def jaccard(one: Iterable[Hashable], other: Iterable[Hashable]) -> float:
    """Shared over all; 1 for two empty sets."""
    a, b = set(one), set(other)
    return len(a & b) / len(a | b) if a | b else 1.0


def stability(
    alone: Mapping[int, Float[Tensor, "draws rows"]],
    floor: float,
    held: Cutter | None,
    rephrased: Cutter | None,
    seed: int,
) -> Table:
    """How far the edges used on the examples that chose (`alone`: effects of those cut) are those used on others.

    Empty where no edge is used alone: nothing is not stable. One row each for the examples resampled (5 % and 50 % of
    the draws lie below `low` and `Jaccard`), for the other half, and for rephrased prompts where there are any.
    """
    edges = list(alone)
    here = _used(edges, torch.stack(list(alone.values())), floor) if edges else []
    if not here:
        return Table.of([], columns=COLUMNS)
    effects = torch.stack([alone[edge] for edge in edges])
    rows = []
    if max(effects.shape[1:]) >= FEWEST:
        drawn = [jaccard(here, _used(edges, some, floor)) for some in _resampled(effects, seed)]
        spread = torch.tensor(drawn).quantile(torch.tensor([0.05, 0.5])).tolist()
        axis = 2 if effects.shape[2] >= FEWEST else 1
        rows.append(_row("resampled", effects.shape[axis], spread[1], spread[0], RESAMPLED))
    for name, cutter in (("the other half", held), ("rephrased", rephrased)):
        if cutter is not None:
            there = over_draws(cutter, cutter.cuts([[edge] for edge in edges])).transpose(0, 1)
            share = jaccard(here, _used(edges, there, floor))
            rows.append(_row(name, cutter.posed.batch.rows, share, None, 1))
    return Table.of(rows, columns=COLUMNS)


def _row(name: str, n: int, share: float, low: float | None, times: int) -> dict[str, object]:
    return {"examples": name, "n": n, "Jaccard": share, "low": low, "times": times}


def _used(edges: list[int], effects: Float[Tensor, "edges draws rows"], floor: float) -> list[int]:
    return [edge for edge, effect in zip(edges, effects) if is_used(estimate(effect), floor)]


def _resampled(effects: Tensor, seed: int) -> list[Tensor]:
    """The examples drawn again with replacement: prompts, or donors where there are few prompts."""
    generator = torch.Generator().manual_seed(seed)
    axis = 2 if effects.shape[2] >= FEWEST else 1
    count = effects.shape[axis]
    return [effects.index_select(axis, torch.randint(count, (count,), generator=generator)) for _ in range(RESAMPLED)]
