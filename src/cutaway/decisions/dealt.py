"""Other inputs dealt out so that none serves twice: those that decide a state, those that decide again, those that score.

What chose a set never scores it: the joint checks take the values of donors that had no say in which parts are called used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cutaway.decisions.estimate import FEWEST
from cutaway.network import Batch, Network, Site
from cutaway.submodels import Baseline, donors

AGAIN = 4  # times as many donors decide again


@dataclass(frozen=True)
class Dealt:
    """Donors that decide again and donors that score; None where the reference has too few. Neither decided before."""

    again: Batch | None
    scoring: Batch | None


def deal(net: Network, batch: Batch, draws: int, seed: int) -> Dealt:
    """Donors other than the `draws` of this seed: first those that score, then those that decide again.

    Where the reference has too few for both, those that decide again are all that do not score.
    """
    chosen = set(_contents(donors(net, batch, draws, seed)))
    drawn = donors(net, batch, (2 + AGAIN) * draws, seed)
    contents = _contents(drawn)
    fresh = [row for row, content in enumerate(contents) if content not in chosen]
    scoring, rest = fresh[:draws], fresh[draws:]
    if len(scoring) < min(draws, FEWEST):
        return Dealt(drawn if drawn.rows > draws else None, None)
    kept = {contents[row] for row in scoring}
    again = [row for row in rest if contents[row] not in kept]
    if len(again) < draws:
        again = [row for row in range(drawn.rows) if contents[row] not in kept]
    return Dealt(drawn.take(torch.tensor(again)) if len(again) > draws else None, drawn.take(torch.tensor(scoring)))


def values_of(net: Network, rows: Batch, sites: Sequence[Site]) -> Baseline:
    """The values of these inputs at these sites, each input a draw."""
    whole = list(dict.fromkeys(site.whole for site in sites))
    read = net.read(rows, *whole)
    return Baseline("resample", tuple({site: read[str(site)][d : d + 1] for site in whole} for d in range(rows.rows)))


def _contents(batch: Batch) -> list[bytes]:
    """What each row holds."""
    tensors = [
        value.detach().float().cpu()
        for value in (*batch.args, *batch.kwargs.values())
        if isinstance(value, Tensor) and value.ndim and value.shape[0] == batch.rows
    ]
    return [b"".join(value[row].contiguous().numpy().tobytes() for value in tensors) for row in range(batch.rows)]
