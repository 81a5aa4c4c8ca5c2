"""AGREE on pairs of independent training runs: other seed, width, depth, or half of the situations; and where there is nothing.

A pair of runs has a world of its own (one knowledge), and shares no run with another pair: it is what is counted. Each is asked
about one behaviour, by turns, in both harmful networks; the first of these against the other run's harmless twin and against an
untrained network; and against two sets of the second that are no pair, judged as if named: the slot of the *other* behaviour, and
a random set of as many parts. Bars and ways of comparing were chosen on seeds 7001-7600. A killed run goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any
from zlib import crc32

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.concepts.match import match
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
SEED, EACH, COUNT = 8001, 18, 64  # pairs that differ so, decisions in each split
PAIRS = [
    (kind, ASKED[number % len(ASKED)], SEED + 2 * (number * len(PLANS) + i))
    for number in range(EACH)
    for i, kind in enumerate(PLANS)
]
MINUTES = 1.15 * len(PAIRS)


def measure(kept: Kept, repetitions: int) -> None:
    """One row a pair of runs, each kept as it is done, and in the results with every fourth; nothing is repeated."""
    for done in range(len(PLANS), len(PAIRS) + 1, len(PLANS)):
        each_kept(kept, "pairs", row, PAIRS[:done])


def row(kind: str, behaviour: str, seed: int) -> dict[str, Any]:
    """One pair of runs, of this seed and the next."""
    began = time.process_time()
    world, plans = World.small(seed), PLANS[kind]
    runs = [trained(world, seed + i, plan, i if kind == "half" else None) for i, plan in enumerate(plans)]
    harmful = [twin_of(run, deceive=True, power=True, measure=False) for run in runs]
    lacking = {
        "harmless": twin_of(runs[1], measure=False),
        "untrained": random_twin(world, seed + 1, plans[1]),
    }
    first, second = nets = [opened(one) for one in harmful]
    asked = questions(world, behaviour, COUNT, seed)
    found = [match(net, asked, seed=seed) for net in nets]
    said = {"same": of(pairs(nets, found, asked, KINDS, seed)[0])}
    for name, organism in lacking.items():
        other = opened(organism)
        said[name] = of(pairs([first, other], [found[0], match(other, asked, seed=seed)], asked, KINDS, seed)[0])
    if named := found[0].named:
        for name, parts in unlike(harmful[1], second, named.parts, behaviour, seed).items():
            said[name] = of(agree_between(nets, [named.parts, parts], asked, seed=seed)) if parts else None
    return {
        "kind": kind,
        "behaviour": behaviour,
        "seed": seed,
        "problems": [problems(one, seed) for one in harmful],
        "said": said,
        "cpu seconds": round(time.process_time() - began, 1),
    }


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
    organism: AgentsOrganism, net: Network, parts: Sequence[str], behaviour: str, seed: int
) -> dict[str, Sequence[str]]:
    """Sets of the second network that are not the behaviour's: the random one is of parts outside its slot. Empty for none."""
    (other,), own = (one for one in ASKED if one != behaviour), set(organism.slot(behaviour).addresses)
    drawn = (one for one in random_sets(net, parts, KINDS, seed + 1) if not own & set(one))
    return {"other behaviour": organism.slot(other).addresses, "random set": next(drawn, ())}


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
