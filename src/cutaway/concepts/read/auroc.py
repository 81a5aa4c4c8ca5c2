"""The area under the ROC curve by ranks, for many columns of scores at once; ties count half (Mann and Whitney 1947).

The scores of a column are ranked once and can then be asked about any two sets of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# What lies closer together than this share of a column's spread differs by rounding only: two texts of the same words in
# another order have the same mean embedding, but not to the last bit, and the last bit must not rank them.
ROUNDING = 1e-4


@dataclass(frozen=True, eq=False)
class Ranked:
    """Columns of scores in order: `order` [rows, columns], and for each place the first and last place of the same score."""

    order: Int[Tensor, "rows columns"]
    first: Int[Tensor, "rows columns"]
    last: Int[Tensor, "rows columns"]

    def auroc(
        self, positive: Bool[Tensor, "rows columns"], negative: Bool[Tensor, "rows columns"]
    ) -> Float[Tensor, "columns"]:
        """The share of (positive, negative) couples that a column ranks rightly; NaN where one of the sets is empty.

        A row may be in neither set.
        """
        high, low = (one.expand_as(self.order).gather(0, self.order).double() for one in (positive, negative))
        below = torch.cat([torch.zeros_like(low[:1]), low.cumsum(0)])
        won = below.gather(0, self.first) + below.gather(0, self.last + 1)
        return 0.5 * (won * high).sum(0) / (high.sum(0) * low.sum(0))


def steps(scores: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """The columns in whole steps of `ROUNDING`, so that what differs by rounding only ties.

    Raises ValueError for a score that is not finite.
    """
    if not bool(torch.isfinite(scores).all()):
        raise ValueError(
            "given scores with NaN or infinity; expected finite numbers; look for such weights in the network"
        )
    spread = scores.double().std(0, correction=0)
    return (scores.double() / (ROUNDING * spread.where(spread > 0, torch.ones_like(spread)))).round()


def ranked(scores: Float[Tensor, "rows columns"]) -> Ranked:
    """The columns in order, what differs by rounding only as ties. Raises what `steps` raises."""
    ordered, order = steps(scores).sort(stable=True, dim=0)
    places = torch.arange(len(order), device=scores.device)[:, None].expand_as(order)
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[1:] = ordered[1:] != ordered[:-1]
    ends = torch.ones_like(new)
    ends[:-1] = new[1:]
    first = places.where(new, torch.zeros_like(places)).cummax(0).values
    last = places.where(ends, torch.full_like(places, len(order) - 1)).flip(0).cummin(0).values.flip(0)
    return Ranked(order, first, last)


def auroc(
    scores: Float[Tensor, "rows columns"],
    positive: Bool[Tensor, "rows columns"],
    negative: Bool[Tensor, "rows columns"],
) -> Float[Tensor, "columns"]:
    """The AUROC of each column, ties counting half.

    >>> scores = torch.tensor([[3.0], [1.0], [2.0], [1.0]])
    >>> positive = torch.tensor([[True], [True], [False], [False]])
    >>> auroc(scores, positive, ~positive).tolist()
    [0.625]
    """
    return ranked(scores).auroc(positive, negative)
