"""What a control is: a network that answers in context and certainly runs no iterative optimizer; and how one is written.

Most controls are *rules*: a function from the labelled points and a place to an answer there. A layer reads points and labels from
the stream and writes the rule's answer to a coordinate of its own, at every token. What makes a control certain is what a layer
may do with the answer that lies there already: keep a fixed share of it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.reference import Space, Stack
from cutaway.mesa.reference.stack import labelled
from cutaway.mesa.subject import State, Subject

Points = Float[Tensor, "prompt point dim"]
Labels = Float[Tensor, "prompt point"]
Places = Float[Tensor, "prompt place dim"]
Answers = Float[Tensor, "prompt place"]

Rule = Callable[[Points, Labels, Places], Answers]
"""Labelled points and places -> answers there."""


class Control(Protocol):
    """A family of networks that certainly run no iterative optimizer; its fields say which one."""

    def compiled(self, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Subject:
        """The network of so many layers for points of `dim` coordinates."""
        ...


@dataclass(frozen=True)
class Step:
    """What a layer does with the answer: `keep` · the answer so far + `share` · the rule's."""

    rule: Rule
    keep: float = 1.0
    share: float = 1.0


@dataclass(frozen=True)
class Writing:
    """A layer that writes a rule's answer at every token."""

    step: Step
    space: Space

    def __call__(self, state: State) -> State:
        """The state after the layer."""
        x, y, answer = (self.space.at(name) for name in ("x", "y", "answer"))
        found = self.step.rule(state.told[..., x], state.told[..., y].squeeze(-1), state.stream[..., x])
        stream = state.stream.clone()
        stream[..., answer] = self.step.keep * state.stream[..., answer] + self.step.share * found.unsqueeze(-1)
        return state.having(stream)


def idle(state: State) -> State:
    """A layer that does nothing."""
    return state


def layered(steps: Sequence[Step | None], dim: int, dtype: torch.dtype = torch.float64) -> Stack:
    """A network of one layer a step (None: one that does nothing), whose answer begins at 0."""
    space = Space.of(dtype, x=dim, y=1, answer=1)
    layers = tuple(idle if step is None else Writing(step, space) for step in steps)
    return Stack(space, labelled, layers, space.read("answer")[:, 0])


def once(rule: Rule, layer: int, dim: int, depth: int, dtype: torch.dtype = torch.float64) -> Stack:
    """A network that answers by the rule in one layer (1: the first) and does nothing in the others."""
    if not 1 <= layer <= depth:
        raise ValueError(f"the rule is to be applied in layer {layer} of {depth}; expected 1 to {depth}")
    return layered([Step(rule) if place == layer else None for place in range(1, depth + 1)], dim, dtype)


def between(first: float, last: float, depth: int) -> list[float]:
    """So many numbers from first to last, each the same multiple of the one before."""
    if not (first > 0 and last > 0):
        raise ValueError(f"a course from {first} to {last}; expected positive numbers")
    return torch.logspace(0, 1, depth, base=last / first, dtype=torch.float64).mul(first).tolist()
