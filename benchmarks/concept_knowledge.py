"""Is there a sub-model that knows things? The agents world's networks know facts by heart; nobody planted where.

Each decision asks what an entity is made of, or where it lives; its partner asks about an entity of which something else is
so. Everything else that can be asked is to be spared. Searched are heads and whole MLPs: of heads and neurons a search in vain
takes minutes. The unit is the training run.
"""

from __future__ import annotations

from random import Random
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.concepts.match import Questions, match
from cutaway.concepts.splitting import SPLITS
from cutaway.network import wrap
from cutaway.organisms.agents import Asked, World, random_twin, train_agents, twin
from cutaway.organisms.agents.questions import questions
from cutaway.study.calibrate.asking import of_match
from cutaway.study.calibrate.populations import SMALL

DEPENDS = (
    "network",
    "submodels",
    "decisions/decision.py",
    "decisions/circuit/find.py",
    "concepts/match",
    "organisms/agents",
    "organisms/planted",
    "training/*.py",
    "study/calibrate",
    "concept_knowledge.py",
)
MINUTES = 8.0
SEEDS = range(8001, 8021)
COUNT = 128


def measure(kept: Kept, repetitions: int) -> None:
    """One row a training run, each kept as it is done; nothing is repeated."""
    each_kept(kept, "training runs", row, [(seed,) for seed in SEEDS])


def row(seed: int, folder: str | None = None) -> dict[str, Any]:
    """What is said of a harmless network, and of an untrained one, which knows nothing."""
    world = World.small(seed)
    networks = {"trained": twin(train_agents(world, seed, folder=folder)), "untrained": random_twin(world, seed, SMALL)}
    found: dict[str, Any] = {"seed": seed, "problems": list(networks["trained"].problems)}
    for name, organism in networks.items():
        net = wrap(organism.network, organism.tokenizer, organism.reference(), name=organism.name)
        found[name] = of_match(match(net, about_facts(world, seed), ("heads", "mlps"), seed=seed))
    return found


def about_facts(world: World, seed: int) -> Questions:
    """What is known of an entity, each with another of which something else is so; every other kind of question is a task."""
    rng = Random(f"facts {seed}")

    def decision() -> dict[str, str]:
        (relation, one), fact = rng.choice(list(world.knowledge.items()))
        others = [other for (about, other), so in world.knowledge.items() if about == relation and so != fact]
        situation, other = world.situation(rng), rng.choice(others)
        prompt, partner = (Asked(situation, relation, entity).text for entity in (one, other))
        return {
            "prompt": prompt,
            "target": f" {fact}",
            "foil": f" {world.knowledge[relation, other]}",
            "reference": partner,
        }

    tasks = {kind: some for kind, some in questions(world, "power", COUNT, seed).tasks.items() if kind != "knowledge"}
    decisions = {split: [decision() for _ in range(COUNT)] for split in SPLITS}
    return Questions("knowledge", decisions, tasks=tasks, complete=True)
