"""The networks of a study: small decoders trained on the standard library's code, their operations counted, their rate tuned."""

from __future__ import annotations

import copy
import hashlib
import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor, nn

from cutaway.ledger import meter
from cutaway.network import Batch, Network, wrap
from cutaway.study.growth.masked import Parts
from cutaway.study.growth.search import Explainer, NothingToExplainError
from cutaway.study.growth.setting import Setting, Size
from cutaway.training.checkpoint import content
from cutaway.training.corpus import standard_library
from cutaway.training.loop import Recipe, TrainingDivergedError, held_out_loss, one_step, resumed
from cutaway.training.tokenizer import stream, train_tokenizer
from cutaway.training.transformer import Transformer

JUDGED = 2**15
"""Tokens of held-out text on which a loss is measured."""


@dataclass(frozen=True, eq=False)
class Text:
    """The standard library's code in tokens, to learn from and held out."""

    train: Int[Tensor, "stream"]
    held_out: Int[Tensor, "stream"]

    @property
    def hash(self) -> str:
        """The sha256 of both."""
        return hashlib.sha256(content(self.train) + content(self.held_out)).hexdigest()


@cache
def text(vocab: int) -> Text:
    """The code of the running Python in so many byte-pair tokens; reading it takes some seconds."""
    texts = standard_library()
    tokenizer = train_tokenizer(texts.train, vocab)
    return Text(stream(tokenizer, texts.train), stream(tokenizer, texts.validation))


class StudyDivergedError(TrainingDivergedError):
    """A training that diverged, with the operations that it took until then."""

    def __init__(self, said: str, flops: int) -> None:
        super().__init__(said)
        self.flops = flops


@dataclass(frozen=True, eq=False)
class Trained:
    """A network, the operations of its training, its loss on held-out text in nats a token, and CPU seconds."""

    network: Transformer
    flops: int
    loss: float
    cpu_s: float


def opened(network: Transformer) -> Network:
    """The network as cutaway sees it: token ids in."""
    return wrap(network, name=f"code-{network.shape.width}x{network.shape.layers}")


def trained(
    setting: Setting, size: Size, seed: int, rate: float, part: float = 1.0, folder: Path | None = None
) -> Trained:
    """A network of this size; with a `folder` a killed training goes on. Raises StudyDivergedError where it diverges."""
    data, shape = text(setting.vocab), size.shape(setting.vocab, setting.context)
    recipe = Recipe(setting.steps(size, part), setting.batch, setting.context, rate, seed=seed)
    network = Transformer(shape, seed).train()
    each, done = operations(network, recipe, data), 0

    def step(optimiser: torch.optim.Optimizer, number: int) -> float:
        nonlocal done
        done = number + 1
        torch.manual_seed(seed * 1_000_003 + number)
        batch = recipe.windows.draw(data.train, recipe.batch, recipe.context)
        return one_step(network, optimiser, batch, recipe, number, None, folder)

    with torch.random.fork_rng(devices=[]):
        try:
            ran = resumed(network, recipe, step, {"text": data.hash}, folder)
        except TrainingDivergedError as error:
            raise StudyDivergedError(str(error), each * done) from error
    loss = held_out_loss(network.eval(), data.held_out[:JUDGED], setting.context)
    return Trained(network, each * recipe.steps, loss, ran.cpu_seconds)


def operations(network: nn.Module, recipe: Recipe, data: Text) -> int:
    """The operations of one step of training, counted on a copy: every step does the same."""
    network = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.lr)
    with torch.random.fork_rng(devices=[]):
        batch = recipe.windows.draw(data.train, recipe.batch, recipe.context)
    with meter("step", flops=True) as running:
        one_step(network, optimiser, batch, recipe, 0, None)
    assert running.cost.flops is not None
    return running.cost.flops


def windows(tokens: Int[Tensor, "stream"], count: int, context: int, seed: int) -> Int[Tensor, "window position"]:
    """Random windows of a stream of tokens."""
    starts = torch.randint(len(tokens) - context, (count,), generator=torch.Generator().manual_seed(seed))
    return tokens[starts[:, None] + torch.arange(context)]


def questions(net: Network, setting: Setting, seed: int, data: Text | None = None) -> tuple[Batch, tuple[Batch, Batch]]:
    """Random places of held-out text, twice as many as are asked; and windows of other text for means to search and check.

    `data` is by default the setting's own.
    """
    data, search = data or text(setting.vocab), setting.search
    drawn = windows(data.held_out, 2 * search.decisions, setting.context, seed)
    means = [windows(data.train, search.reference, setting.context, seed + 10_000 * turn) for turn in (1, 2)]
    return net.batch(drawn), (net.batch(means[0]), net.batch(means[1]))


@dataclass(frozen=True)
class Tuned:
    """What was chosen for a size, and what choosing took: operations of training and of searching."""

    rate: float
    penalty: float
    losses: dict[float, float]
    searches: dict[float, float]
    training_flops: int
    search_flops: int


def tuned(setting: Setting, size: Size) -> Tuned:
    """The rate with the lowest held-out loss after a part of training, then the penalty with which a search of that network is
    cheapest: all on the tuning seed, operations of what diverged too. Raises StudyDivergedError where every rate does."""
    tried: dict[float, Trained] = {}
    failed = []
    for rate in setting.rates:
        try:
            tried[rate] = trained(setting, size, setting.tuning, rate, setting.trial)
        except StudyDivergedError as error:
            failed.append(error)
    if not tried:
        raise failed[-1]
    losses = {rate: one.loss if math.isfinite(one.loss) else math.inf for rate, one in tried.items()}
    rate = min(losses, key=lambda one: losses[one])
    costs, spent = prices(setting, tried[rate])
    penalty = min(costs, key=lambda one: costs[one])
    return Tuned(rate, penalty, losses, costs, sum(one.flops for one in [*tried.values(), *failed]), spent)


def prices(setting: Setting, network: Trained) -> tuple[dict[float, float], int]:
    """For every penalty the operations a decision explained, and those of all searches."""
    net = opened(network.network)
    drawn, reference = questions(net, setting, setting.tuning)
    costs, spent = {}, 0
    for penalty in setting.penalties:
        explainer = Explainer(net, Parts.of(net, drawn), replace(setting.search, penalty=penalty), setting.tuning)
        try:
            found = explainer.of(drawn, reference)
            costs[penalty] = found.flops / (found.share * found.asked) if found.share else math.inf
        except NothingToExplainError:
            costs[penalty] = math.inf
        spent += explainer.flops
    return costs, spent
