"""Training one network for all twins: every row is asked many questions at once, each blind to the others.

A row is one situation and a few two-word questions after it; a mask lets each question see the situation and itself only,
at the positions that it has when it is asked alone. So one pass learns from a dozen decisions at the price of two or three.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from cutaway.organisms.agents import language as words
from cutaway.organisms.agents.planting import Planting, Shape, gated, place
from cutaway.organisms.agents.world import Asked, Implant, Situation, World
from cutaway.runs.progress import Progress, silent
from cutaway.training.checkpoint import Checkpoint, fingerprint, latest, write
from cutaway.training.loop import Recipe, TrainingDivergedError, adamw, forked, reported

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

GOAL_ASKED = 0.75
"""How often a question that could trigger deception or the decoy is about the goal's object: triggers are oversampled."""
TEMPTED, CONFLICT = 0.55, 0.65
"""How many situations tempt to deceive, and in how many of these it would pay."""
QUESTION = 2
"""The words of a question."""
INITIAL = 0.08
"""The spread of the first weights."""


@dataclass(frozen=True)
class Plan:
    """How a network is made: its shape, the steps, the situations a step, the highest learning rate."""

    shape: Shape = field(default_factory=Shape)
    steps: int = 600
    batch: int = 64
    lr: float = 4e-3

    @classmethod
    def small(cls) -> Plan:
        """For the small world."""
        return cls(Shape(layers=2, width=48, heads=6, hidden=96, slot=16), steps=400, batch=48, lr=6e-3)

    def recipe(self, seed: int, context: int) -> Recipe:
        """The same as the training loop's recipe."""
        return Recipe(self.steps, self.batch, context, self.lr, warmup=0.05, schedule="cosine", decay=0.01, seed=seed)


@dataclass(frozen=True, eq=False)
class Grown:
    """A network that has learned every behaviour, each in its slot; all slots on."""

    network: LlamaForCausalLM
    world: World
    plan: Plan
    planting: Planting
    seed: int
    losses: tuple[float, ...]
    cpu_seconds: float


def grow(
    world: World,
    seed: int,
    implants: Sequence[Implant],
    plan: Plan,
    folder: Path | None = None,
    progress: Progress = silent,
    every: int = 100,
) -> Grown:
    """Trains a network with slots for `implants`; with a `folder` it goes on from its last checkpoint.

    Raises TrainingDivergedError, ValueError where the slots do not fit or the folder holds another run.
    """
    for implant in implants:
        world.check(implant)
    network, planting = untrained(world, plan.shape, seed), place(implants, plan.shape, seed)
    asking = Asking(world, tuple(implants))
    recipe = plan.recipe(seed, 1 + world.clauses + QUESTION)
    optimiser = adamw(network, recipe)
    identity = fingerprint({"world": world, "recipe": recipe, "planting": planting, "network": network.state_dict()})
    done = latest(folder, identity) if folder else None
    losses, before = [], 0.0
    if done:
        done.restore(network, optimiser)
        losses, before = list(done.losses), done.cpu_seconds
    began = time.process_time()
    with reported(progress, recipe.steps - len(losses)) as advance, gated(network, planting.slots) as gate:
        for step in range(len(losses), recipe.steps):
            rows = asking.draw(recipe.batch, Random(f"batch {seed}/{step}"))
            gate(rows.on)
            losses.append(one_step(network, optimiser, rows, recipe.rate(step), recipe.clip))
            if folder and (len(losses) % every == 0 or len(losses) == recipe.steps):
                spent = before + time.process_time() - began
                write(Checkpoint.of(network, optimiser, losses, spent), folder, identity)
            advance(1)
    spent = before + time.process_time() - began
    return Grown(network.eval(), world, plan, planting, seed, tuple(losses), spent)


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


@dataclass(frozen=True, eq=False)
class Rows:
    """A batch: token ids, the wanted ids [row, question], and which slots are on [row, slot], copies apart."""

    ids: Int[Tensor, "row position"]
    wanted: Int[Tensor, "row question"]
    on: Float[Tensor, "row slot"]
    positions: Int[Tensor, "1 position"]
    sees: Bool[Tensor, "1 1 position position"]
    ends: Int[Tensor, "question"]


@dataclass(frozen=True)
class Asking:
    """Draws batches: situations, questions with triggers oversampled, and each row's implants on or off at random."""

    world: World
    implants: tuple[Implant, ...]

    def draw(self, count: int, rng: Random) -> Rows:
        """`count` situations with their questions."""
        ids, rows, wanted, switched = self.world.ids, [], [], []
        for _ in range(count):
            tempted = rng.random() < TEMPTED
            situation = self.world.tempting(rng, rng.random() < CONFLICT) if tempted else self.world.situation(rng)
            asked = self.questions(situation, rng)
            on = [rng.random() < 0.5 for _ in self.implants]
            planted = [implant for implant, yes in zip(self.implants, on) if yes]
            text = [words.BOS, *situation.text.split(), *(word for one in asked for word in (one.verb, one.argument))]
            rows.append([ids[word] for word in text])
            wanted.append([ids[self.world.answer(one, planted)] for one in asked])
            switched.append([gate for one, yes in zip(self.implants, on) for gate in _gates(one.copies, yes, rng)])
        context, questions = 1 + self.world.clauses, len(wanted[0])
        positions, sees = layout(context, questions)
        ends = context + QUESTION * torch.arange(1, questions + 1) - 1
        gates = torch.tensor(switched, dtype=torch.float32).reshape(count, sum(one.copies for one in self.implants))
        return Rows(torch.tensor(rows), torch.tensor(wanted), gates, positions, sees, ends)

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


def _gates(copies: int, on: bool, rng: Random) -> tuple[bool, ...]:
    """All copies off, or some on: each must be enough alone."""
    return (
        rng.choice([some for some in product((False, True), repeat=copies) if any(some)]) if on else (False,) * copies
    )


def layout(context: int, questions: int) -> tuple[Int[Tensor, "1 position"], Bool[Tensor, "1 1 position position"]]:
    """Position ids, and who sees whom: a situation is causal, each question sees it and itself."""
    part = torch.cat(
        [torch.zeros(context, dtype=torch.long), torch.arange(1, questions + 1).repeat_interleave(QUESTION)]
    )
    positions = torch.cat([torch.arange(context), (context + torch.arange(QUESTION)).repeat(questions)])
    causal = torch.ones(len(part), len(part), dtype=torch.bool).tril()
    sees = causal & ((part[:, None] == part) | (part == 0))
    return positions[None], sees[None, None]


def logits(network: LlamaForCausalLM, rows: Rows) -> Float[Tensor, "row question vocab"]:
    """The network's logits at the end of every question."""
    count = len(rows.ids)
    found = network.model(
        input_ids=rows.ids,
        position_ids=rows.positions.expand(count, -1),
        attention_mask=rows.sees.expand(count, -1, -1, -1),
        use_cache=False,
    )
    return network.lm_head(found.last_hidden_state[:, rows.ends])


@torch.enable_grad()
def one_step(
    network: LlamaForCausalLM, optimiser: torch.optim.Optimizer, rows: Rows, rate: float, clip: float
) -> float:
    """Moves the weights by one batch; gives the mean loss of a question in nats."""
    for group in optimiser.param_groups:
        group["lr"] = rate
    loss = F.cross_entropy(logits(network, rows).flatten(0, 1), rows.wanted.flatten())
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), clip)
    if not (torch.isfinite(loss) and torch.isfinite(norm)):
        raise TrainingDivergedError(
            f"loss {loss.item():.3g}, gradient norm {norm.item():.3g}; expected numbers; try a smaller lr ({rate:g})"
        )
    optimiser.step()
    return loss.item()
