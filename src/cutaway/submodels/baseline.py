"""What is put in the place of a part that is taken away: zero, a mean, another input's values, a counterfactual's, a value.

Resampling from other inputs is the default: mean and zero leave the network's natural activations and reveal backups
instead of use. `donors` finds inputs of the prompt's own length, so that every value is one the network itself made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from jaxtyping import Int
from torch import Tensor

from cutaway.network import Batch, Natural, Network, Site, TextFeed

Kind = Literal["resample", "mean", "zero", "counterfactual", "value"]


SAMPLE = 32  # other inputs that say what is natural at a site


class NoReference(ValueError):
    """A baseline that needs other inputs, and a network that was opened without any."""


@dataclass(frozen=True)
class Baseline:
    """Values to put in the place of parts: `draws` of them, each a dict of whole tensors by site.

    A tensor's batch axis is 1 (the same for every row) or the batch's own size. `natural` is what other inputs give at the
    same sites, so that a receipt can say how far from natural a value is (empty without a reference).
    """

    kind: Kind
    values: tuple[dict[Site, Tensor], ...]
    natural: Mapping[Site, Natural] = field(default_factory=dict)

    @property
    def draws(self) -> int:
        """How many sets of values there are."""
        return len(self.values)


def constant(values: Mapping[Site | str, Tensor | float]) -> Baseline:
    """The baseline that puts given values: a number or a tensor of the whole site's shape (batch axis 1) by address.

    >>> constant({"mlp_out.0": 0.5}).draws
    1
    """
    found = {Site.parse(site).whole: torch.as_tensor(value, dtype=torch.float32) for site, value in values.items()}
    return Baseline("value", (found,))


def donors(net: Network, batch: Batch, count: int, seed: int = 0) -> Batch:
    """`count` other inputs (fewer if there are no more) from the reference, for text cut to the batch's own number of tokens.

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
            f"the reference inputs have {pool.positions} positions and the decision {batch.positions}; "
            "give a reference of that length"
        )
    whole = _unpadded(pool)
    if len(whole) < 2:
        raise ValueError(
            f"the reference has {pool.rows} inputs, {len(whole)} of them without padding; "
            "expected at least 2 to take other values from"
        )
    return pool.take(whole[torch.randperm(len(whole), generator=generator)[:count]])


def _unpadded(pool: Batch) -> Int[Tensor, "rows"]:
    """The rows without padding: what a network makes of padding is no value of another input."""
    real = pool.real if pool.real is not None else pool.kwargs.get("attention_mask")
    if not isinstance(real, Tensor) or real.ndim != 2:
        return torch.arange(pool.rows)
    return real.bool().all(1).nonzero()[:, 0].cpu()


def _windows(net: Network, batch: Batch, count: int, generator: torch.Generator) -> list[list[int]]:
    """Different windows of the reference texts, as long as the batch's prompts, after the tokens every text begins with."""
    assert isinstance(net.feed, TextFeed) and batch.positions is not None
    encoded = net.reference_ids
    start = _common_start(encoded, batch, list(net.feed.tokenizer.encode("")))
    length = batch.positions - len(start)
    lead = start or list(net.feed.tokenizer.encode(""))  # no start token in the middle of a window
    rows = [row[len(lead) :] if row[: len(lead)] == lead else row for row in encoded]
    long = [row for row in rows if len(row) >= length]
    if sum(len(row) - length + 1 for row in long) < count:
        joined = [token for row in rows for token in row]
        long = [joined] if len(joined) >= length + count else long
    ends = torch.tensor([len(row) - length + 1 for row in long], dtype=torch.long).cumsum(0)
    there = int(ends[-1]) if long else 0
    if there < 2:
        raise ValueError(
            f"the reference holds {there or 'no'} text of {length} tokens, expected at least 2; "
            "give more or longer reference texts, or a shorter prompt"
        )
    windows = []
    for at in torch.randperm(there, generator=generator)[:count].tolist():
        row = int((ends <= at).sum())
        first = int(ends[row]) - 1 - at
        windows.append([*start, *long[row][first : first + length]])
    return windows


def _common_start(encoded: Sequence[Sequence[int]], batch: Batch, empty: Sequence[int]) -> list[int]:
    """The tokens that every encoded text begins with, as long as the prompts do too; of a single text those of `empty` too."""
    ids, real = batch.ids, batch.real
    assert ids is not None
    first = [
        row[keep].tolist() if real is not None else row.tolist()
        for row, keep in zip(ids.cpu(), real.cpu() if real is not None else ids)
    ]
    start: list[int] = []
    rows = [*encoded, *first]
    rows += [empty] if len(encoded) == 1 else []
    while all(len(row) > len(start) for row in rows) and len({row[len(start)] for row in rows}) == 1:
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
    return Baseline(
        kind, _values(net, batch, whole, kind, draws, counterfactual, seed), naturals(net, batch, whole, seed)
    )


def naturals(net: Network, batch: Batch, sites: Sequence[Site], seed: int = 0) -> dict[Site, Natural]:
    """Mean and variance at these sites over inputs of the batch's length; nothing where there are none."""
    try:
        read = net.read(donors(net, batch, SAMPLE, seed + 15485863), *sites)
    except ValueError:  # NoReference is one too: the baseline itself says what is missing
        return {}
    found = ((site, read[str(site)].float()) for site in sites)
    return {site: Natural(x.mean(0, keepdim=True), x.var(0, keepdim=True, correction=0)) for site, x in found}


def _values(
    net: Network, batch: Batch, whole: Sequence[Site], kind: Kind, draws: int, counterfactual: Any, seed: int
) -> tuple[dict[Site, Tensor], ...]:
    if kind == "zero":
        return ({},)
    if kind == "counterfactual":
        if counterfactual is None:
            raise ValueError(
                "baseline 'counterfactual' needs Decision(counterfactual=…): the same prompt with another right answer"
            )
        other = net.batch(counterfactual)
        if other.rows != batch.rows or other.positions != batch.positions:
            raise ValueError(
                f"the counterfactual has {other.rows} rows of {other.positions} tokens and the decision {batch.rows} of "
                f"{batch.positions}; give prompts that match row by row, token by token"
            )
        if other.real is not None and batch.real is not None and not torch.equal(other.real, batch.real):
            uneven = int((other.real != batch.real).any(1).nonzero()[0])
            lengths = int(other.real[uneven].sum()), int(batch.real[uneven].sum())
            raise ValueError(
                f"counterfactual {uneven} has {lengths[0]} tokens and its prompt {lengths[1]}; "
                "give prompts that match row by row, token by token"
            )
        read = net.read(other, *whole)
        return ({site: read[str(site)] for site in whole},)
    if kind == "mean":
        read = net.read(donors(net, batch, 64, seed), *whole)
        return ({site: _mean(net, site, read[str(site)]) for site in whole},)
    if kind != "resample":
        raise ValueError(
            f"unknown baseline {kind!r}; expected resample, mean, zero or counterfactual, or constant({{…}})"
        )
    found = donors(net, batch, draws, seed)
    read = net.read(found, *whole)
    return tuple({site: read[str(site)][d : d + 1] for site in whole} for d in range(found.rows))


def _mean(net: Network, site: Site, x: Tensor) -> Tensor:
    """The mean over batch and position (and space), kept as axes of size 1."""
    axes = net.port(site).axes_for(x.ndim)
    over = [i for i, name in enumerate(axes) if name in ("batch", "position") or name.startswith("space")]
    return x.float().mean(dim=over, keepdim=True).to(x.dtype)
