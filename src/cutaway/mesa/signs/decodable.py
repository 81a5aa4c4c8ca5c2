"""Can the task's weights be read linearly from the states? A sign that failed: random networks pass, exact optimizers do not.

Optimizers keep what is left of each label rather than w; random features hold Xᵀy well enough. Its figure is in
docs/results.md.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.least_squares import affine
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.subject import State
from cutaway.mesa.watched import Watched


def decodable(watched: Watched) -> Reading:
    """The share of the weights' variance that an affine map of the mean point row and mean work row explains on other problems."""
    course = _course(watched)
    return Reading(max(course), (max(_course(watched.dealt)),), tuple(course))


def _course(watched: Watched) -> list[float]:
    return [_explained(watched, fit, held) for fit, held in zip(watched.fit_states, watched.states, strict=True)]


def _explained(watched: Watched, fit: State, held: State) -> float:
    aims, truths = _weights(watched.fitting), _weights(watched.prompts)
    found = []
    for aim in aims.T:
        slope, offset = affine(_means(fit), aim)
        found.append(_means(held).double() @ slope + offset)
    left = (torch.stack(found, 1) - truths).square().sum() / (truths - truths.mean(0)).square().sum().clamp(min=1e-12)
    return max(-1.0, 1 - float(left))


def _means(state: State) -> Float[Tensor, "prompt width"]:
    rows = [state.told.mean(1)]
    if state.tokens.work:
        rows.append(state.stream[:, state.tokens.spare].mean(1))
    return torch.cat(rows, 1)


def _weights(prompts: Prompts) -> Float[Tensor, "prompt weight"]:
    """The task's own, or those of the linear function nearest to its answers."""
    if prompts.weights is not None:
        return prompts.weights.double()
    return torch.einsum("pdq,pq->pd", torch.linalg.pinv(prompts.queries.double()), prompts.answers.double())


DECODABLE = Sign("weight decodability", "can w be read from the states?", frozenset({"lens"}), decodable, verdict=False)
