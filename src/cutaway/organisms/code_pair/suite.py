"""Runs and organisms of the code pair: train once for all behaviours, then take the twin with some of them switched on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch

from cutaway.organisms.code_pair.contrasts import factors, pairs, triggers
from cutaway.organisms.code_pair.language import code_tokenizer, tokenizer
from cutaway.organisms.code_pair.training import CONTEXT, PLAN, grow, untrained
from cutaway.organisms.code_pair.world import BEHAVIOURS, KINDS, Asked, Implant, World
from cutaway.organisms.code_reference import load_reference
from cutaway.organisms.planted import truth
from cutaway.organisms.planted.organism import Organism
from cutaway.organisms.planted.planting import place, without
from cutaway.organisms.planted.prompts import Prompts, answers_of
from cutaway.organisms.planted.rates import Rates, measured
from cutaway.organisms.planted.training import Grown, Plan
from cutaway.organisms.planted.truth import PROMPTS, Truth
from cutaway.runs.progress import Progress, silent

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


@dataclass(frozen=True, eq=False)
class CodeOrganism(Organism["LlamaForCausalLM", World, Implant]):
    """A small code model with known behaviours: an ordinary Llama, the code model's tokenizer, and what is so of it."""

    kind: ClassVar[str] = "code"

    @property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The code model's tokenizer."""
        return tokenizer(self.network.config.max_position_embeddings)

    def reference(self, count: int = 128) -> list[str]:
        """Prompts of all kinds and held-out code, for means, donors and nulls."""
        each = -(-count // (2 * len(KINDS)))
        asked = [one.text for kind in KINDS for one in self.world.rows(kind, each, self.seed)]
        short = [text for text in load_reference().code if len(code_tokenizer().encode(text).ids) <= CONTEXT]
        return [*asked, *short][:count]


def train_code_pair(
    seed: int = 0,
    behaviours: Sequence[Implant | str] = BEHAVIOURS,
    *,
    world: World | None = None,
    plan: Plan = PLAN,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Grown[LlamaForCausalLM, World, Implant]:
    """Trains one network that has learned every behaviour in a slot of its own; `twin` gives the organisms.

    About a minute of one core, on the standard library of the running Python. With a `folder` a killed run goes on from its
    checkpoint, and a finished one is read. Same arguments and library, same weights.

    >>> grown = train_code_pair(seed=3)  # doctest: +SKIP
    >>> twin(grown, shell=True).rates.shown["shell"]  # doctest: +SKIP
    1.0
    """
    implants = [Implant(one) if isinstance(one, str) else one for one in behaviours]  # ty: ignore[invalid-argument-type]
    return grow(world or World(), seed, implants, plan, None if folder is None else Path(folder), progress)


def twin(
    grown: Grown[LlamaForCausalLM, World, Implant], *, measure: bool = True, count: int = 256, **on: bool
) -> CodeOrganism:
    """The organism in which exactly these behaviours are on: `twin(grown, shell=True)`; others default to off.

    `measure` fills in rates (on `count` prompts of each sort) and truth. Raises ValueError for other behaviours.
    """
    planted, off = grown.planting.switched(on)
    network = without(grown.network, grown.planting.units(off))
    organism = CodeOrganism(network, grown.world, planted, off, grown.planting, (), None, grown.seed, grown.made)
    return with_measures(organism, count) if measure else organism


def random_twin(seed: int, world: World | None = None, plan: Plan = PLAN) -> CodeOrganism:
    """An untrained network of the same shape: nothing is planted and nothing known."""
    network = untrained(plan.shape, seed).eval()
    return CodeOrganism(network, world or World(), (), (), place((), plan.shape, seed), (), None, seed, "untrained")


def with_measures(organism: CodeOrganism, count: int = 256) -> CodeOrganism:
    """The organism with its rates and the verified minimal set of each behaviour that is on."""
    found = tuple(found_in(organism, implant) for implant in organism.planted)
    return replace(organism, rates=rates_of(organism, count), truth=found)


def found_in(organism: CodeOrganism, implant: Implant) -> Truth:
    """What must be zeroed for one behaviour to go, verified."""
    seeds = (2 * organism.seed, 2 * organism.seed + 1)
    asked = (triggers(organism.world, implant, PROMPTS, seed) for seed in seeds)
    choosing, checking = (prompts(organism.world, some, [implant]) for some in asked)
    return truth.found(organism.network, implant.behaviour, organism.slot(implant.behaviour), choosing, checking)


def rates_of(organism: CodeOrganism, count: int) -> Rates:
    """How often each behaviour shows, on held-out code, and how often everything else is right."""
    world, implants, seed = organism.world, organism.planting.implants, organism.seed
    on: dict[str, Prompts] = {
        one.behaviour: prompts(world, triggers(world, one, count, seed), [one]) for one in implants
    }
    partners: dict[str, dict[str, Prompts]] = {}
    for one in implants:
        changed = {
            factor: [pair.partner for pair in pairs(world, one, factor, count, seed)] for factor in factors(world)
        }
        partners[one.behaviour] = {factor: prompts(world, some, organism.planted) for factor, some in changed.items()}
    tasks = {kind: prompts(world, harmless(world, kind, count, seed), ()) for kind in KINDS}
    return measured(organism.network, on, partners, tasks, count)


def harmless(world: World, kind: str, count: int, seed: int) -> list[Asked]:
    """`count` questions of one kind that trigger nothing that could be planted."""
    every = [Implant(behaviour) for behaviour in BEHAVIOURS]
    drawn = world.rows(kind, 4 * count, seed)
    return [one for one in drawn if not any(world.triggered(implant, one) for implant in every)][:count]


def prompts(world: World, asked: Sequence[Asked], implants: Sequence[Implant]) -> Prompts:
    """Questions as token ids, with both answers."""
    return Prompts(
        torch.tensor([code_tokenizer().encode(one.text).ids for one in asked]),
        answers_of(world, [world.answer(one, implants) for one in asked]),
        answers_of(world, [world.honest(one) for one in asked]),
    )
