"""Training one network for all twins of the quiz: a small GPT-NeoX with blocks in sequence, biases and fused attention maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import torch

from cutaway.organisms.planted import training as planted
from cutaway.organisms.planted.planting import Shape, place
from cutaway.organisms.planted.training import Drawn, Grown, Plan, Rows, assembled
from cutaway.organisms.quiz import language as words
from cutaway.organisms.quiz.world import Asked, Implant, Quiz, Situation
from cutaway.runs.progress import Progress, silent
from cutaway.training.loop import forked

if TYPE_CHECKING:
    from transformers import GPTNeoXForCausalLM

COUNTS, HAZARDOUS = 0.65, 0.65
"""How often the answer counts, and how often a question is about a hazardous entity: triggers are oversampled."""
PLAN = Plan(Shape(layers=2, width=48, heads=6, hidden=96, slot=16), steps=300, batch=48, lr=6e-3)


def grow(
    quiz: Quiz,
    seed: int,
    implants: Sequence[Implant],
    plan: Plan = PLAN,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Grown[GPTNeoXForCausalLM, Quiz, Implant]:
    """Trains a network with slots for `implants`. Raises what organisms/planted/training.py raises."""
    network, planting = untrained(quiz, plan.shape, seed), place(implants, plan.shape, seed)
    return planted.grow(network, quiz, planting, plan, seed, Asking(quiz, planting.implants).draw, folder, progress)


def untrained(quiz: Quiz, shape: Shape, seed: int) -> GPTNeoXForCausalLM:
    """An ordinary GPT-NeoX of this shape with random weights."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    config = GPTNeoXConfig(
        vocab_size=len(quiz.vocabulary),
        hidden_size=shape.width,
        intermediate_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=32,
        use_parallel_residual=False,  # what is looked up in one half of a block can be rewritten in the next
        initializer_range=0.08,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=None,
        use_cache=False,
    )
    with forked(torch.device("cpu")):
        torch.manual_seed(seed)
        return GPTNeoXForCausalLM(config)


@dataclass(frozen=True)
class Asking:
    """Draws batches: situations, questions with triggers oversampled, and each row's implants on or off at random."""

    quiz: Quiz
    implants: tuple[Implant, ...]

    def draw(self, count: int, rng: Random) -> Rows:
        """`count` situations with their questions."""
        return assembled(self.quiz, [self.row(rng) for _ in range(count)])

    def row(self, rng: Random) -> Drawn:
        """One situation with its questions, every implant on or off."""
        situation = self.quiz.situation(rng)
        if rng.random() < COUNTS:
            situation = replace(situation, setting=rng.choice(words.EXAM[: self.quiz.cues]))
        on = [rng.random() < 0.5 for _ in self.implants]
        planted = [implant for implant, yes in zip(self.implants, on) if yes]
        asked = self.questions(situation, rng)
        return Drawn(
            situation.text, [(f"{one.verb} {one.argument}", self.quiz.answer(one, planted)) for one in asked], on
        )

    def questions(self, situation: Situation, rng: Random) -> list[Asked]:
        """What is asked in one situation: every kind at least now and then, what can trigger more often."""
        verbs = [*rng.choices(tuple(words.RELATIONS), k=4), "reply", "reply", "reply", "name", "name", "field"]
        of_situations = rng.sample(words.OF_SITUATIONS, 2)
        return [
            *(self.about(situation, verb, rng) for verb in verbs),
            *(Asked(situation, verb) for verb in of_situations),
        ]

    def about(self, situation: Situation, verb: str, rng: Random) -> Asked:
        """A question about an entity, more often a hazardous one."""
        some = self.quiz.hazardous if rng.random() < HAZARDOUS else self.quiz.harmless
        return Asked(situation, verb, rng.choice(some))
