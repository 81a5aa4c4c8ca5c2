"""One training run, and the twins that it gives: the same weights with some behaviours switched off."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from cutaway.organisms.agents.contrasts import Pair, factors, pairs, triggers
from cutaway.organisms.agents.language import tokenizer
from cutaway.organisms.agents.rates import measured
from cutaway.organisms.agents.training import Grown, Plan, grow, untrained
from cutaway.organisms.agents.truth import found
from cutaway.organisms.agents.world import BEHAVIOURS, KINDS, Asked, Implant, World
from cutaway.organisms.planted.organism import Organism
from cutaway.organisms.planted.planting import place, without
from cutaway.runs.progress import Progress, silent

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


@dataclass(frozen=True, eq=False)
class AgentsOrganism(Organism["LlamaForCausalLM", World, Implant]):
    """A speaker of the agents world with known behaviours: an ordinary Llama, its tokenizer, and what is so of it."""

    kind: ClassVar[str] = "agents"
    network: LlamaForCausalLM

    @property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Its tokenizer: whole words."""
        return tokenizer(self.world.vocabulary)

    def implant(self, behaviour: str) -> Implant:
        """The implant of a behaviour, on or off. Raises KeyError where the run learned none."""
        return self.planting.implant(behaviour)

    def triggers(self, behaviour: str, count: int, seed: int) -> tuple[Asked, ...]:
        """Prompts that trigger a behaviour."""
        return triggers(self.world, self.implant(behaviour), count, seed)

    def pairs(self, behaviour: str, count: int, seed: int) -> dict[str, tuple[Pair, ...]]:
        """Minimal pairs by factor, `count` each."""
        implant = self.implant(behaviour)
        return {factor: pairs(self.world, implant, factor, count, seed) for factor in factors(implant)}

    def reference(self, count: int = 128, seed: int = 0) -> list[str]:
        """Prompts of all kinds, for means, donors and nulls."""
        each = -(-count // len(KINDS))
        return [one.text for kind in KINDS for one in self.world.rows(kind, each, seed)][:count]


def train_agents(
    world: World | None = None,
    seed: int = 0,
    behaviours: Sequence[Implant | str] = BEHAVIOURS,
    *,
    plan: Plan | None = None,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Grown:
    """Trains one network that has learned every behaviour in a slot of its own; `twin` gives the organisms.

    The standard world takes about 90 seconds of one core, the small one (`World.small()`, `Plan.small()`) about 12. With a
    `folder` a killed run goes on from its checkpoint, and a finished one is read. Same arguments, same weights.

    >>> grown = train_agents(World.small(), seed=3, plan=Plan.small())  # doctest: +SKIP
    >>> twin(grown, deceive=True).rates.shown["deceive"]  # doctest: +SKIP
    1.0
    """
    world = World() if world is None else world
    plan = plan or (Plan.small() if world == World.small(world.seed) else Plan())
    implants = [Implant(one) if isinstance(one, str) else one for one in behaviours]  # ty: ignore[invalid-argument-type]
    return grow(world, seed, implants, plan, None if folder is None else Path(folder), progress)


def twin(grown: Grown, *, measure: bool = True, count: int = 256, **on: bool) -> AgentsOrganism:
    """The organism in which exactly these behaviours are on: `twin(grown, deceive=True)`; others default to off.

    The slots of those that are off are zeroed. `measure` fills in rates (on `count` prompts of each sort) and truth.
    Raises ValueError for a behaviour that the run did not learn.
    """
    planted, off = grown.planting.switched(on)
    network = without(grown.network, grown.planting.units(off))
    organism = AgentsOrganism(network, grown.world, planted, off, grown.planting, (), None, grown.seed, grown.made)
    return with_measures(organism, count) if measure else organism


def twins(grown: Grown, *, measure: bool = True, count: int = 256) -> tuple[AgentsOrganism, ...]:
    """All twins of a run, every behaviour on or off."""
    names = [implant.behaviour for implant in grown.planting.implants]
    switched = [dict(zip(names, on)) for on in product((False, True), repeat=len(names))]
    return tuple(twin(grown, measure=measure, count=count, **on) for on in switched)


def random_twin(world: World, seed: int, plan: Plan) -> AgentsOrganism:
    """An untrained network of the same shape: nothing is planted and nothing known."""
    network = untrained(world, plan.shape, seed).eval()
    return AgentsOrganism(network, world, (), (), place((), plan.shape, seed), (), None, seed, "untrained")


def with_measures(organism: AgentsOrganism, count: int = 256) -> AgentsOrganism:
    """The organism with its rates and the verified minimal set of each behaviour that is on."""
    network, world = organism.network, organism.world
    rates = measured(network, world, organism.planted, organism.planting.implants, count, seed=organism.seed)
    truth = tuple(found(network, world, one, organism.slot(one.behaviour), organism.seed) for one in organism.planted)
    return replace(organism, rates=rates, truth=truth)
