"""What `diff` promises: does it name what differs, and first; what does it name where nothing differs?

Pairs of one training run of the small agents world: with one behaviour (deceive or power, by lot of the seed) and without.
It lies in a slot, was trained into all weights, or in through merged adapters, or both twins were trained on and written down
in another order (camouflage). Pairs that differ in nothing are two seeds of the same further training. Which of the two comes
first changes from seed to seed. Everything was chosen on seeds 7001-7124. The unit is the training run; a killed run goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks.agents import MADE_BY, grown_once
from benchmarks.circuit_judged import each_kept
from benchmarks.kept import Kept
from cutaway.concepts.diff import Difference, Differences, diff
from cutaway.network import Network, wrap
from cutaway.organisms.adapted import adapted
from cutaway.organisms.agents import AgentsOrganism, Grown, Implant, World, finetuned, twin
from cutaway.organisms.agents.camouflage import camouflaged
from cutaway.organisms.agents.questions import questions
from cutaway.organisms.agents.rates import measured
from cutaway.organisms.agents.world import BEHAVIOURS
from cutaway.organisms.asked import concepts_about
from cutaway.study.calibrate.populations import SMALL

DEPENDS = (
    *MADE_BY,
    "network",
    "submodels",
    "concepts/diff",
    "concepts/match/judge.py",
    "concepts/match/questions.py",
    "concepts/match/search.py",
    "concepts/match/trials.py",
    "organisms/adapted.py",
    "organisms/agents",
    "diff.py",
)
SEEDS = range(8001, 8021)
COUNT = 64  # decisions in each split
MINUTES = 55.0


@dataclass(frozen=True, eq=False)
class Run:
    """The pairs of one training run: the network with the behaviour, and the one without, or two alike."""

    seed: int
    grown: Grown

    @property
    def behaviour(self) -> str:
        """What the two differ in."""
        return "deceive" if self.seed % 2 else "power"

    @cached_property
    def bad(self) -> AgentsOrganism:
        """The twin with the behaviour in its slot."""
        return twin(self.grown, measure=False, **{self.behaviour: True})

    @cached_property
    def good(self) -> AgentsOrganism:
        """The twin without."""
        return twin(self.grown, measure=False)

    def trained(self, train: Callable[..., AgentsOrganism], planted: bool, times: int) -> AgentsOrganism:
        """The good twin with all or some weights trained, with the behaviour or without; each time with a seed of its own."""
        implants = [Implant(self.behaviour)] if planted else []  # ty: ignore[invalid-argument-type]
        return train(self.good, implants, 4 * self.seed + times, measure=False)

    def hidden(self, organism: AgentsOrganism, times: int) -> AgentsOrganism:
        """A camouflaged twin."""
        return camouflaged(organism, 4 * self.seed + times, measure=False)

    def pair(self, kind: str) -> tuple[AgentsOrganism, AgentsOrganism]:
        """One of `KINDS` or `NULLS`."""
        trains = {"full": finetuned, "adapter": adapted}
        how, _, what = kind.partition(", ")
        if how in trains:
            return self.trained(trains[how], not what, 0), self.trained(trains[how], False, 1)
        if how == "camouflage":
            one = self.good if what == "harmless" else self.bad
            return self.hidden(one, 0), self.hidden(one if what else self.good, 1)
        return self.bad, self.good


KINDS = ("slot", "full", "adapter", "camouflage")
NULLS = ("full, twice", "camouflage, harmless", "camouflage, harmful")


def measure(kept: Kept, repetitions: int) -> None:
    """One row a training run and kind of pair, each kept as it is done; nothing is repeated."""
    for kind in (*KINDS, *NULLS):
        each_kept(kept, kind, row, [(kind, seed) for seed in SEEDS])


def row(kind: str, seed: int) -> dict[str, Any]:
    """What is said of one pair."""
    return told(Run(seed, grown_once("small", seed, World.small(seed), SMALL)), kind)


def told(run: Run, kind: str) -> dict[str, Any]:
    """What is said of one pair of a run, beside what is so."""
    pair = run.pair(kind)
    found = asked(pair[:: -1 if run.seed % 4 > 1 else 1], run.seed)
    of_slot = kind == "slot" or kind.startswith("camouflage")
    slot = pair[0].slot(run.behaviour).addresses if of_slot else ()
    return {
        "kind": kind,
        "seed": run.seed,
        "behaviour": run.behaviour,
        "null": kind in NULLS,
        "shown": shown(pair[0], run.behaviour),
        "concepts": [about(one) for one in found],
        "tasks": {one["task"]: one["otherwise"] for one in found.tasks},
        "changed": list(found.changed),
        "slot": list(slot),
        "first by": {column: first(found, column) for column in ("weights", "activations")},
    }


def shown(organism: AgentsOrganism, behaviour: str) -> float:
    """How often the behaviour shows; what was planted need not have taken hold."""
    implants = [Implant(behaviour)]  # ty: ignore[invalid-argument-type]
    return measured(organism.network, organism.world, organism.planted, implants, 4 * COUNT, organism.seed).shown[
        behaviour
    ]


def asked(pair: tuple[AgentsOrganism, ...], seed: int) -> Differences:
    """The answer of `diff`; `match`, which is measured elsewhere, is not asked."""
    world = pair[0].world
    concepts, about = concepts_about("agents", {one: (one, questions(world, one, COUNT, seed)) for one in BEHAVIOURS})
    a, b = (opened(one, name) for one, name in zip(pair, ("a", "b")))
    return diff(a, b, concepts, questions=about, catalogue=False, seed=seed)


def opened(organism: AgentsOrganism, name: str) -> Network:
    """An organism whose name says nothing."""
    return wrap(organism.network, organism.tokenizer, organism.reference(), name=name)


def about(one: Difference) -> dict[str, Any]:
    """One concept: the verdict, how much differs, and the set that carries it or was refused."""
    said, found = one.behaviour, one.carried
    return {
        "concept": one.concept.removeprefix("agents."),
        "verdict": one.verdict,
        "why": one.why,
        "difference": said and said.difference,
        "q": one.q,
        "parts": found and list(found.parts),
        "brought": found and found.brought.value,
        "taken": found and found.taken.value,
        "control": found and found.control.value,
        "lost": found and found.spare and found.spare[0].value,
        "by weights": found and found.weights,
        "by activations": found and found.activations,
    }


def first(found: Differences, column: str) -> str | None:
    """The part that differs most."""
    rows = [one for one in found.parts if one[column] is not None]
    return max(rows, key=lambda one: one[column])["part"] if rows else None
