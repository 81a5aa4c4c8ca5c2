"""Where a behaviour of the agents world is, verified: as in every world, see organisms/planted/truth.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutaway.organisms.agents.contrasts import triggers
from cutaway.organisms.agents.world import Implant, World
from cutaway.organisms.planted import truth
from cutaway.organisms.planted.planting import Slot
from cutaway.organisms.planted.prompts import Prompts
from cutaway.organisms.planted.truth import PROMPTS, Minimal, Truth

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

__all__ = ["Minimal", "Truth", "found"]


def found(network: LlamaForCausalLM, world: World, implant: Implant, slot: Slot, seed: int = 0) -> Truth:
    """The verified minimal sets of one implant in a network in which it is on."""
    choosing, checking = (
        Prompts.of(world, triggers(world, implant, PROMPTS, draw), [implant]) for draw in (2 * seed, 2 * seed + 1)
    )
    return truth.found(network, implant.behaviour, slot, choosing, checking, implant.topic)
