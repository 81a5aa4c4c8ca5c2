"""One trained layer of linear self-attention is one step of gradient descent: von Oswald et al. 2023 (arXiv 2212.07677).

x ~ U(−.5, .5), no noise, w ~ N(0, I). The layer is compared with a step of the best length in its answers, its sensitivities
d answer / d query, and the loss of every mixture of the two networks' weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.mesa.reference.fitting import Fitted, fitted
from cutaway.training.loop import Recipe

Tokens = Float[Tensor, "prompt token width"]
Weights = tuple[Tensor, Tensor]
RECIPE = Recipe(5000, batch=1536, lr=5e-3, schedule="cosine", decay=0.0)


@dataclass(frozen=True)
class Problems:
    """Points and a query in one stream, [x, y] and [x, 0], and the query's true answer."""

    tokens: Tokens
    answers: Float[Tensor, "prompt"]

    @classmethod
    def drawn(cls, count: int, seed: int, dim: int = 10, points: int = 10) -> Problems:
        """So many problems."""
        generator = torch.Generator().manual_seed(seed)
        xs = torch.rand(count, points + 1, dim, generator=generator) - 0.5
        ys = torch.einsum("pnd,pd->pn", xs, torch.randn(count, dim, generator=generator))
        told = ys.clone()
        told[:, -1] = 0
        return cls(torch.cat([xs, told.unsqueeze(2)], 2), ys[:, -1])


def attended(tokens: Tokens, match: Float[Tensor, "width width"], move: Float[Tensor, "width width"]) -> Tensor:
    """The query's answer after linear attention with W_Q W_Kᵀ = `match` and W_V W_O = `move`: minus what its label became."""
    points, query = tokens[:, :-1], tokens[:, -1]
    scores = torch.einsum("pi,ij,pnj->pn", query, match, points) / points.shape[1]
    return -torch.einsum("pn,pni,i->p", scores, points, move[:, -1])


class OneLayer(nn.Module):
    """One head of linear self-attention, of random weights."""

    def __init__(self, dim: int = 10, key: int = 11, seed: int = 0, size: float = 0.2) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.parts = nn.ParameterList(size * torch.randn(dim + 1, key, generator=generator) for _ in range(4))

    def weights(self) -> Weights:
        """W_Q W_Kᵀ and W_V W_O."""
        query, key, value, out = self.parts
        return query @ key.T, value @ out.T

    def forward(self, tokens: Tokens) -> Float[Tensor, "prompt"]:
        """The answers."""
        return attended(tokens, *self.weights())


def step(rate: float, dim: int = 10) -> Weights:
    """The weights of one step of gradient descent from w = 0."""
    match, move = torch.zeros(dim + 1, dim + 1), torch.zeros(dim + 1, dim + 1)
    match[:dim, :dim] = torch.eye(dim)
    move[-1, -1] = -rate
    return match, move


def best_rate(problems: Problems) -> float:
    """The length of the step whose answers are best."""
    unit = attended(problems.tokens, *step(1.0, problems.tokens.shape[2] - 1))
    return float((unit * problems.answers).sum() / unit.square().sum())


def learned(seed: int, recipe: Recipe = RECIPE, tries: int = 3, enough: float = 1.02) -> Fitted[OneLayer]:
    """The layer trained from `seed`; from another start where it stalls above `enough` of the loss of the best step.

    CPU seconds are those of all tries. A stall is seen on problems that are not used to compare the two.
    """
    check = Problems.drawn(4096, seed + 7)
    bar = enough * _loss(check, step(best_rate(check)))
    seconds, found = 0.0, None
    for attempt in range(tries):
        start = seed * tries + attempt

        def loss(layer: OneLayer, number: int, start: int = start) -> Float[Tensor, ""]:
            problems = Problems.drawn(recipe.batch, start * 1_000_003 + number)
            return (layer(problems.tokens) - problems.answers).square().mean()

        found = fitted(OneLayer(seed=start), loss, recipe)
        seconds += found.cpu_seconds
        if _loss(check, found.network.weights()) <= bar:
            return Fitted(found.network, found.losses, seconds)
    raise ArithmeticError(
        f"{tries} starts from seed {seed} all stalled; expected a loss of {bar:.4f} or less; try more steps"
    )


@dataclass(frozen=True)
class Compared:
    """How near a layer is to the best step: cosine of sensitivities, mean |difference| of answers, and three losses.

    `mixture` is the largest loss of networks whose weights are mixed of both.
    """

    cosine: float
    difference: float
    loss: float
    step_loss: float
    mixture: float


@torch.no_grad()
def compared(layer: OneLayer, seed: int, count: int = 10_000) -> Compared:
    """A layer beside one step of the best length, on problems of their own."""
    problems, ours = Problems.drawn(count, seed), layer.weights()
    theirs = step(best_rate(problems), problems.tokens.shape[2] - 1)
    cosine = torch.cosine_similarity(_sensitivity(problems, ours), _sensitivity(problems, theirs)).mean()
    apart = (attended(problems.tokens, *ours) - attended(problems.tokens, *theirs)).abs().mean()
    mixed = max(_loss(problems, _mixed(_scaled(ours), theirs, share / 10)) for share in range(11))
    return Compared(float(cosine), float(apart), _loss(problems, ours), _loss(problems, theirs), mixed)


def _loss(problems: Problems, weights: Weights) -> float:
    return float((attended(problems.tokens, *weights) - problems.answers).square().mean())


def _sensitivity(problems: Problems, weights: Weights) -> Float[Tensor, "prompt dim"]:
    """d answer / d x of the query."""
    points = problems.tokens[:, :-1]
    match, move = weights
    return -torch.einsum("ij,pnj,pnk,k->pi", match, points, points, move[:, -1])[:, :-1] / points.shape[1]


def _scaled(weights: Weights) -> Weights:
    """The same network with W_Q W_Kᵀ of mean diagonal 1 among the coordinates of x: the two matrices trade one factor."""
    match, move = weights
    factor = match.diagonal()[:-1].mean()
    return match / factor, move * factor


def _mixed(ours: Weights, theirs: Weights, share: float) -> Weights:
    match, move = (share * one + (1 - share) * other for one, other in zip(ours, theirs, strict=True))
    return match, move
