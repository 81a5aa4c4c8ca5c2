"""Language models that learn from a few demonstrations: prompts, a lens, hat matrices, a report with its nulls."""

from cutaway.mesa.language.features import Features
from cutaway.mesa.language.hats import HatSigns, centred, hats
from cutaway.mesa.language.instructions import Instructions
from cutaway.mesa.language.lens import LabelLens
from cutaway.mesa.language.over_tasks import OverTasks
from cutaway.mesa.language.report import FewShotReport, Panel, Plan, few_shot_report
from cutaway.mesa.language.shots import Layout, Shots
from cutaway.mesa.language.sorting import Sorting
from cutaway.mesa.language.streams import NoStream, Reader
from cutaway.mesa.language.trained import InContext
from cutaway.mesa.language.words import Lexicon

__all__ = [
    "Features",
    "FewShotReport",
    "HatSigns",
    "InContext",
    "Instructions",
    "LabelLens",
    "Layout",
    "Lexicon",
    "NoStream",
    "OverTasks",
    "Panel",
    "Plan",
    "Reader",
    "Shots",
    "Sorting",
    "centred",
    "few_shot_report",
    "hats",
]
