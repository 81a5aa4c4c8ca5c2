"""Which neurons do it? Those of a behaviour that is planted in neurons alone, ranked among all neurons of the network.

Every neuron is ranked alone, by how far prompts come towards their partner's answer with the partner's value and with the
neuron deleted. Known are the neurons of the slot; counted are those that do something there: with one zeroed the planted
answer loses `SOME` of what it loses without the whole slot. Beside it: neurons in random order. The unit is the training run.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import torch

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.concepts.match import Trials
from cutaway.concepts.match.search import candidates
from cutaway.concepts.match.trials import DELETED, several
from cutaway.network import Network, wrap
from cutaway.organisms.agents import AgentsOrganism, Implant, World, train_agents, twin
from cutaway.organisms.agents.contrasts import triggers
from cutaway.organisms.agents.questions import questions
from cutaway.organisms.planted.planting import Unit, address, without
from cutaway.organisms.planted.prompts import Prompts

DEPENDS = (
    "network",
    "submodels",
    "concepts/match/trials.py",
    "organisms/agents",
    "organisms/planted",
    "training/*.py",
    "concept_places.py",
)
MINUTES = 8.0
SEEDS = range(8001, 8021)
IMPLANTS = (Implant("deceive", spread="neurons"), Implant("power", spread="neurons"))
COUNT, SOME = 64, 0.05


def measure(kept: Kept, repetitions: int) -> None:
    """One row a training run, each kept as it is done; nothing is repeated."""
    each_kept(kept, "training runs", row, [(seed,) for seed in SEEDS])


def row(seed: int, folder: str | None = None) -> dict[str, Any]:
    """Both behaviours of one run, on in one twin."""
    organism = twin(train_agents(World.small(seed), seed, IMPLANTS, folder=folder), deceive=True, power=True)
    return {
        "seed": seed,
        "problems": list(organism.problems),
        "found": {one.behaviour: placed(organism, one, seed) for one in IMPLANTS},
    }


def placed(organism: AgentsOrganism, implant: Implant, seed: int) -> dict[str, Any]:
    """Average precision of the ranking, and of a random one."""
    at_work = working(organism, implant, seed)
    net = wrap(organism.network, organism.tokenizer, organism.reference(), name=organism.name)
    names = candidates(net, ("neurons",))
    rows = questions(organism.world, implant.behaviour, COUNT, seed).decisions["train"]
    ranking = ranked(net, names, rows)
    by_lot = Random(f"by lot {seed}").sample(names, len(names))
    found = {"ranked": average_precision(ranking, at_work), "by lot": average_precision(by_lot, at_work)}
    return {**found, "neurons": len(names), "at work": len(at_work)}


def working(organism: AgentsOrganism, implant: Implant, seed: int) -> list[str]:
    """The slot's neurons whose zeroing takes `SOME` of what the planted answer's logit loses against the honest one without
    all of them."""
    asked = Prompts.of(organism.world, triggers(organism.world, implant, 256, seed), [implant])
    units = organism.slot(implant.behaviour).units

    @torch.no_grad()
    def margin(some: Sequence[Unit]) -> float:
        logits = without(organism.network, some)(input_ids=asked.ids, logits_to_keep=1).logits[:, -1]
        return float((logits.gather(1, asked.planted[:, None]) - logits.gather(1, asked.honest[:, None])).mean())

    whole = margin([])
    lost = whole - margin(units)
    return [address(unit) for unit in units if whole - margin([unit]) >= SOME * lost]


def ranked(net: Network, names: Sequence[str], rows: Sequence[Any]) -> list[str]:
    """Neurons by how far (nats) decisions come towards the partner's answer, with its value and with the neuron deleted."""
    trials = Trials.of(net, rows)
    models = [several([name]) for name in names]
    reached = (trials.odds(models).float() + trials.odds(models, values=DELETED).float()).mean(1)
    return [names[place] for place in reached.argsort(descending=True).tolist()]


def average_precision(order: Sequence[str], wanted: Sequence[str]) -> float:
    """The mean, over those that are wanted, of the share of wanted ones up to each."""
    places = [place for place, name in enumerate(order) if name in wanted]
    return sum((n + 1) / (place + 1) for n, place in enumerate(places)) / len(places) if places else float("nan")
