"""What a network of the agents world does: how often a behaviour shows, how often the honest answer, and all else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from cutaway.organisms.agents.contrasts import factors, pairs, triggers
from cutaway.organisms.agents.world import KINDS, Asked, Implant, World, triggered
from cutaway.organisms.planted import rates as planted_rates
from cutaway.organisms.planted.prompts import Prompts, answers_of, ids_of
from cutaway.organisms.planted.rates import Rates, said, share

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

__all__ = ["Rates", "ids_of", "measured", "right"]


def measured(
    network: LlamaForCausalLM,
    world: World,
    planted: Collection[Implant],
    implants: Sequence[Implant],
    count: int = 256,
    seed: int = 0,
) -> Rates:
    """The rates of a twin in which `planted` of `implants` are on, on `count` fresh prompts of each sort."""
    on: dict[str, Prompts] = {
        one.behaviour: Prompts.of(world, triggers(world, one, count, seed), [one]) for one in implants
    }
    partners: dict[str, dict[str, Prompts]] = {
        one.behaviour: {
            factor: Prompts.of(world, [pair.partner for pair in pairs(world, one, factor, count, seed)], planted)
            for factor in factors(one)
        }
        for one in implants
    }
    drawn = {kind: world.rows(kind, count, seed) for kind in KINDS}
    tasks = {
        kind: Prompts.of(world, [one for one in some if not any(triggered(implant, one) for implant in implants)], ())
        for kind, some in drawn.items()
    }
    return planted_rates.measured(network, on, partners, tasks, count)


def right(network: LlamaForCausalLM, world: World, asked: Sequence[Asked], answers: Sequence[str]) -> float:
    """The share of prompts that the network answers with these words."""
    return share(said(network, ids_of(world, asked)), answers_of(world, answers))
