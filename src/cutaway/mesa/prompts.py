"""In-context problems: labelled points to learn from, and queries to answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Prompts:
    """A batch of in-context problems of one size; `answers` are what a query's label would be without noise.

    `weights` are the task's own parameters where it has such (a regression's w), else None; `novel` says that the tasks were not
    drawn from a pool that a network may have been trained on.
    """

    xs: Float[Tensor, "prompt point dim"]
    ys: Float[Tensor, "prompt point"]
    queries: Float[Tensor, "prompt query dim"]
    answers: Float[Tensor, "prompt query"]
    weights: Float[Tensor, "prompt dim"] | None = None
    novel: bool = True

    def __post_init__(self) -> None:
        if not self.xs.shape[1]:
            raise ValueError("the prompts have a context of length 0; expected at least one labelled point")
        if self.ys.shape != self.xs.shape[:2]:
            raise ValueError(
                f"labels have shape {tuple(self.ys.shape)}; expected {tuple(self.xs.shape[:2])}: one a point"
            )
        if self.queries.shape[::2] != self.xs.shape[::2]:
            raise ValueError(
                f"queries have shape {tuple(self.queries.shape)}; expected [{len(self.xs)}, any, {self.dim}]"
            )
        if self.answers.shape != self.queries.shape[:2]:
            raise ValueError(
                f"answers have shape {tuple(self.answers.shape)}; expected {tuple(self.queries.shape[:2])}"
            )
        for name in ("xs", "ys", "queries"):
            if not getattr(self, name).isfinite().all():
                raise ValueError(
                    f"{name} of the prompts hold NaN or infinite numbers; expected finite ones: look at the task"
                )

    @property
    def count(self) -> int:
        """How many problems."""
        return self.xs.shape[0]

    @property
    def points(self) -> int:
        """Labelled points of each problem."""
        return self.xs.shape[1]

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return self.xs.shape[2]

    def take(self, rows: Int[Tensor, "taken"] | slice) -> Prompts:
        """Some of the problems."""
        of = None if self.weights is None else self.weights[rows]
        return Prompts(self.xs[rows], self.ys[rows], self.queries[rows], self.answers[rows], of, self.novel)

    def to(self, dtype: torch.dtype) -> Prompts:
        """The same problems in another precision."""
        of = None if self.weights is None else self.weights.to(dtype)
        return Prompts(
            self.xs.to(dtype), self.ys.to(dtype), self.queries.to(dtype), self.answers.to(dtype), of, self.novel
        )

    def relabelled(self, ys: Float[Tensor, "prompt point"]) -> Prompts:
        """The same points with other labels; the answers stay what they were."""
        return replace(self, ys=ys)

    def asking(self, queries: Float[Tensor, "prompt query dim"]) -> Prompts:
        """The same points, asked at other places; answers are 0, as they are not known."""
        return replace(self, queries=queries, answers=queries.new_zeros(queries.shape[:2]))

    def mirrored(self) -> Prompts:
        """The problems, and behind them the same with every label and answer negated: a mean over both is odd in the labels."""
        of = None if self.weights is None else torch.cat([self.weights, -self.weights])
        xs, queries = torch.cat([self.xs, self.xs]), torch.cat([self.queries, self.queries])
        ys, answers = torch.cat([self.ys, -self.ys]), torch.cat([self.answers, -self.answers])
        return Prompts(xs, ys, queries, answers, of, self.novel)

    def shuffled(self, seed: int) -> Prompts:
        """Labels dealt anew among the points of each problem: the null of everything that is learned from them."""
        generator = torch.Generator().manual_seed(seed)
        order = torch.rand(self.ys.shape, generator=generator).argsort(1).to(self.ys.device)
        return self.relabelled(self.ys.gather(1, order))

    def reordered(self, seed: int) -> Prompts:
        """The points in another order, with their labels."""
        order = torch.randperm(self.points, generator=torch.Generator().manual_seed(seed)).to(self.xs.device)
        return replace(self, xs=self.xs[:, order], ys=self.ys[:, order])
