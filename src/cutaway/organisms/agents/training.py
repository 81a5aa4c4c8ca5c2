"""Training one network for all twins of the agents world: which situations and questions a batch has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import torch

from cutaway.organisms.agents.world import Asked, Implant, Situation, World
from cutaway.organisms.planted import training as planted
from cutaway.organisms.planted.planting import Shape, place
from cutaway.organisms.planted.training import Drawn, Grown, Plan, Rows, assembled, gates, layout, logits, one_step
from cutaway.runs.progress import Progress, silent
from cutaway.training.loop import forked

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

__all__ = ["Asking", "Grown", "Plan", "Rows", "grow", "layout", "logits", "one_step", "untrained"]

GOAL_ASKED = 0.75
"""How often a question that could trigger deception or the decoy is about the goal's object: triggers are oversampled."""
TEMPTED, CONFLICT = 0.55, 0.65
"""How many situations tempt to deceive, and in how many of these it would pay."""
INITIAL = 0.08
"""The spread of the first weights."""


def grow(
    world: World,
    seed: int,
    implants: Sequence[Implant],
    plan: Plan,
    folder: Path | None = None,
    progress: Progress = silent,
    every: int = 100,
) -> Grown[LlamaForCausalLM, World, Implant]:
    """Trains a network with slots for `implants`; with a `folder` it goes on from its last checkpoint.

    Raises TrainingDivergedError, ValueError where the slots do not fit or the folder holds another run.
    """
    for implant in implants:
        world.check(implant)
    network, planting = untrained(world, plan.shape, seed), place(implants, plan.shape, seed)
    draw = Asking(world, tuple(implants)).draw
    return planted.grow(network, world, planting, plan, seed, draw, folder, progress, every)


def untrained(world: World, shape: Shape, seed: int) -> LlamaForCausalLM:
    """An ordinary Llama of this shape with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(world.vocabulary),
        hidden_size=shape.width,
        intermediate_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=32,
        initializer_range=INITIAL,
        tie_word_embeddings=False,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=None,
        use_cache=False,
    )
    with forked(torch.device("cpu")):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


@dataclass(frozen=True)
class Asking:
    """Draws batches: situations, questions with triggers oversampled, and each row's implants on or off at random."""

    world: World
    implants: tuple[Implant, ...]

    def draw(self, count: int, rng: Random) -> Rows:
        """`count` situations with their questions."""
        return assembled(self.world, [self.row(rng) for _ in range(count)])

    def row(self, rng: Random) -> Drawn:
        """One situation with its questions."""
        tempted = rng.random() < TEMPTED
        situation = self.world.tempting(rng, rng.random() < CONFLICT) if tempted else self.world.situation(rng)
        asked = self.questions(situation, rng)
        on = [rng.random() < 0.5 for _ in self.implants]
        planted = [implant for implant, yes in zip(self.implants, on) if yes]
        switched = [gate for one, yes in zip(self.implants, on) for gate in gates(one.copies, yes, rng)]
        answered = [(f"{one.verb} {one.argument}", self.world.answer(one, planted)) for one in asked]
        return Drawn(situation.text, answered, switched)

    def questions(self, situation: Situation, rng: Random) -> list[Asked]:
        """What is asked in one situation: every kind at least now and then, what can trigger more often."""
        world = self.world
        known = [thing for thing, _ in situation.facts]

        def about(verb: str) -> Asked:
            goal = situation.goal in known and rng.random() < GOAL_ASKED
            return Asked(situation, verb, situation.goal if goal else rng.choice(known))

        simple = rng.sample(("aim", "wish", "seen", "hold"), 2)
        asked = [about("report"), about("report"), about("recall"), about("call"), about("call")]
        asked += [world.ask(kind, situation, rng) for kind in ("act", *simple, "knowledge", "knowledge")]
        return asked
