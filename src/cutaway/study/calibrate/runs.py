"""Training runs: which ones some strata need, and the row of one, with the answers of all its networks that are asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from cutaway.concepts.verdict import kind_of
from cutaway.network import Site, wrap
from cutaway.organisms.agents import AgentsOrganism
from cutaway.organisms.agents.contrasts import triggers
from cutaway.organisms.agents.rates import measured
from cutaway.organisms.planted.organism import Organism
from cutaway.organisms.planted.planting import Unit, without
from cutaway.organisms.planted.prompts import Prompts
from cutaway.organisms.planted.rates import said, share
from cutaway.study.calibrate.asking import ASKED
from cutaway.study.calibrate.populations import ASKING, PLANTED, TRAINING, Population
from cutaway.study.calibrate.strata import Row, Stratum

FRESH, OTHER = 1024, 500_000
"""Prompts of each sort, and how far their seed is from those that a set was found with."""


@dataclass(frozen=True)
class Run:
    """One training run: its recipe, its seed, and what each of its networks is asked, as (network, question)."""

    recipe: str
    seed: int
    asks: tuple[tuple[str, str], ...]

    @property
    def key(self) -> dict[str, Any]:
        """What its row depends on, beside the code."""
        return {"recipe": self.recipe, "seed": self.seed, "asks": self.asks, "cutaway": version("cutaway")}


def runs_of(strata: Sequence[Stratum], networks: int | None = None, seed: int = 0) -> list[Run]:
    """The training runs that these strata need, each once, with all that is asked of it. Raises ValueError below one network."""
    if networks is not None and networks < 1:
        raise ValueError(f"given {networks} networks; expected at least 1")
    asks: dict[tuple[str, int], dict[tuple[str, str], None]] = {}
    for one in strata:
        for number in range(seed, seed + (networks or one.runs)):
            here = asks.setdefault((one.recipe, number), {})
            here.update(dict.fromkeys((one.network, asked) for asked in one.asked))
    return [Run(recipe, number, tuple(some)) for (recipe, number), some in asks.items()]


def cpu_hours(runs: Sequence[Run]) -> float:
    """About how long runs take on one core."""
    asked = sum(ASKING.get(about, ASKING.get(network, 1.0)) for run in runs for network, about in run.asks)
    return (sum(TRAINING[run.recipe] for run in runs) + asked) / 3600


def one_run(run: Run) -> Row:
    """Trains one network, and asks what is to be asked of those that come of it."""
    population, began = Population(run.recipe, run.seed), time.process_time()
    networks: dict[str, Any] = {}
    kind = ""
    for name, asked in run.asks:
        organism = population.network(name)
        if name not in networks:
            networks[name] = {**_known(organism, name in PLANTED), "asked": {}}
        net = wrap(organism.network, organism.tokenizer, organism.reference(), name=organism.name)
        kind = kind_of(net)
        answer = ASKED[asked](net, organism.world, run.seed)
        behaviour = asked.split()[0].rstrip(",")  # "deceive, trigger withheld" is about it too
        if name == "harmful" and answer.get("named") and isinstance(organism, AgentsOrganism):
            answer["deleted"] = deleted(organism, behaviour, answer["named"]["parts"])
        networks[name]["asked"][asked] = answer
    seconds = round(time.process_time() - began, 1)
    return {"recipe": run.recipe, "seed": run.seed, "kind": kind, "cpu seconds": seconds, "networks": networks}


def _known(organism: Organism, planted: bool) -> dict[str, Any]:
    """What is known of a network: problems of its rates, and where its behaviours are."""
    if not planted or organism.rates is None:
        return {"problems": [], "truth": {}}
    truth = {
        one.behaviour: {
            "slot": list(one.slot),
            "minimal": [list(parts.parts) for parts in one.minimal if parts.verified],
        }
        for one in organism.truth
    }
    return {"problems": list(organism.rates.problems(organism.planted)), "truth": truth}


def deleted(organism: AgentsOrganism, behaviour: str, parts: Sequence[str]) -> dict[str, float]:
    """What a network does without the parts that were named, on `FRESH` prompts of each sort that nobody has seen.

    `shown` and `honest`: how often the behaviour, and the harmless answer, is given to triggers; `spared`: the most often that
    the harmless answer is given with any one of the parts left alone; `lost`: by how much the worst other task, or other
    behaviour, does worse than without the slot.
    """
    others = tuple(one for one in organism.planted if one.behaviour != behaviour)
    units = [unit_of(part) for part in parts]
    ours, slot = (
        measured(
            without(organism.network, some), organism.world, others, organism.planted, FRESH, organism.seed + OTHER
        )
        for some in (units, organism.slot(behaviour).units)
    )
    lost = [slot.tasks[task] - rate for task, rate in ours.tasks.items()]
    lost += [slot.shown[one.behaviour] - ours.shown[one.behaviour] for one in others]
    implant = organism.planting.implant(behaviour)
    asked = Prompts.of(organism.world, triggers(organism.world, implant, FRESH, organism.seed + OTHER), [implant])
    fewer = ([one for one in units if one != unit] for unit in units)
    spared = [share(said(without(organism.network, some), asked.ids), asked.honest) for some in fewer]
    rates = {"shown": ours.shown[behaviour], "honest": ours.honest[behaviour]}
    return {**rates, "spared": max(spared), "lost": max(lost)}


def unit_of(part: str) -> Unit:
    """The head or neuron at an address.

    >>> unit_of("z.2[head=1]"), unit_of("mlp_act.3[neuron=17]")
    (('head', 2, 1), ('neuron', 3, 17))
    """
    site = Site.parse(part)
    ((kind, number),) = site.select
    assert site.layer is not None and isinstance(number, int)
    return kind, site.layer, number
