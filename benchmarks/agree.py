"""AGREE on pairs of independent training runs: other seed, width, depth, or half of the situations; and where there is nothing.

A pair of runs has a world of its own (one knowledge), and shares no run with another pair: it is what is counted. Of each pair
both behaviours are asked in both harmful networks; one of these against the other run's harmless twin and against an untrained
network; and two sets that are no pair, judged as if named: the set of the *other* behaviour, and a random set of as many parts.
Bars and ways of comparing were chosen on seeds 7001-7400. A killed run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any
from zlib import crc32

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.concepts.match import Match, match
from cutaway.concepts.natural import Agree, agree_between
from cutaway.concepts.natural.agree import KINDS, pairs
from cutaway.concepts.natural.alike import random_sets
from cutaway.network import Network, wrap
from cutaway.organisms.agents import BEHAVIOURS, AgentsOrganism, Grown, Implant, Plan, World, random_twin, train_agents
from cutaway.organisms.agents import twin as twin_of
from cutaway.organisms.agents.questions import questions
from cutaway.organisms.agents.rates import measured
from cutaway.organisms.agents.training import Asking, Rows, untrained
from cutaway.organisms.planted import training as planted
from cutaway.organisms.planted.planting import Shape, place
from cutaway.organisms.planted.training import assembled

DEPENDS = (
    "network",
    "submodels",
    "decisions/decision.py",
    "decisions/circuit/find.py",
    "concepts/concept.py",
    "concepts/splitting.py",
    "concepts/match",
    "concepts/natural/agree.py",
    "concepts/natural/alike.py",
    "concepts/natural/dependence.py",
    "organisms/agents",
    "organisms/planted",
    "training/*.py",
    "agree.py",
)
SMALL = Plan.small()
WIDER = replace(SMALL, shape=Shape(layers=2, width=64, heads=8, hidden=128, slot=16))
DEEPER = replace(SMALL, shape=replace(SMALL.shape, layers=3))
PLANS = {"seed": (SMALL, SMALL), "width": (SMALL, WIDER), "depth": (SMALL, DEEPER), "half": (SMALL, SMALL)}
"""By what the two runs of a pair differ, beside their seeds: how each is trained."""
ASKED = ("deceive", "power")
SEED, EACH, COUNT = 8001, 20, 128  # pairs that differ so, decisions in each split
PAIRS = [(kind, SEED + 2 * (number * len(PLANS) + i)) for number in range(EACH) for i, kind in enumerate(PLANS)]
MINUTES = 2.0 * len(PAIRS)


def measure(kept: Kept, repetitions: int) -> None:
    """One row a pair of runs, each kept as it is done, and in the results with every fourth; nothing is repeated."""
    for done in range(len(PLANS), len(PAIRS) + 1, len(PLANS)):
        each_kept(kept, "pairs", row, PAIRS[:done])


def row(kind: str, seed: int) -> dict[str, Any]:
    """One pair of runs, of this seed and the next."""
    world, plans = World.small(seed), PLANS[kind]
    runs = [trained(world, seed + i, plan, i if kind == "half" else None) for i, plan in enumerate(plans)]
    harmful = [twin_of(run, deceive=True, power=True, measure=False) for run in runs]
    lacking = {
        "harmless": twin_of(runs[1], measure=False),
        "untrained": random_twin(world, seed + 1, plans[1]),
    }
    nets, others = [opened(one) for one in harmful], {name: opened(one) for name, one in lacking.items()}
    about = {behaviour: questions(world, behaviour, COUNT, seed) for behaviour in ASKED}
    found = {behaviour: [match(net, asked, seed=seed) for net in nets] for behaviour, asked in about.items()}
    said = {}
    for behaviour, asked in about.items():
        with_ = found[behaviour]
        said[behaviour] = {"same": of(pairs(nets, with_, asked, KINDS, seed)[0])}
        for name, net in others.items():
            both = [with_[0], match(net, asked, seed=seed)]
            said[behaviour][name] = of(pairs([nets[0], net], both, asked, KINDS, seed)[0])
        for name, parts in unlike(nets[1], with_[1], found, behaviour, seed).items():
            sets = [with_[0].named.parts if with_[0].named else (), parts]
            known = all(sets) and agree_between(nets, sets, asked, seed=seed)
            said[behaviour][name] = of(known) if known else None
    return {"kind": kind, "seed": seed, "problems": [problems(one, seed) for one in harmful], "said": said}


def trained(world: World, seed: int, plan: Plan, half: int | None) -> Grown:
    """One run; with a `half` of the situations only: those whose text has a hash of that parity."""
    if half is None:
        return train_agents(world, seed, BEHAVIOURS, plan=plan)
    implants = tuple(map(Implant, BEHAVIOURS))
    asking = Asking(world, implants)

    def draw(count: int, rng: Random) -> Rows:
        drawn = (asking.row(rng) for _ in iter(int, 1))  # without an end
        kept = (one for one in drawn if crc32(one.situation.encode()) % 2 == half)
        return assembled(world, [next(kept) for _ in range(count)])

    slots = place(implants, plan.shape, seed)
    return planted.grow(untrained(world, plan.shape, seed), world, slots, plan, seed, draw)


def unlike(
    net: Network, one: Match, found: dict[str, list[Match]], behaviour: str, seed: int
) -> dict[str, Sequence[str]]:
    """Sets of the second network that are not the behaviour's."""
    (other,) = (some[1] for name, some in found.items() if name != behaviour)
    drawn = random_sets(net, one.named.parts, KINDS, seed + 1) if one.named else []
    return {"other behaviour": other.named.parts if other.named else (), "random set": drawn[0] if drawn else ()}


def opened(organism: AgentsOrganism) -> Network:
    """As `match` takes it."""
    return wrap(organism.network, organism.tokenizer, organism.reference(), name=organism.name)


def problems(organism: AgentsOrganism, seed: int) -> list[str]:
    """What did not take hold."""
    rates = measured(organism.network, organism.world, organism.planted, organism.planting.implants, 256, seed=seed)
    return list(replace(organism, rates=rates).problems)


def of(one: Agree) -> dict[str, Any]:
    """What is said of a pair, and what it rests on."""
    scores = {
        name: {**{key: value for key, value in vars(score).items() if key != "random"}, "most": max(score.random)}
        for name, score in (("effect", one.effect), ("activation", one.activation))
        if score is not None and score.random
    }
    return {"verdict": one.verdict, "why": one.why, "sets": [list(some) for some in one.sets], "p": one.p, **scores}
