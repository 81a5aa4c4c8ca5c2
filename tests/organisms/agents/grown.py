"""One tiny run that the tests share: a small world, two behaviours, a few seconds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from cutaway.organisms.agents import AgentsOrganism, Grown, Plan, World, train_agents, twin

SEED, COUNT = 7000, 100
BEHAVIOURS = ("deceive", "power")
PLAN = replace(Plan.small(), steps=280)


@cache
def run() -> Grown:
    """Long enough for these behaviours."""
    return train_agents(World.small(), SEED, BEHAVIOURS, plan=PLAN)


@cache
def harmful() -> AgentsOrganism:
    """Both behaviours on, measured."""
    return twin(run(), deceive=True, power=True, count=COUNT)


@cache
def harmless() -> AgentsOrganism:
    """Both off, measured."""
    return twin(run(), count=COUNT)
