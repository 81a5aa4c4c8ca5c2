"""How well directions that somebody found are those of the features: one to one, beside random directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cutaway.organisms.superposition.organism import Truth

NEAR = 0.9
DRAWS = 20


@dataclass(frozen=True, eq=False)
class Recovery:
    """Each carried feature with the candidate that stands for it.

    `candidate[k]` is the row given to feature `carried[k]` (-1: there were too few), `cosine[k]` their cosine, `share` the
    features with a cosine of at least 0.9. `chance` is the share that as many random directions reach: in few dimensions
    many candidates come near everything.
    """

    candidate: tuple[int, ...]
    cosine: Float[Tensor, "carried"]
    share: float
    chance: float


def recovered(truth: Truth, found: Float[Tensor, "candidate hidden"], seed: int = 0) -> Recovery:
    """Gives every carried feature a candidate of its own, so that the cosines are largest in sum; the sign counts.

    Raises ValueError where nothing is carried, or candidates are not as wide as the hidden dimensions.
    """
    true = truth.directions[list(truth.carried)]
    if not len(true):
        raise ValueError(
            "this network carries no feature, so there is nothing to recover; give a trained organism's truth"
        )
    if found.ndim != 2 or found.shape[1] != true.shape[1]:
        raise ValueError(f"given candidates {tuple(found.shape)}; expected [candidates, {true.shape[1]}]")
    draw = torch.Generator().manual_seed(seed)
    by_chance = [_matched(true, torch.randn(found.shape, generator=draw))[1] for _ in range(DRAWS)]
    candidate, cosine = _matched(true, found.to(true))
    return Recovery(tuple(candidate), cosine, _share(cosine), sum(map(_share, by_chance)) / DRAWS)


def _matched(true: Tensor, found: Tensor) -> tuple[list[int], Float[Tensor, "carried"]]:
    from scipy.optimize import linear_sum_assignment

    cosines = F.normalize(true, dim=1) @ F.normalize(found, dim=1).T
    features, candidates = linear_sum_assignment(cosines.numpy(), maximize=True)
    given, cosine = [-1] * len(true), torch.zeros(len(true))
    for feature, candidate in zip(features.tolist(), candidates.tolist()):
        given[feature], cosine[feature] = candidate, cosines[feature, candidate]
    return given, cosine


def _share(cosine: Tensor) -> float:
    return float((cosine >= NEAR).float().mean())
