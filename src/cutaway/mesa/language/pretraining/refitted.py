"""A subject whose answers are read by the affine map that fits the truth best on other problems.

While a language model learns text nobody keeps the readout of its regressions in step with the stream: this asks what is there to
be read, not what the old readout makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.least_squares import affine, finite
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.subject import State, Subject
from cutaway.mesa.tasks import Task

SEED, COUNT = 52361, 512
"""Problems that the readout is fitted on."""


@dataclass(frozen=True)
class Refitted:
    """The subject with another readout: answer = query's row · slope + offset."""

    subject: Subject
    slope: Float[Tensor, "width"]
    offset: Float[Tensor, ""]

    @classmethod
    @torch.no_grad()
    def of(cls, subject: Subject, task: Task, seed: int = 0) -> Refitted:
        """The readout of least squares on the true answers to novel problems."""
        prompts = task.draw(COUNT, SEED + seed)
        rows = subject.run(subject.start(prompts), 0, subject.depth).asked.flatten(0, 1)
        return cls(subject, *affine(rows, prompts.answers.flatten()))

    @property
    def depth(self) -> int:
        """How many layers."""
        return self.subject.depth

    def start(self, prompts: Prompts) -> State:
        """The state before the first layer."""
        return self.subject.start(prompts)

    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first`."""
        return self.subject.run(state, first, last)

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The answers by the fitted readout, in float64."""
        return finite(state.asked) @ self.slope + self.offset
