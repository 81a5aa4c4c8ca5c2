"""What is put in the place of a part that is taken away: zero, a mean, another input's values, a counterfactual's, a value.

Resampling from other inputs is the default: mean and zero leave the network's natural activations and reveal backups
instead of use. `donors` finds inputs of the prompt's own length, so that every value is one the network itself made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from cutaway.network import Batch, Network, Put, Site, TextFeed

Kind = Literal["resample", "mean", "zero", "counterfactual"]


class NoReference(ValueError):
    """A baseline that needs other inputs, and a network that was opened without any."""


@dataclass(frozen=True)
class Baseline:
    """Values to put in the place of parts: `draws` of them, each a dict of whole tensors by site.

    A tensor's batch axis is 1 (the same for every row) or the batch's own size.
    """

    kind: Kind
    values: tuple[dict[Site, Tensor], ...]

    @property
    def draws(self) -> int:
        """How many sets of values there are."""
        return len(self.values)

    def put(self, site: Site, draw: int, index: tuple[slice, ...]) -> Put:
        """The change that puts the picked part of draw number `draw` at a site."""
        if self.kind == "zero":
            return Put(0.0)
        return Put(self.values[draw][site.whole][index])


def donors(net: Network, batch: Batch, count: int, seed: int = 0) -> Batch:
    """`count` other inputs from the network's reference, for text cut to the batch's own number of tokens.

    A prompt that begins with a token that every encoded text begins with (a start-of-text token) gives donors that do too.
    Raises `NoReference` where there is none, ValueError where the reference is too short.
    """
    if net.reference is None:
        raise NoReference(
            f"{net.name} was opened without a reference, so there are no other inputs to take values from; "
            "open it with reference=… (a few hundred inputs of the kind it reads), or use baseline='zero'"
        )
    generator = torch.Generator().manual_seed(seed)
    if isinstance(net.feed, TextFeed) and not isinstance(net.reference, Batch):
        return net.batch(net.feed.batch(_windows(net, batch, count, generator)))
    pool = net.batch(net.reference)
    if pool.positions is not None and batch.positions is not None and pool.positions != batch.positions:
        raise ValueError(
            f"the reference inputs have {pool.positions} positions and the decision {batch.positions}; give a reference of that length"
        )
    if pool.rows < 2:
        raise ValueError(f"the reference has {pool.rows} input; expected at least 2 to take other values from")
    picked = torch.randperm(pool.rows, generator=generator)[:count]
    return pool.take(picked)


def _windows(net: Network, batch: Batch, count: int, generator: torch.Generator) -> list[list[int]]:
    """Windows of the reference texts, each as long as the batch's prompts, after the tokens that every text begins with."""
    assert isinstance(net.feed, TextFeed) and batch.positions is not None
    encoded = _encoded(net)
    start = _common_start(encoded, batch)
    length = batch.positions - len(start)
    rows = [row[len(start) :] if row[: len(start)] == start else row for row in encoded]
    long = [row for row in rows if len(row) >= length]
    if len(long) < min(count, 8):
        joined = [token for row in rows for token in row]
        long = [joined] if len(joined) >= length + count else []
    if not long:
        raise ValueError(f"the reference holds no text of {length} tokens; give longer reference texts, or a shorter prompt")
    windows = []
    for _ in range(count):
        row = long[int(torch.randint(len(long), (), generator=generator))]
        first = int(torch.randint(len(row) - length + 1, (), generator=generator))
        windows.append([*start, *row[first : first + length]])
    return windows


def _encoded(net: Network) -> list[list[int]]:
    """The reference texts as ids, encoded once for each network."""
    if "reference" not in net._encoded:
        assert isinstance(net.feed, TextFeed)
        texts = [net.reference] if isinstance(net.reference, str) else list(net.reference)
        net._encoded["reference"] = [list(net.feed.tokenizer.encode(t)) if isinstance(t, str) else list(t) for t in texts]
    return net._encoded["reference"]


def _common_start(encoded: Sequence[Sequence[int]], batch: Batch) -> list[int]:
    """The tokens that every encoded text begins with, as long as the prompts do too."""
    ids, real = batch.ids, batch.real
    assert ids is not None
    first = [row[keep].tolist() if real is not None else row.tolist() for row, keep in zip(ids.cpu(), real.cpu() if real is not None else ids)]
    start: list[int] = []
    rows = [*encoded, *first]
    while all(len(row) > len(start) for row in rows) and len({row[len(start)] for row in rows}) == 1 and len(encoded) > 1:
        start.append(rows[0][len(start)])
    return start


def baseline(
    net: Network,
    batch: Batch,
    sites: Sequence[Site],
    kind: Kind = "resample",
    draws: int = 8,
    counterfactual: Any = None,
    seed: int = 0,
) -> Baseline:
    """The values of `kind` at these sites.

    "resample": `draws` donors, each its own set; "mean": the mean over 64 donors and their positions; "counterfactual": the
    values on a matched input, row by row; "zero": zeros.
    """
    whole = list(dict.fromkeys(site.whole for site in sites))
    if kind == "zero":
        return Baseline(kind, ({},))
    if kind == "counterfactual":
        if counterfactual is None:
            raise ValueError("baseline 'counterfactual' needs Decision(counterfactual=…): the same prompt with another right answer")
        other = net.batch(counterfactual)
        if other.rows != batch.rows or other.positions != batch.positions:
            raise ValueError(
                f"the counterfactual has {other.rows} rows of {other.positions} tokens and the decision {batch.rows} of "
                f"{batch.positions}; give prompts that match row by row, token by token"
            )
        read = net.read(other, *whole)
        return Baseline(kind, ({site: read[str(site)] for site in whole},))
    if kind == "mean":
        read = net.read(donors(net, batch, 64, seed), *whole)
        return Baseline(kind, ({site: _mean(net, site, read[str(site)]) for site in whole},))
    if kind != "resample":
        raise ValueError(f"unknown baseline {kind!r}; expected resample, mean, zero or counterfactual")
    found = donors(net, batch, draws, seed)
    read = net.read(found, *whole)
    return Baseline(kind, tuple({site: read[str(site)][d : d + 1] for site in whole} for d in range(found.rows)))


def _mean(net: Network, site: Site, x: Tensor) -> Tensor:
    """The mean over batch and position (and space), kept as axes of size 1."""
    axes = net.port(site).axes_for(x.ndim)
    over = [i for i, name in enumerate(axes) if name in ("batch", "position") or name.startswith("space")]
    return x.float().mean(dim=over, keepdim=True).to(x.dtype)
