"""A network watched while it answers problems: what signs are read from, computed once and shared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.mesa.alike import Alike
from cutaway.mesa.counted import Counted
from cutaway.mesa.forms import Form, best_form
from cutaway.mesa.hats import Hats, hats
from cutaway.mesa.least_squares import affine, finite, spread
from cutaway.mesa.lens import Lens
from cutaway.mesa.matches import Matches, Paths, matched
from cutaway.mesa.prompts import Prompts
from cutaway.mesa.retention import Retention
from cutaway.mesa.subject import State, Subject, states
from cutaway.mesa.tasks import Task
from cutaway.mesa.writes import Writes, iterates

FIT, HELD = 128, 96
"""Problems that lenses are fitted on (and again with all labels negated), and problems that signs are read on."""


@dataclass(frozen=True)
class Watched:
    """A subject on problems of a task that it cannot have seen, with a lens fitted on others of the same task."""

    subject: Counted
    task: Task
    seed: int
    prompts: Prompts
    fitting: Prompts
    """Problems, and behind them the same with all labels negated, so that the lens of a linear method is free of chance."""

    @classmethod
    def of(cls, subject: Subject, task: Task, seed: int, fit: int = FIT, held: int = HELD) -> Watched:
        """The subject on `held` novel problems, its lens fitted on `fit` others, each also with its labels negated."""
        return cls(Counted(subject), task, seed, task.draw(held, 2 * seed), task.draw(fit, 2 * seed + 1).mirrored())

    @property
    def depth(self) -> int:
        """How many layers."""
        return self.subject.depth

    @cached_property
    def states(self) -> list[State]:
        """The states of the held problems after 0, 1, …, depth layers."""
        return states(self.subject, self.prompts)

    @cached_property
    def final(self) -> Float[Tensor, "prompt query"]:
        """The network's answers to the held problems."""
        return self.subject.answer(self.states[-1])

    @cached_property
    def fit_states(self) -> list[State]:
        """The states of the problems that lenses are fitted on."""
        return states(self.subject, self.fitting)

    @cached_property
    def lens(self) -> Lens:
        """The lens of every layer."""
        return Lens.fitted(self.fit_states, self.subject.answer(self.fit_states[-1]))

    @cached_property
    def readings(self) -> Float[Tensor, "layer prompt query"]:
        """What the lens reads of the held problems after 0, 1, …, depth layers."""
        return self.lens.course(self.states)

    @cached_property
    def fit_readings(self) -> Float[Tensor, "layer prompt query"]:
        """What it reads of the problems that it was fitted on."""
        return self.lens.course(self.fit_states)

    @cached_property
    def at_points(self) -> Float[Tensor, "layer prompt point"]:
        """What it reads where the labelled points of the held problems are asked as queries."""
        return self.lens.course(states(self.subject, self.prompts.asking(self.prompts.xs)))

    @cached_property
    def fit_at_points(self) -> Float[Tensor, "layer prompt point"]:
        """The same of the problems that lenses are fitted on."""
        return self.lens.course(states(self.subject, self.fitting.asking(self.fitting.xs)))

    @cached_property
    def losses(self) -> Float[Tensor, "layer"]:
        """The mean squared error of the readings against the true answers, over what answering 0 would give."""
        return (self.readings - self.prompts.answers).square().mean((1, 2)) / self.prompts.answers.square().mean()

    @cached_property
    def live(self) -> list[bool]:
        """Whether the lens reads anything after 0, 1, …, depth layers: more than 2 % of the final answers' variance."""
        return [spread(reading) > 0.02 * spread(self.final) + 1e-12 for reading in self.readings]

    @cached_property
    def form(self) -> Form:
        """The readings as polynomials of the points' second moments, or of a kernel, applied to the labels."""
        return best_form(self.fitting, self.fit_readings, self.prompts, self.readings)

    @cached_property
    def iterates(self) -> Float[Tensor, "layer prompt dim"]:
        """The weights w of the linear function x·w nearest to what is read at points and queries."""
        return iterates(self.prompts, self.readings, self.at_points)

    @cached_property
    def units(self) -> Float[Tensor, "layer"]:
        """What 1 in the lens's units is in those of the answer, by the network's own readout where the two agree, else 1."""
        return torch.tensor(
            [_unit(self.subject.answer(state), read) for state, read in zip(self.states, self.readings, strict=True)]
        )

    @cached_property
    def writes(self) -> Writes:
        """How to write another iterate, or other labels, into the states."""
        return Writes.fitted(self.fitting, self.fit_states, self.fit_readings, self.fit_at_points, self.units)

    @cached_property
    def alone_states(self) -> tuple[list[State], list[State]]:
        """What each layer makes of a state in which nothing is computed yet: of the problems for fitting, and of the held ones."""

        def each(blank: State) -> list[State]:
            return [self.subject.run(blank, layer, layer + 1) for layer in range(self.depth)]

        return each(self.fit_states[0]), each(self.states[0])

    @cached_property
    def alone(self) -> tuple[Float[Tensor, "layer prompt query"], Float[Tensor, "layer prompt query"]]:
        """What is read of each layer alone, by a lens of its own."""
        fit, held = self.alone_states
        lens = Lens.fitted(fit, self.subject.answer(self.fit_states[-1]))
        return lens.course(fit), lens.course(held)

    @cached_property
    def side_by_side(self) -> tuple[Float[Tensor, "prompt query"], Float[Tensor, "prompt query"]]:
        """What is read of all layers, each alone, by one lens on their states together."""
        fit, held = (torch.cat([finite(state.asked) for state in states], -1) for states in self.alone_states)
        slope, offset = affine(fit.flatten(0, 1), self.subject.answer(self.fit_states[-1]).flatten())
        return fit @ slope + offset, held @ slope + offset

    @cached_property
    def retention(self) -> Retention:
        """What is left in the end of iterates that were written along eigenvectors."""
        return Retention.of(self.subject, self.prompts, self.states, self.final, self.writes)

    @cached_property
    def hats(self) -> Hats:
        """The hat matrices of the first few held problems after 0, 1, …, depth layers."""
        return hats(self.subject, self.lens, self.prompts)

    @cached_property
    def matches(self) -> Matches:
        """How near the readings are to the paths of optimizers, and of nulls."""
        return matched(self.paths, self.readings, self.live)

    @cached_property
    def alike(self) -> Alike:
        """The optimizers whose iterates the layers' readings are, step for step, as far as can be told."""
        own = torch.stack([self.subject.answer(state) for state in self.states])
        return Alike.of(self.paths, self.prompts, (self.readings, own), self.live)

    @cached_property
    def paths(self) -> Paths:
        """Where optimizers, and nulls, go on the held problems."""
        return Paths.of(self.prompts, self.depth)

    @cached_property
    def dealt(self) -> Watched:
        """The same watched while labels are dealt anew among the points: the null of what is learned from them."""
        return self.relabelled(self.seed)

    def relabelled(self, seed: int) -> Watched:
        """The same watched while labels are dealt anew by another seed."""
        fitting = self.fitting.take(slice(0, self.fitting.count // 2)).shuffled(seed + 1).mirrored()
        return Watched(self.subject, self.task, self.seed, self.prompts.shuffled(seed), fitting)

    def final_error(self, answers: Float[Tensor, "prompt query"]) -> float:
        """The squared error of answers over that of answering 0, between 1e-9 and 1e9."""
        error = (answers - self.prompts.answers).square().mean() / self.prompts.answers.square().mean()
        return float(error.clamp(1e-9, 1e9))

    def first(self, count: int, layer: int) -> State:
        """The state after `layer` layers of the first few held problems."""
        state = self.states[layer]
        return state.having(state.stream[:count])


def _unit(own: Float[Tensor, "prompt query"], read: Float[Tensor, "prompt query"]) -> float:
    own, read = own.flatten() - own.mean(), read.flatten() - read.mean()
    across, square = float(own @ read), float(read @ read)
    agree = across * across > 0.9 * square * float(own @ own)
    return across / square if agree and square > 0 and across > 0 else 1.0
