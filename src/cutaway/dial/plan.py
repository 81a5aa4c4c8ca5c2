"""One training run from its plan: a corpus by name, a width, pressures in words, a number of tokens."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Int
from torch import Tensor, nn

from cutaway.dial.corpora import Corpus, corpus_named, log_frequencies
from cutaway.dial.operations import operations, teaching
from cutaway.dial.origin import check_start, check_teacher, opened, origin_of, weights_hash
from cutaway.dial.pressure import Distil, Pressure, live
from cutaway.dial.pressure.pressure import check_combination
from cutaway.dial.pressure.regrowth import Regrowth
from cutaway.dial.pressure.topk import TopK
from cutaway.dial.pressure.words import DENSE, Pressing, pressing
from cutaway.dial.store import Origin, Record, Stored
from cutaway.dial.train import Kernels, train
from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.runs.progress import Progress, silent
from cutaway.training.loop import Recipe, held_out_loss

RATES = {Regrowth: 3e-2, TopK: 1e-2}
"""Learning rates of these pressures; a fixed support bears a high one, and top-k lowers its own while all weights live."""
RATE = 3e-3
"""The learning rate of any other run."""
AT_ONCE = 2**13
"""Held-out tokens in a pass."""
LATER = ("start", "teacher", "distil", "kernels")
"""Fields of a plan that its name and its key in a sweep have only where they are not the default."""
SAMPLE = 256
"""Windows of the corpus that are kept with a network, for the means of its nodes."""


@dataclass(frozen=True)
class Plan:
    """How one network is trained.

    `pressure` is in words (`topk=1/16`; `dense`: none; `+` between several), `tokens` how many are predicted in training, in
    whole batches; `lr` None: one for the pressure; `context` 0: the corpus's own.

    `start` is the folder of a network of the same sizes to begin from instead of a fresh one: a dense one is annealed, and
    `regrowth` then begins at its largest weights. `teacher` is the folder of a network to distil from, with `distil` as the
    weight of its part of the loss. `kernels` are as in `cutaway.dial.train.train`.
    """

    corpus: str = "tiny"
    width: int = 128
    layers: int = 2
    pressure: str = DENSE
    tokens: int = 1_000_000
    seed: int = 0
    lr: float | None = None
    batch: int = 32
    context: int = 0
    start: str | None = None
    teacher: str | None = None
    distil: float = 1.0
    kernels: Kernels = "fastest"

    def __post_init__(self) -> None:
        if self.batch < 1 or self.context < 0:
            raise ValueError(
                f"Plan.batch is {self.batch} and context {self.context}; expected at least 1, and 0 or more"
            )
        if self.lr is not None and not self.lr > 0:
            raise ValueError(f"Plan.lr is {self.lr}; expected a learning rate above 0, or None")
        if self.kernels not in ("fastest", "dense"):
            raise ValueError(f"Plan.kernels is {self.kernels!r}; expected 'fastest' or 'dense'")
        if self.teacher is None and self.distil != 1:
            raise ValueError(
                f"Plan.distil is {self.distil} without a teacher; expected the folder of one; give both or none"
            )

    @property
    def name(self) -> str:
        """A name for its folder."""
        rate = "" if self.lr is None else f"-lr{self.lr:g}"
        later = "".join(f"-{name}-{Path(str(value)).name}" for name, value in self.given.items() if name in LATER)
        words, later = (
            re.sub(r"[^\w.]+", "-", said) for said in (self.pressure.replace("/", "of").replace("=", ""), later)
        )
        return f"{self.corpus}-{self.layers}x{self.width}-{words}-{self.tokens}{rate}{later}-seed{self.seed}"

    @property
    def given(self) -> dict[str, Any]:
        """Its fields; of those in `LATER` the ones that are not the default."""
        later = {one.name: one.default for one in fields(self) if one.name in LATER}
        return {name: value for name, value in asdict(self).items() if name not in later or value != later[name]}

    def came_from(self) -> dict[str, str]:
        """The hash of the weights of its start and its teacher, where it has such."""
        corpus = corpus_named(self.corpus)
        roles = {"start": self.start, "teacher": self.teacher}
        return {
            role: weights_hash(opened(folder, role, corpus)) for role, folder in roles.items() if folder is not None
        }

    @property
    def pressing(self) -> Pressing:
        """Its pressures."""
        return pressing(self.pressure, self.seed, "random" if self.start is None else "largest")

    def shape(self, corpus: Corpus) -> SparseShape:
        """The network's shape."""
        heads_of = min(16, self.width)
        context = self.context or corpus.context
        plain = SparseShape(corpus.vocab, context, self.width, self.layers, heads_of, positions="recent")
        return self.pressing.shaped(plain)

    def recipe(self, corpus: Corpus) -> Recipe:
        """The steps that its tokens are; ValueError where they are less than one batch."""
        context = self.context or corpus.context
        steps = self.tokens // (self.batch * context)
        if steps < 1:
            raise ValueError(
                f"Plan.tokens is {self.tokens}, less than one batch of {self.batch} × {context}; give more, or a smaller batch"
            )
        rates = [rate for kind, rate in RATES.items() for one in self.pressing.pressures if isinstance(one, kind)]
        lr = self.lr if self.lr is not None else max(rates, default=RATE)
        return Recipe(steps, self.batch, context, lr, seed=self.seed, windows=corpus.windows)

    def check(self, corpus: Corpus) -> None:
        """Raises ValueError for what would fail once training begins."""
        context = self.recipe(corpus).context
        if self.start is not None:
            check_start(self.start, self.shape(corpus), corpus)
        if self.teacher is not None:
            check_teacher(self.teacher, context, corpus)
        pressures = self.pressing.pressures
        check_combination(pressures)
        network = SparseTransformer(self.shape(corpus))
        for pressure in pressures:
            pressure.prepare(network, nn.Module())


def carried_out(
    plan: Plan,
    folder: Path | str | None = None,
    progress: Progress = silent,
    device: torch.device | str = "cpu",
    every: int = 50,
) -> Stored:
    """The network that a plan gives, on the CPU, with its record.

    With a `folder` its state is kept there every `every` steps, and a killed run goes on from there to the identical network.

    Its table of bigrams holds the log frequencies of the stream, so that the network need not learn them, and is not trained: it
    would decay with each pressure's own learning rate, and losses would differ for that reason too. A start brings its own table.
    """
    corpus = corpus_named(plan.corpus)
    recipe, (teacher, told) = plan.recipe(corpus), taught_by(plan, corpus, device)
    pressures = (*plan.pressing.pressures, *teacher)
    tokens = corpus.stream(max(plan.tokens, recipe.context + 2), plan.seed)
    network = begun(plan, corpus, tokens).to(device)
    trained = train(network, tokens, recipe, pressures, folder, progress, every, plan.kernels)
    held_out = held_out_loss(trained.network, corpus.held_out, recipe.context, max(1, AT_ONCE // recipe.context))
    ended = cast(SparseTransformer, trained.network.to("cpu"))
    count = operations(ended, recipe)
    record = Record(
        corpus=corpus.name,
        corpus_hash=corpus.hash,
        pressures=tuple(map(repr, pressures)),
        recipe=asdict(recipe),
        seed=plan.seed,
        tokens=trained.tokens,
        losses=trained.losses,
        held_out=held_out,
        live=live(ended),
        executed=count.executed,
        useful=count.useful,
        cpu_seconds=trained.cpu_seconds,
        report=trained.report,
        start=None if plan.start is None else origin_of(opened(plan.start, "start", corpus), plan.start),
        teacher=told,
    )
    return Stored(ended, corpus.tokenizer, record, corpus.sample(SAMPLE, recipe.context))


def taught_by(plan: Plan, corpus: Corpus, device: torch.device | str) -> tuple[tuple[Pressure, ...], Origin | None]:
    """The pressure of a plan's teacher, and what there is to say of it; nothing where it has none."""
    if plan.teacher is None:
        return (), None
    recipe = plan.recipe(corpus)
    check_teacher(plan.teacher, recipe.context, corpus)
    teacher = opened(plan.teacher, "teacher", corpus)
    told = origin_of(teacher, plan.teacher, teaching(teacher.network, recipe))
    return (Distil(teacher.network.to(device), plan.distil),), told  # ty: ignore[abstract-class-instantiation]


@torch.no_grad()
def begun(plan: Plan, corpus: Corpus, tokens: Int[Tensor, "stream"]) -> SparseTransformer:
    """The network before its first step."""
    network = SparseTransformer(plan.shape(corpus), plan.seed)
    if plan.start is not None:
        check_start(plan.start, network.shape, corpus)
        network.load_state_dict(opened(plan.start, "start", corpus).network.state_dict())
    elif network.bigram is not None:
        network.bigram.weight.copy_(log_frequencies(tokens, corpus.vocab))
    if network.bigram is not None:
        network.bigram.requires_grad_(False)
    return network
