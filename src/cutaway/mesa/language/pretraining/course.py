"""Layer-wise pretraining: blocks that were each taught a step of gradient descent go into a language model that learns text.

All weights are free. A share of the steps may be on regressions instead, so that the optimizer stays in use. The control is the
same network with random blocks in the middle, trained on the same text.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cutaway.mesa.language.pretraining.host import Host, fresh
from cutaway.mesa.optimizers import GradientDescent
from cutaway.mesa.reference.fitting import fitted
from cutaway.mesa.reference.layerwise import Pupil, Twin, taught, unexplained
from cutaway.mesa.reference.transformer import Block
from cutaway.mesa.tasks import Regression
from cutaway.training.corpus import standard_library
from cutaway.training.loop import Recipe, cross_entropy

Middle = Literal["taught", "random"]


TRIES, AGAIN = 4, 10_000_019
"""Starts of teaching, and what is added to the seed for each."""
HELD = 500_000_003
"""What is added to the seed for problems that no lesson is about."""


@dataclass(frozen=True)
class Taught:
    """Blocks that learned a step, what they leave unexplained of the optimizer's last predictions, and how many starts it took."""

    twin: Twin
    unexplained: float
    tries: int


@dataclass(frozen=True)
class Pretraining:
    """How such a network is made: the optimizer, the blocks, the text; `around` blocks come before and as many behind.

    `lessons` are the steps that a block is taught for, from another start where more than `most` of the optimizer's predictions is
    left unexplained; `steps` are those on text, of `batch` windows of `context` bytes each.
    """

    task: Regression = field(default_factory=Regression)
    optimizer: GradientDescent = field(default_factory=GradientDescent)
    middle: int = 6
    around: int = 1
    width: int = 64
    lessons: int = 2000
    most: float = 0.02
    steps: int = 1000
    batch: int = 8
    context: int = 64
    lr: float = 1e-3
    seed: int = 7001

    @property
    def pupil(self) -> Pupil:
        """How the blocks are built."""
        return Pupil(spare=self.width - self.task.dim - 1, d_head=16, hidden=2 * self.width)

    def taught(self) -> Taught:
        """The stack of taught steps, as yet outside of any language model. Errors: none of `TRIES` starts that is good enough."""
        teacher = self.optimizer.compiled(self.task.dim, self.middle, torch.float32)
        held = self.task.draw(512, self.seed + HELD)
        path, left = self.optimizer.path(held, self.middle), 1.0
        for tries in range(TRIES):
            seed = self.seed + tries * AGAIN
            lessons = Recipe(self.lessons, batch=64, lr=5e-3, schedule="cosine", decay=0.0, seed=seed)
            twin = taught(teacher, self.task, self.pupil, lessons).network
            left = float(unexplained(twin, path, held)[-1])
            if left <= self.most:
                return Taught(twin, left, tries + 1)
        raise ArithmeticError(
            f"after {TRIES} starts {left:.1%} of the optimizer's predictions is unexplained; expected at most {self.most:.1%}: "
            f"try more than {self.lessons} lessons"
        )

    def host(self, twin: Twin, middle: Middle = "taught") -> Host:
        """The language model before it has seen text, with the twin's entry and readout; its blocks are copies."""
        shape = replace(self.pupil.shape(self.task.dim + 1), layers=self.middle + 2 * self.around)
        host = Host(shape, self._blocks(twin, middle), self.around, self.context, self.seed)
        encoding, read = twin.encoding, twin.teacher.read
        with torch.no_grad():
            host.enter.weight.copy_((encoding.basis / encoding.scale.unsqueeze(1)).T)
            host.enter.bias.copy_(encoding.carrier)
            host.readout.weight.copy_((read * encoding.scale @ encoding.basis).unsqueeze(0))
            host.readout.bias.zero_()
        return host.eval()

    def _blocks(self, twin: Twin, middle: Middle) -> list[Block]:
        if middle == "taught":
            found = [part for step in twin.which for part in twin.steps[step].modules()]
            return [copy.deepcopy(part) for part in found if isinstance(part, Block)]
        shape = replace(self.pupil.shape(self.task.dim + 1), layers=self.middle + 2 * self.around)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed + 1)
            return [fresh(shape) for _ in range(self.middle)]

    def course(
        self, host: Host, text: Int[Tensor, "stream"], share: float = 0.0, at: tuple[int, ...] = ()
    ) -> dict[int, Host]:
        """The network after so many steps, those of `at`; about that `share` of the steps is on regressions, the rest on text."""
        if not 0 <= share < 1:
            raise ValueError(f"a share of {share} of the steps on regressions was asked; expected 0 to below 1")
        if any(not 0 <= step <= self.steps for step in at):
            raise ValueError(f"the network was asked for after {at} steps; expected 0 to {self.steps}")
        kept = {0: copy.deepcopy(host).eval().requires_grad_(False)} if 0 in at else {}

        def keep(network: Host, step: int) -> None:
            if step in at:
                kept[step] = copy.deepcopy(network).eval().requires_grad_(False)

        recipe = Recipe(self.steps, self.batch, self.context, self.lr, seed=self.seed)
        fitted(host, self._loss(text, share, recipe), recipe, after=keep)
        return kept

    def _loss(self, text: Tensor, share: float, recipe: Recipe) -> Callable[[Host, int], Float[Tensor, ""]]:
        every = round(1 / share) if share else 0

        def loss(network: Host, number: int) -> Float[Tensor, ""]:
            seed = recipe.seed * 1_000_003 + number
            if every and number % every == every - 1:
                prompts = self.task.draw(64, seed).to(torch.float32)
                given = network.answer(network.run(network.start(prompts), 0, network.depth))
                return (given - prompts.answers).square().mean()
            return cross_entropy(network, windows(text, recipe.batch, recipe.context, seed))

        return loss


def windows(text: Int[Tensor, "stream"], count: int, length: int, seed: int) -> Int[Tensor, "window position"]:
    """Random windows of `length` bytes and the one after."""
    starts = torch.randint(len(text) - length, (count,), generator=torch.Generator().manual_seed(seed))
    return text[starts[:, None] + torch.arange(length + 1)]


def code(size: int = 2_000_000, held: int = 16_384) -> tuple[Int[Tensor, "stream"], Int[Tensor, "held"]]:
    """Bytes of the running Python's standard library: the first of those to train on, and of those held out."""
    corpus = standard_library()
    parts = ("\0".join(texts).encode()[:most] for texts, most in ((corpus.train, size), (corpus.validation, held)))
    train, validation = (torch.frombuffer(bytearray(part), dtype=torch.uint8).long() for part in parts)
    return train, validation
