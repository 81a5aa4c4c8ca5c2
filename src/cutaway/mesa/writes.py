"""Where a network keeps its iterate and its labels, as directions to write along.

Each kind of token is regressed on what it could hold: a point on its place, its label, the answer so far at its place, and the
weights of the linear function nearest to the answers so far; a work token on those weights and on Xᵀy/n. The coefficients say how
a row changes when the iterate, or a label, is another one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.least_squares import coefficients
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import State


@dataclass(frozen=True)
class Writes:
    """How rows change with the iterate (in units of the answer) and with the labels, after 0, 1, …, depth layers.

    Rows of the first axis of `point` and `query`: the function's value at the token's place, then its weights; of `label`: the
    token's label. `work` and `moment` hold the same of each work token with the weights, and with Xᵀy/n.
    """

    point: Float[Tensor, "layer cause width"]
    query: Float[Tensor, "layer cause width"]
    label: Float[Tensor, "layer width"]
    work: Float[Tensor, "layer work dim width"]
    moment: Float[Tensor, "layer work dim width"]

    @classmethod
    def fitted(
        cls,
        prompts: Prompts,
        seen: list[State],
        asked: Float[Tensor, "layer prompt query"],
        told: Float[Tensor, "layer prompt point"],
        units: Float[Tensor, "layer"],
    ) -> Writes:
        """From states, and what a lens reads of them at queries and at points."""
        weights = iterates(prompts, asked, told)
        units = units.view(-1, 1, 1)
        causes = zip(seen, asked * units, told * units, weights * units, strict=True)
        return cls(*(torch.stack(part) for part in zip(*(_layer(prompts, *each) for each in causes), strict=True)))

    def iterate(
        self, state: State, layer: int, told: Tensor, asked: Tensor, weights: Float[Tensor, "prompt dim"]
    ) -> State:
        """The state with a function added to the iterate: its values at points and at queries, and its weights."""
        tokens, stream = state.tokens, state.stream.clone()
        stream[:, tokens.point] += _row(told, weights, self.point[layer]).to(stream.dtype)
        stream[:, tokens.query] += _row(asked, weights, self.query[layer]).to(stream.dtype)
        stream[:, tokens.spare] += torch.einsum("pd,kdw->pkw", weights, self.work[layer]).to(stream.dtype)
        return state.having(stream)

    def labels(self, state: State, layer: int, more: Tensor, moment: Float[Tensor, "prompt dim"]) -> State:
        """The state with numbers added to the labels, given what that adds to Xᵀy/n."""
        tokens, stream = state.tokens, state.stream.clone()
        stream[:, tokens.point] += (more.unsqueeze(-1) * self.label[layer]).to(stream.dtype)
        stream[:, tokens.spare] += torch.einsum("pd,kdw->pkw", moment, self.moment[layer]).to(stream.dtype)
        return state.having(stream)


def iterates(prompts: Prompts, asked: Tensor, told: Tensor) -> Float[Tensor, "layer prompt dim"]:
    """The weights w of the linear function x·w nearest to values at queries and points."""
    places = torch.cat([prompts.queries, prompts.xs], 1).double()
    return torch.einsum("pdt,lpt->lpd", torch.linalg.pinv(places, rtol=1e-9), torch.cat([asked, told], 2))


def moments(prompts: Prompts, labels: Float[Tensor, "prompt point"]) -> Float[Tensor, "prompt dim"]:
    """Xᵀy/n."""
    return torch.einsum("pnd,pn->pd", prompts.xs, labels).double() / prompts.points


def _layer(prompts: Prompts, state: State, asked: Tensor, told: Tensor, weights: Tensor) -> tuple[Tensor, ...]:
    dim = prompts.dim
    point = coefficients(_causes(prompts.xs, weights, prompts.ys, told), state.told.flatten(0, 1))
    query = coefficients(_causes(prompts.queries, weights, asked), state.asked.flatten(0, 1))
    spare = state.stream[:, state.tokens.spare]
    both = torch.cat([weights, moments(prompts, prompts.ys)], 1)
    work = coefficients(both, spare.flatten(1)).unflatten(1, spare.shape[1:]).transpose(0, 1)
    order = [-1, *range(dim, 2 * dim)]
    return point[order], query[order], point[2 * dim], work[:, :dim], work[:, dim:]


def _causes(places: Tensor, weights: Tensor, *values: Tensor) -> Float[Tensor, "row cause"]:
    """Place, weights, then values of every token."""
    held = weights.unsqueeze(1).expand(-1, places.shape[1], -1)
    return torch.cat([places.double(), held, *(value.double().unsqueeze(-1) for value in values)], -1).flatten(0, 1)


def _row(values: Tensor, weights: Tensor, along: Float[Tensor, "cause width"]) -> Tensor:
    return values.unsqueeze(-1) * along[0] + (weights @ along[1:]).unsqueeze(1)
