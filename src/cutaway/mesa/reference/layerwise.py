"""Layer-wise training: blocks of a transformer learn, each alone, one step of a compiled optimizer, and are then stacked.

A block sees the optimizer's states with noise added, and what the *compiled* layer makes of the noisy state is its target, so it
learns the step and not only the path. The teacher's coordinates enter the stream by a fixed orthonormal map, beside a constant (the
carrier): a norm divides by state and constant together, so a small state is not blown up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.mesa.prompts import Prompts
from cutaway.mesa.reference.fitting import Fitted, fitted
from cutaway.mesa.reference.space import Space
from cutaway.mesa.reference.stack import Stack
from cutaway.mesa.reference.transformer import Block, Shape, initialise
from cutaway.mesa.subject import State, Subject, Tokens, states
from cutaway.mesa.tasks import Task
from cutaway.training.loop import Recipe

Stream = Float[Tensor, "prompt token width"]
RECIPE = Recipe(5000, batch=64, lr=2e-2, schedule="cosine", decay=0.0)
"""Steps of training for each block, of ~7 CPU-ms; `context` and `windows` have no meaning here."""


@dataclass(frozen=True)
class Pupil:
    """How the blocks that learn a step are built and taught; a step is `pairs` blocks of attention and MLP one after the other.

    `spare` is how many dimensions the stream has beyond the teacher's. `carrier` is the constant's size and `noise` the share of
    their standard deviation that is added to states. Where `tied`, equal layers of the teacher share one block, which learns
    from the states of all of them. `problems` are drawn once.
    """

    spare: int = 16
    heads: int = 4
    d_head: int = 8
    hidden: int = 64
    pairs: int = 1
    attention: Literal["softmax", "linear"] = "softmax"
    norm: Literal["layer", "rms", "none"] = "layer"
    sink: bool = True
    tied: bool = True
    carrier: float = 1.5
    noise: float = 0.03
    problems: int = 2048

    def __post_init__(self) -> None:
        for name in ("spare", "problems"):
            if getattr(self, name) < 1:
                raise ValueError(f"Pupil.{name} is {getattr(self, name)}; expected a positive integer")
        if self.noise < 0 or self.carrier <= 0:
            raise ValueError(f"noise={self.noise}, carrier={self.carrier}; expected noise ≥ 0 and carrier > 0")

    def shape(self, named: int) -> Shape:
        """The shape of a step's blocks for a teacher of so many coordinates."""
        sink = self.sink and self.attention == "softmax"
        width, kinds = named + self.spare, (self.attention, self.norm)
        return Shape(named, width, self.heads, self.pairs, self.hidden, *kinds, sink=sink, d_head=self.d_head)


LINEAR = Pupil(attention="linear", norm="none", hidden=0)
"""Linear attention, without a norm and without an MLP."""


class Step(nn.Module):
    """One step of an optimizer: a few blocks one after the other."""

    def __init__(self, shape: Shape, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
            initialise(self, sqrt(2 * shape.layers))

    def forward(self, x: Stream, tokens: Tokens) -> Stream:
        """The stream after the step."""
        for block in self.blocks:
            x = block(x, tokens)
        return x


@dataclass(frozen=True)
class Encoding:
    """How a teacher's coordinates are written in the stream: each name scaled to a mean square of 1, turned, beside the carrier."""

    scale: Float[Tensor, "named"]
    basis: Float[Tensor, "named width"]
    carrier: Float[Tensor, "width"]

    @classmethod
    def of(cls, space: Space, seen: Float[Tensor, "step prompt token named"], pupil: Pupil, seed: int) -> Encoding:
        """The encoding for states such as those `seen`, in a random basis."""
        scale = torch.ones(space.width)
        for name, _ in space.sizes:
            size = seen[..., space.at(name)].square().mean().sqrt()
            scale[space.at(name)] = size if size > 0 else 1.0
        square = torch.randn(2 * [space.width + pupil.spare], generator=torch.Generator().manual_seed(seed))
        basis = torch.linalg.qr(square).Q
        return cls(scale, basis[: space.width], basis[space.width] * pupil.carrier * sqrt(space.width))

    def write(self, named: Float[Tensor, "*some named"]) -> Float[Tensor, "*some width"]:
        """The teacher's coordinates in the stream."""
        return (named / self.scale) @ self.basis + self.carrier

    def read(self, stream: Float[Tensor, "*some width"]) -> Float[Tensor, "*some named"]:
        """The teacher's coordinates, from the stream."""
        return stream @ self.basis.T * self.scale


class Twin(nn.Module):
    """Trained steps stacked under the teacher's entry and readout; a `Subject`. `which` says the step of each layer."""

    def __init__(self, teacher: Stack, encoding: Encoding, steps: list[Step], which: tuple[int, ...]) -> None:
        super().__init__()
        self.teacher, self.encoding, self.which = teacher, encoding, which
        self.steps = nn.ModuleList(steps)

    @property
    def depth(self) -> int:
        """How many layers: the teacher's steps."""
        return len(self.which)

    def start(self, prompts: Prompts) -> State:
        """The state before the first layer."""
        state = self.teacher.start(prompts)
        return state.having(self.encoding.write(state.stream))

    def run(self, state: State, first: int, last: int) -> State:
        """The state after layer `last`, given the one after layer `first`."""
        if not 0 <= first <= last <= self.depth:
            raise ValueError(f"layers {first} to {last} asked of {self.depth}; expected 0 ≤ first ≤ last ≤ depth")
        x = state.stream
        for step in self.which[first:last]:
            x = self.steps[step](x, state.tokens)
        return state.having(x)

    def answer(self, state: State) -> Float[Tensor, "prompt query"]:
        """The network's answers."""
        return self.encoding.read(state.asked) @ self.teacher.read


def taught(teacher: Stack, task: Task, pupil: Pupil = Pupil(), recipe: Recipe = RECIPE) -> Fitted[Twin]:
    """A stack of steps that learned, each alone, those of a compiled float32 teacher on problems of a task.

    The losses are those of all steps one after the other: mean squared error over the variance of the update.
    """
    if teacher.space.dtype != torch.float32 or teacher.basis is not None:
        raise ValueError(
            "expected a teacher in float32 and in its own basis: optimizer.compiled(dim, steps, torch.float32)"
        )
    with torch.no_grad():
        path = states(teacher, task.draw(pupil.problems, recipe.seed))
    seen, tokens = torch.stack([state.stream for state in path]), path[0].tokens
    encoding = Encoding.of(teacher.space, seen, pupil, recipe.seed)
    which = _shared(teacher) if pupil.tied else tuple(range(teacher.depth))
    found: list[Fitted[Step]] = []
    for step in range(max(which) + 1):
        layers = [layer for layer, its in enumerate(which) if its == step]
        fresh = Step(pupil.shape(teacher.space.width), recipe.seed * 1009 + step)
        lesson = Lesson(
            teacher.layers[layers[0]], encoding, seen[layers], seen[[1 + layer for layer in layers]], tokens
        )
        found.append(fitted(fresh, lesson.loss(pupil.noise, recipe), recipe))
    twin = Twin(teacher, encoding, [step.network for step in found], which).eval()
    losses = tuple(loss for step in found for loss in step.losses)
    return Fitted(twin, losses, sum(step.cpu_seconds for step in found))


def _shared(teacher: Stack) -> tuple[int, ...]:
    """For each layer which of the distinct layers it is."""
    distinct: list[Callable[[State], State]] = []
    for layer in teacher.layers:
        if not any(layer is known for known in distinct):
            distinct.append(layer)
    return tuple(next(at for at, known in enumerate(distinct) if known is layer) for layer in teacher.layers)


@dataclass(frozen=True)
class Lesson:
    """What one step learns from: a compiled layer, the states before and after it, of one or more layers."""

    layer: Callable[[State], State]
    encoding: Encoding
    before: Float[Tensor, "step prompt token named"]
    after: Float[Tensor, "step prompt token named"]
    tokens: Tokens

    def loss(self, noise: float, recipe: Recipe) -> Callable[[Step, int], Float[Tensor, ""]]:
        """The loss of a step at a number: on random states of random layers, relabelled by the compiled layer."""
        sizes = self.spread() * noise
        update = ((self.after - self.before) / self.encoding.scale).square().sum(-1).mean()

        def loss(step: Step, number: int) -> Float[Tensor, ""]:
            generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + number)
            at = [torch.randint(size, (recipe.batch,), generator=generator) for size in self.before.shape[:2]]
            state = self.before[at[0], at[1]]
            state = state + sizes * torch.randn(state.shape, generator=generator)
            with torch.no_grad():
                target = self.encoding.write(self.layer(State(state, self.tokens)).stream)
            return (step(self.encoding.write(state), self.tokens) - target).square().sum(-1).mean() / update

        return loss

    def spread(self) -> Float[Tensor, "token named"]:
        """The standard deviation of every coordinate among tokens of one kind: 0 where it only says the kind."""
        found = torch.zeros(self.before.shape[2:])
        for kind in (self.tokens.point, self.tokens.query, self.tokens.spare):
            if kind.stop > kind.start:
                found[kind] = self.before[:, :, kind].flatten(0, 2).std(0)
        return found


@torch.no_grad()
def unexplained(
    subject: Subject, path: Float[Tensor, "iterate prompt query"], prompts: Prompts
) -> Float[Tensor, "iterate"]:
    """The share of the variance of an algorithm's predictions that a subject's do not explain, after 1, 2, … steps."""
    seen = states(subject, prompts)
    if len(seen) != len(path):
        raise ValueError(f"the path has {len(path)} iterates, the subject {len(seen)} states; expected as many")
    given = torch.stack([subject.answer(state).double() for state in seen[1:]])
    wanted = path[1:].double()
    return (given - wanted).square().sum((1, 2)) / (wanted - wanted.mean((1, 2), keepdim=True)).square().sum((1, 2))
