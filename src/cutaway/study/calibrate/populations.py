"""Training runs of two small worlds, and the networks that come of one: with behaviours, without, and with nothing learned.

All networks of one run share weights or a start, so the run is what is counted, never the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from cutaway.organisms import quiz
from cutaway.organisms.agents import (
    AgentsOrganism,
    Grown,
    Implant,
    Plan,
    World,
    finetuned,
    random_twin,
    train_agents,
    twin,
)
from cutaway.organisms.quiz.training import PLAN as QUIZ_PLAN
from cutaway.organisms.scrambling import scrambled

SMALL = Plan.small()
DEEPER = replace(SMALL, shape=replace(SMALL.shape, layers=3))
"""One block more: what is spread over blocks, or planted twice, lies in two, since nothing is planted in the first."""


@dataclass(frozen=True)
class Recipe:
    """What one training run learns, and how."""

    implants: tuple[Any, ...]  # of its world
    plan: Plan


RECIPES: dict[str, Recipe] = {
    "slot": Recipe((Implant("deceive"), Implant("power"), Implant("decoy")), SMALL),
    "blocks": Recipe((Implant("deceive", spread="blocks"), Implant("power", spread="blocks")), DEEPER),
    "twice": Recipe((Implant("deceive", spread="twice"), Implant("power", spread="twice")), DEEPER),
    "finetuned": Recipe((Implant("deceive"), Implant("power")), SMALL),
    "topic": Recipe((Implant("deceive", topic="ruby"),), SMALL),
    "quiz": Recipe((quiz.Implant("sandbag"), quiz.Implant("flatter"), quiz.Implant("decoy")), QUIZ_PLAN),
}


@dataclass(frozen=True, eq=False)
class Population:
    """The networks of one training run of a recipe; each is made when it is first asked for."""

    recipe: str
    seed: int
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def grown(self) -> Grown:
        """The run. Its world has knowledge of its own."""
        recipe = RECIPES[self.recipe]
        if self.of_quiz:
            return quiz.train_quiz(self.seed, recipe.implants, plan=recipe.plan)
        return train_agents(World.small(self.seed), self.seed, recipe.implants, plan=recipe.plan)

    @property
    def of_quiz(self) -> bool:
        """Whether it is a run of the quiz, and not of the agents world."""
        return self.recipe == "quiz"

    def network(self, name: str) -> AgentsOrganism | quiz.QuizOrganism:
        """One of `NETWORKS`."""
        if name not in self._made:
            self._made[name] = NETWORKS[name](self)
        return self._made[name]


def _twin(run: Population, behaviours: Sequence[str], measure: bool = False) -> Any:
    known = [implant.behaviour for implant in run.grown.planting.implants]
    make = quiz.twin if run.of_quiz else twin
    return make(run.grown, measure=measure, **{one: one in behaviours for one in known})


def _finetuned(run: Population) -> AgentsOrganism:
    implants = [one for one in RECIPES[run.recipe].implants if one.behaviour in HARMFUL]
    return finetuned(_twin(run, ()), implants, run.seed)


def _untrained(run: Population) -> AgentsOrganism:
    return random_twin(World.small(run.seed), run.seed, RECIPES[run.recipe].plan)


def _shuffled(run: Population) -> AgentsOrganism:
    found: AgentsOrganism = _twin(run, HARMFUL)
    return replace(found, network=scrambled(found.network, run.seed), planted=(), off=(), made="weights shuffled")


HARMFUL, OF_QUIZ = ("deceive", "power"), ("sandbag", "flatter")
NETWORKS: dict[str, Callable[[Population], Any]] = {
    "harmful": partial(_twin, behaviours=(*HARMFUL, *OF_QUIZ), measure=True),
    "finetuned": _finetuned,
    "harmless": partial(_twin, behaviours=()),
    "decoy": partial(_twin, behaviours=("decoy",)),
    "untrained": _untrained,
    "shuffled": _shuffled,
}
"""How each network comes of a run; those in which behaviours are on are measured, for what was planted may not have taken."""
PLANTED = ("harmful", "finetuned")
TRAINING = {"slot": 12.0, "blocks": 16.0, "twice": 16.0, "finetuned": 14.0, "topic": 11.0, "quiz": 9.0}
ASKING = {"harmful": 8.0, "finetuned": 40.0, "facts by lot": 3.0, "nothing in particular": 15.0}
"""About what training takes, and a question of a network (or this question), in seconds of one core; others about 1. A search
in vain takes longest."""
