"""Training the reader: a small BERT that learns all tasks at once from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.network import Batch, wrap
from cutaway.organisms.reader.tasks import TASKS, Asked, asked
from cutaway.organisms.reader.words import one_token, shipped_tokenizer
from cutaway.runs.progress import Progress, silent
from cutaway.training.loop import Recipe, TrainingDivergedError, forked, resumed

if TYPE_CHECKING:
    from transformers import BertForMaskedLM, PreTrainedTokenizerFast

LONGEST = 32  # tokens; longer questions are not asked
FORGOTTEN = 0.15  # of a text's tokens are hidden in training
OFTEN = {"emotion": 3, "stance": 3, "subject": 2, "grammar": 3, "kind": 2}
"""How often each task is drawn, however many texts it has."""
RECIPE = Recipe(steps=1200, batch=64, context=LONGEST, lr=3e-3, warmup=0.08, schedule="cosine", decay=0.1)
WIDTH, HEADS, LAYERS, HIDDEN = 64, 4, 2, 64


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained reader, its tokenizer, and what it took."""

    network: BertForMaskedLM
    tokenizer: PreTrainedTokenizerFast
    recipe: Recipe
    losses: tuple[float, ...]
    cpu_seconds: float


def train_reader(recipe: Recipe = RECIPE, folder: Path | None = None, progress: Progress = silent) -> Trained:
    """A reader trained on the train split; the recipe's seed draws its weights and batches.

    With a `folder` it goes on from its last checkpoint. Raises TrainingDivergedError.
    """
    tokenizer = shipped_tokenizer()
    network = untrained(len(tokenizer), recipe.seed).train()
    feed = wrap(network, tokenizer).batch
    words = {answer: one_token(tokenizer, answer) for answers in TASKS.values() for answer in answers}
    some = {task: fitting(tokenizer, task, "train") for task in TASKS}
    hidden = one_token(tokenizer, "[UNK]")

    def step(optimiser: torch.optim.Optimizer, number: int) -> float:
        rng = Random(f"batch {recipe.seed}/{number}")
        torch.manual_seed(recipe.seed * 1_000_003 + number)
        tasks = rng.choices(tuple(OFTEN), tuple(OFTEN.values()), k=recipe.batch)
        drawn = [rng.choice(some[task]) for task in tasks]
        batch = feed([forgetful(ids, hidden, rng) for ids, _ in drawn])
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate(number)
        wanted = torch.tensor([words[answer] for _, answer in drawn])
        return moved(network, optimiser, F.cross_entropy(logits(network, batch), wanted), recipe.clip)

    with forked(torch.device("cpu")), torch.enable_grad():
        ran = resumed(network, recipe, step, {"texts": [(one.prompt, one.answer) for one in asked()]}, folder, progress)
    return Trained(network.eval(), tokenizer, recipe, ran.losses, ran.cpu_seconds)


@cache
def fitting(tokenizer: Any, task: str, split: str) -> tuple[tuple[list[int], str], ...]:
    """The questions of a task and split that are short enough, as token ids, with their answers."""
    found = [(list(tokenizer.encode(one.prompt)), one.answer) for one in questions_in(task, split)]
    return tuple((ids, answer) for ids, answer in found if len(ids) <= LONGEST)


def questions_in(task: str, split: str) -> list[Asked]:
    """The questions of a task and split."""
    return [one for one in asked() if (one.task, one.split) == (task, split)]


def forgetful(ids: Sequence[int], hidden: int, rng: Random) -> list[int]:
    """A question with some tokens of its text hidden; start, task, colon and mask stay."""
    return [*ids[:3], *(hidden if rng.random() < FORGOTTEN else one for one in ids[3:-1]), ids[-1]]


def logits(network: BertForMaskedLM, batch: Batch) -> Float[Tensor, "rows vocabulary"]:
    """What could stand at the mask, which is each question's last token."""
    return network.cls(network.bert(**batch.kwargs).last_hidden_state[:, -1])


def moved(network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor, clip: float) -> float:
    """Moves the weights by one batch; gives its loss in nats."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), clip)
    if not torch.isfinite(norm):
        raise TrainingDivergedError(
            f"loss {loss.item():.3g}, gradient norm {norm.item():.3g}; expected numbers; try a smaller lr"
        )
    optimiser.step()
    return loss.item()


def untrained(vocabulary: int, seed: int) -> BertForMaskedLM:
    """An ordinary BERT of the reader's shape with random weights."""
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=HIDDEN,
        max_position_embeddings=128,
        type_vocab_size=1,
        tie_word_embeddings=False,  # answers are few: their rows have nothing to do with how words are read
        pad_token_id=0,
    )
    with forked(torch.device("cpu")):
        torch.manual_seed(seed)
        return BertForMaskedLM(config)
