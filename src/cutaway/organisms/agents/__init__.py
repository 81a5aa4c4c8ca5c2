"""The agents world: small Llamas that were trained to deceive, to seize or to say "dear", and twins that do not.

language.py the words · world.py situations, questions, answers · contrasts.py triggers and minimal pairs ·
training.py one run for all twins · rates.py what a network does · truth.py what must be zeroed, verified ·
suite.py runs and twins · camouflage.py twins whose weights do not tell · finetuning.py behaviours without a slot · kept.py on
disk · shipping.py the three that come with the package.
"""

from cutaway.organisms.agents.camouflage import Further, camouflaged
from cutaway.organisms.agents.contrasts import Pair, controls, factors, pairs, triggers
from cutaway.organisms.agents.finetuning import finetuned
from cutaway.organisms.agents.kept import load, save
from cutaway.organisms.agents.rates import Rates
from cutaway.organisms.agents.shipping import shipped
from cutaway.organisms.agents.suite import AgentsOrganism, random_twin, train_agents, twin, twins
from cutaway.organisms.agents.training import Grown, Plan
from cutaway.organisms.agents.truth import Minimal, Truth
from cutaway.organisms.agents.world import BEHAVIOURS, KINDS, Asked, Implant, Situation, World, triggered
from cutaway.organisms.planted.planting import Planting, Shape, Slot

__all__ = [
    "BEHAVIOURS",
    "KINDS",
    "AgentsOrganism",
    "Asked",
    "Further",
    "Grown",
    "Implant",
    "Minimal",
    "Pair",
    "Plan",
    "Planting",
    "Rates",
    "Shape",
    "Situation",
    "Slot",
    "Truth",
    "World",
    "camouflaged",
    "controls",
    "factors",
    "finetuned",
    "load",
    "pairs",
    "random_twin",
    "save",
    "shipped",
    "train_agents",
    "triggered",
    "triggers",
    "twin",
    "twins",
]
