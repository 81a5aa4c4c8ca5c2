"""What a discovery costs to apply to a second network: parts that fire alike are matched, sets carried over, and checked there.

Parts of one layer and kind are matched one to one by the correlation of their activity on the same inputs (Li et al. 2016,
arXiv 1511.07543).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cutaway.ledger import meter
from cutaway.network import Batch, Network
from cutaway.study.growth.masked import Parts
from cutaway.study.growth.search import Explained, Explainer, Search

MATCHED_ON = 64
"""Inputs on which parts are matched."""


@dataclass(frozen=True)
class Applied:
    """Sets found in one network, in another: matched, and the decisions explained with them.

    held, held_random: the share of sets that pass the check there at once, matched and with a random match. matching, checking:
    operations, of the check with the means and the network's own answers that it needs. cold, warm, chance: searches on the same
    decisions, that begin from a gradient alone, with the matched sets added to it, and with sets matched at random.
    """

    held: float
    held_random: float
    matching: int
    checking: int
    cold: Explained
    warm: Explained
    chance: Explained

    def record(self, shares: tuple[float, ...]) -> dict[str, Any]:
        """As JSON values; operations of each search until each share of decisions, without those of matching, and whether it was
        reached."""
        curves = {name: [getattr(self, name).until(share) for share in shares] for name in ("cold", "warm", "chance")}
        single = {name: getattr(self, name) for name in ("held", "held_random", "matching", "checking")}
        return {**single, **curves, "decisions": self.cold.asked}


def activity(net: Network, parts: Parts, inputs: Batch) -> list[Float[Tensor, "part place"]]:
    """How strongly each part fires at each place of the inputs, standardised: a head by the norm of what it gives."""
    found = []
    for value in net.read(inputs, *parts.sites).values():
        one = value.norm(dim=-1) if value.ndim == 4 else value
        flat = one.flatten(0, 1).T
        centred = flat - flat.mean(1, keepdim=True)
        found.append(centred / centred.norm(dim=1, keepdim=True).clamp(min=1e-12))
    return found


def matched(first: Network, second: Network, parts: Parts, inputs: Batch) -> Int[Tensor, "part"]:
    """For each part of the first network the place of the one in the second that fires most like it, one to one."""
    from scipy.optimize import linear_sum_assignment

    places, offset = [], 0
    for here, there in zip(activity(first, parts, inputs), activity(second, parts, inputs)):
        _, columns = linear_sum_assignment(-(here @ there.T).numpy())
        places.append(torch.as_tensor(columns) + offset)
        offset += len(columns)
    return torch.cat(places)


def apply(
    first: Network,
    second: Network,
    inputs: Batch,
    sets: Bool[Tensor, "rows part"],
    reference: Sequence[Batch],
    search: Search,
    seed: int,
) -> Applied:
    """Carries the sets of decisions (`inputs`, a row a set) of one network over to another of the same shape."""
    parts = Parts.of(second, inputs)
    few = reference[0].take(torch.arange(min(MATCHED_ON, reference[0].rows)))
    with meter("matching", flops=True) as matching:
        places = matched(first, second, parts, few)
    carried, beside = torch.zeros_like(sets), torch.zeros_like(sets)
    carried[:, places] = sets
    beside[:, anyhow(parts, seed)] = sets
    search = replace(search, decisions=len(sets))
    checker = Explainer(second, parts, search, seed)
    checker.prepare(inputs, reference)
    every = torch.arange(len(checker.rows))
    held = checker.checked(every, carried[checker.rows])
    checking = checker.flops
    by_chance = checker.checked(every, beside[checker.rows])
    starts = (None, carried.float(), beside.float())
    searches = [Explainer(second, parts, search, seed).of(inputs, reference, start) for start in starts]
    shares = [float(one.float().mean()) for one in (held, by_chance)]
    return Applied(shares[0], shares[1], matching.cost.flops or 0, checking, *searches)


def anyhow(parts: Parts, seed: int) -> Int[Tensor, "part"]:
    """A random match of the parts of each site."""
    generator, places, offset = torch.Generator().manual_seed(seed), [], 0
    for size in parts.sizes:
        places.append(torch.randperm(size, generator=generator) + offset)
        offset += size
    return torch.cat(places)
