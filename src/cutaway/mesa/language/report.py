"""What a language model learns from a few demonstrations, in how many layers, and signs of how; each number with its nulls.

The unit is the task: new label words and a new split each time. The nulls: the same architecture with random weights, label tokens
dealt anew among the demonstrations, and the answer as it is after one block. Deutch et al. 2023 (arXiv 2311.07772) found that
untrained models pass published similarities to gradient descent: no number here stands without its null.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import softplus

from cutaway.concepts.read.twin import random_twin
from cutaway.mesa.language.hats import HatSigns, hats
from cutaway.mesa.language.lens import LabelLens
from cutaway.mesa.language.over_tasks import OverTasks
from cutaway.mesa.language.shots import Shots
from cutaway.mesa.language.streams import Reader
from cutaway.network import Network
from cutaway.runs.progress import Progress, silent
from cutaway.runs.table import Row, Table

DEAL = 104729
"""Offset of the seed that labels are dealt anew with."""
TIE = 1e-5
"""Answers below this share of the network's own spread are ties."""


FIGURES = ("accuracy", "accuracy by the labels", "accuracy by the labels after one block")


class Tasks(Protocol):
    """A family of few-shot prompts."""

    def draw(self, count: int, seed: int, novel: bool = True) -> Shots:
        """So many prompts, of novel tasks or of familiar ones."""
        ...


@dataclass(frozen=True)
class Plan:
    """How much is read: `tasks` of every kind, `fit` others for the lens, hat matrices of `hats` of them, `batch` prompts a pass.

    A task with n demonstrations costs n · (n + 1) prompts for its hat matrices and two for anything else.
    """

    tasks: int = 64
    fit: int = 96
    hats: int = 8
    batch: int = 32

    def __post_init__(self) -> None:
        for name, least in (("tasks", 2), ("fit", 2), ("hats", 0), ("batch", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"Plan.{name} is {getattr(self, name)}; expected at least {least}")

    def prompts(self, shots: int) -> int:
        """How many prompts are read of one network."""
        return 2 * self.fit + 6 * self.tasks + min(self.hats, self.tasks) * shots * (shots + 1)


@dataclass(frozen=True)
class Panel:
    """How one network answers tasks of one kind: `accuracy` as it is, `by_labels` what it took from the labels shown.

    The latter is of half the difference to the mirror: a network that knows a task by heart is right as it is, and not by the
    labels. `one_block` is that after one block. `losses` are logistic losses after 0, 1, …, depth blocks, of half-differences in
    units of the network's own spread (ln 2: nothing is known). `live` is how many layers lower them for certain: the participation
    ratio of their gains, k where k layers do it equally.
    """

    network: str
    tasks: str
    accuracy: OverTasks
    by_labels: OverTasks
    one_block: OverTasks
    losses: tuple[float, ...]
    live: float

    @classmethod
    def of(cls, network: str, tasks: str, answers: Answers, shots: Shots) -> Panel:
        """From what the network answers, and what the lens reads after every layer."""
        every = (answers.plain, answers.final, answers.readings[1])
        spreads = [answers.plain.square().mean().sqrt(), *2 * [answers.final.square().mean().sqrt().clamp(min=1e-30)]]
        right = [_right(each, spread, shots.truth) for each, spread in zip(every, spreads, strict=True)]
        losses = softplus(-answers.readings / spreads[-1] * shots.truth)
        shares = [OverTasks.share(each, shots.task) for each in right]
        return cls(network, tasks, *shares, tuple(losses.mean(1).tolist()), _live(losses, shots.task))


@dataclass(frozen=True)
class Answers:
    """`plain` answers, half their difference to those of the mirror, and what the lens reads of the latter after every layer."""

    plain: Float[Tensor, "prompt"]
    final: Float[Tensor, "prompt"]
    readings: Float[Tensor, "layer prompt"]


@dataclass(frozen=True)
class FewShotReport:
    """What was read of one network; as text by `str`, as rows by `rows`.

    `explained` is, of every layer, the share of the final answer's variance that its lens explains; `tokens` how many were read.
    """

    name: str
    depth: int
    shots: int
    panels: tuple[Panel, ...]
    signs: HatSigns | None
    null_signs: HatSigns | None
    explained: tuple[float, ...]
    tokens: int
    seed: int
    zero_shot: FewShotReport | None = field(default=None)

    def panel(self, tasks: str, network: str = "given") -> Panel:
        """The panel of one kind of tasks."""
        return next(panel for panel in self.panels if (panel.tasks, panel.network) == (tasks, network))

    @property
    def gap(self) -> OverTasks:
        """How much better familiar tasks are answered than novel ones, as they are."""
        return self.panel("familiar").accuracy.minus(self.panel("novel").accuracy)

    @property
    def learned(self) -> bool:
        """Whether novel tasks are answered by the labels shown, better than at random and than under every null."""
        novel = self.panel("novel").by_labels
        nulls = (self.panel("novel, labels dealt anew"), self.panel("novel", "random weights"))
        return novel.above(0.5) and all(novel.minus(null.by_labels).above(0) for null in nulls)

    def rows(self) -> Table:
        """One row a figure, with its interval over tasks."""
        return Table.of([*self._accuracies(), *self._signs()])

    def __str__(self) -> str:
        from cutaway.mesa.language.text import rendered

        return rendered(self)

    def _accuracies(self) -> list[Row]:
        every = [
            {"network": panel.network, "tasks": panel.tasks, "figure": figure, **_cells(value)}
            for panel in self.panels
            for figure, value in zip(FIGURES, (panel.accuracy, panel.by_labels, panel.one_block), strict=True)
        ]
        live = [
            {
                "network": panel.network,
                "tasks": panel.tasks,
                "figure": "live layers",
                "value": panel.live,
                "of": self.depth,
            }
            for panel in self.panels
        ]
        return [
            *every,
            {"network": "given", "tasks": "familiar − novel", "figure": "accuracy", **_cells(self.gap)},
            *live,
        ]

    def _signs(self) -> list[Row]:
        return [
            {"network": network, "tasks": "novel", "figure": f"hat {name}", **_cells(getattr(signs, name))}
            for network, signs in (("given", self.signs), ("random weights", self.null_signs))
            if signs is not None
            for name in ("symmetry", "one_layer", "commutation", "growth", "order", "specific")
        ]


def few_shot_report(
    network: Network,
    tasks: Tasks,
    zero_shot: Tasks | None = None,
    plan: Plan | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> FewShotReport:
    """The report; `zero_shot` are tasks that are told in an instruction, for a second one beside it.

    Errors: prompts longer than what the network reads (`InputError`, with how many demonstrations fit); no residual stream or no
    logits over tokens (`NoStream`).
    """
    plan = Plan() if plan is None else plan
    few = tasks.draw(2, seed)
    told = None if zero_shot is None else zero_shot.draw(2, seed)
    networks = {"given": network, "random weights": random_twin(network, seed)}
    readers = {name: Reader.of(each, few, plan.batch) for name, each in networks.items()}
    total = len(readers) * (plan.prompts(few.shots) + (0 if told is None else plan.prompts(0)))
    progress.start(total, "prompts")
    try:
        readers = {name: reader.telling(progress.advance) for name, reader in readers.items()}
        beside = None if zero_shot is None else _report(network.name, readers, zero_shot, plan, seed, None)
        return _report(network.name, readers, tasks, plan, seed, beside)
    finally:
        progress.finish()


def _report(
    name: str, readers: dict[str, Reader], tasks: Tasks, plan: Plan, seed: int, beside: FewShotReport | None
) -> FewShotReport:
    novel, fit = tasks.draw(plan.tasks, 3 * seed), tasks.draw(plan.fit, 3 * seed + 1)
    kinds = {
        "novel": novel,
        "novel, labels dealt anew": novel.shuffled(DEAL + seed),
        "familiar": tasks.draw(plan.tasks, 3 * seed + 2, False),
    }
    panels, signs, explained = [], {}, {}
    for network, reader in readers.items():
        asked = Asked.fitted(reader, fit)
        panels += [Panel.of(network, kind, asked.answers(shots), shots) for kind, shots in kinds.items()]
        explained[network] = asked.lens.explained
        found = hats(asked.read, novel.take(slice(0, plan.hats))) if plan.hats and novel.shots else None
        signs[network] = None if found is None else HatSigns.of(found, asked.lens.explained, seed)
    tokens = len(readers) * plan.prompts(novel.shots) * novel.length + (0 if beside is None else beside.tokens)
    depth = readers["given"].depth
    return FewShotReport(
        name,
        depth,
        novel.shots,
        tuple(panels),
        signs["given"],
        signs["random weights"],
        explained["given"],
        tokens,
        seed,
        beside,
    )


@dataclass(frozen=True, eq=False)
class Asked:
    """A network that is asked through a lens."""

    reader: Reader
    lens: LabelLens

    @classmethod
    def fitted(cls, reader: Reader, fit: Shots) -> Asked:
        """With the lens fitted on these prompts and their mirrors."""
        halves = reader.streams(fit).minus(reader.streams(fit.mirrored())).times(0.5)
        return cls(reader, LabelLens.fitted(halves, reader.directions(fit.labels)))

    def answers(self, shots: Shots) -> Answers:
        """As the network gives them, and what the labels shown do to them."""
        plain, mirrored = self.reader.streams(shots), self.reader.streams(shots.mirrored())
        halves, directions = plain.minus(mirrored).times(0.5), self.reader.directions(shots.labels)
        final = (halves.final * directions).sum(1).double()
        return Answers(self.reader.answers(plain, shots.labels), final, self.lens.read(halves.layers, directions))

    def read(self, shots: Shots) -> Float[Tensor, "layer prompt"]:
        """What the lens reads after every layer, up to a constant that prompts of the same labels share."""
        return self.lens.read(self.reader.streams(shots).layers, self.reader.directions(shots.labels))


def _right(answers: Float[Tensor, "prompt"], spread: Tensor, truth: Int[Tensor, "prompt"]) -> Float[Tensor, "prompt"]:
    """1 where the sign is right, one half where there is none."""
    signed = answers * truth
    return torch.where(signed.abs() <= TIE * spread, 0.5, (signed > 0).double())


def _live(losses: Float[Tensor, "layer prompt"], task: Int[Tensor, "prompt"]) -> float:
    """The participation ratio of the layers' gains that are above 0 for certain; 0 where in the end nothing is known."""
    if not OverTasks.mean(log(2) - losses[-1], task).above(0):
        return 0.0
    gains = [OverTasks.mean(step, task) for step in losses[:-1] - losses[1:]]
    sure = torch.tensor([gain.value for gain in gains if gain.above(0)], dtype=torch.float64)
    return float(sure.sum() ** 2 / sure.square().sum()) if len(sure) else 0.0


def _cells(figure: OverTasks) -> Row:
    return {"value": figure.value, "low": figure.low, "high": figure.high, "over tasks": figure.tasks}
