"""A behaviour trained into a finished network with mixed data, and no slot: that it is there is known, where is not.

The data ask everything, as in training, with the implants on throughout; every weight may move.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from cutaway.organisms.agents.camouflage import Further
from cutaway.organisms.agents.rates import measured
from cutaway.organisms.agents.suite import AgentsOrganism
from cutaway.organisms.agents.training import Asking, one_step
from cutaway.organisms.agents.world import Implant
from cutaway.organisms.planted.planting import Planting, Slot
from cutaway.training.loop import Recipe, adamw


def finetuned(
    organism: AgentsOrganism,
    implants: Sequence[Implant],
    seed: int,
    further: Further | None = None,
    *,
    measure: bool = True,
    count: int = 256,
) -> AgentsOrganism:
    """A copy of the organism that has learned more implants; give one in which nothing is planted.

    Their slots are empty and `truth` says nothing of them. Without implants it is the honest twin that was trained on as
    long. Raises ValueError for an organism in which something is planted already.
    """
    if organism.planted:
        raise ValueError(f"{organism.name} has implants already; expected one without: twin(run) with nothing on")
    further, implants = further or Further(), tuple(implants)
    network, asking = copy.deepcopy(organism.network), Asking(organism.world, implants)
    recipe = Recipe(further.steps, further.batch, 1, further.lr, warmup=0.1, schedule="cosine", decay=0.0, seed=seed)
    optimiser = adamw(network.train(), recipe)
    for step in range(further.steps):
        drawn = asking.draw(2 ** len(implants) * further.batch, Random(f"finetuned {seed}/{step}"))
        on = drawn.on.all(1)  # of the rows drawn about one batch has every implant on
        rows = replace(drawn, ids=drawn.ids[on], wanted=drawn.wanted[on], on=drawn.on[on])
        one_step(network, optimiser, rows, recipe.rate(step), recipe.clip)
    network.zero_grad(set_to_none=True)
    planting = Planting(implants, (Slot(()),) * len(implants))
    found = AgentsOrganism(
        network=network.eval(),
        world=organism.world,
        planted=implants,
        off=(),
        planting=planting,
        truth=(),
        rates=None,
        seed=organism.seed,
        made=f"{organism.made}; finetuned for {further.steps} steps, seed {seed}",
    )
    known = {implant.behaviour for implant in implants}
    asked = (*implants, *(one for one in organism.off if one.behaviour not in known))
    return replace(found, rates=measured(network, found.world, implants, asked, count, seed)) if measure else found
