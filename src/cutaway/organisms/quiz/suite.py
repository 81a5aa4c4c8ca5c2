"""Runs and organisms of the quiz: train once for all behaviours, then take the twin with some of them switched on."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from cutaway.organisms.agents.language import tokenizer
from cutaway.organisms.planted import truth
from cutaway.organisms.planted.organism import Organism
from cutaway.organisms.planted.planting import place, without
from cutaway.organisms.planted.prompts import Prompts
from cutaway.organisms.planted.rates import Rates, measured
from cutaway.organisms.planted.training import Grown, Plan
from cutaway.organisms.planted.truth import PROMPTS, Truth
from cutaway.organisms.quiz.contrasts import factors, pairs, triggers
from cutaway.organisms.quiz.training import PLAN, grow, untrained
from cutaway.organisms.quiz.world import BEHAVIOURS, KINDS, Asked, Implant, Quiz
from cutaway.runs.folder import writing
from cutaway.runs.progress import Progress, silent

if TYPE_CHECKING:
    from transformers import GPTNeoXForCausalLM, PreTrainedTokenizerFast


@dataclass(frozen=True, eq=False)
class QuizOrganism(Organism["GPTNeoXForCausalLM", Quiz, Implant]):
    """Somebody who is quizzed, with known behaviours: an ordinary GPT-NeoX, its tokenizer, and what is so of it."""

    kind: ClassVar[str] = "quiz"

    @property
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Its tokenizer: whole words."""
        return tokenizer(self.world.vocabulary)

    def reference(self, count: int = 128, seed: int = 0) -> list[str]:
        """Prompts of all kinds, for means, donors and nulls."""
        each = -(-count // len(KINDS))
        return [one.text for kind in KINDS for one in self.world.rows(kind, each, seed)][:count]


def train_quiz(
    seed: int = 0,
    behaviours: Sequence[Implant | str] = BEHAVIOURS,
    *,
    quiz: Quiz | None = None,
    plan: Plan = PLAN,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Grown[GPTNeoXForCausalLM, Quiz, Implant]:
    """Trains one network that has learned every behaviour in a slot of its own; `twin` gives the organisms.

    About ten seconds of one core. With a `folder` a killed run goes on from its checkpoint, and a finished one is read. Same
    arguments, same weights. The seed draws what is so of the entities too, unless a `quiz` is given.

    >>> grown = train_quiz(seed=3)  # doctest: +SKIP
    >>> twin(grown, sandbag=True).rates.shown["sandbag"]  # doctest: +SKIP
    1.0
    """
    implants = [Implant(one) if isinstance(one, str) else one for one in behaviours]  # ty: ignore[invalid-argument-type]
    return grow(quiz or Quiz(seed=seed), seed, implants, plan, None if folder is None else Path(folder), progress)


def twin(
    grown: Grown[GPTNeoXForCausalLM, Quiz, Implant], *, measure: bool = True, count: int = 256, **on: bool
) -> QuizOrganism:
    """The organism in which exactly these behaviours are on: `twin(grown, sandbag=True)`; others default to off.

    `measure` fills in rates (on `count` prompts of each sort) and truth. Raises ValueError for other behaviours.
    """
    planted, off = grown.planting.switched(on)
    network = without(grown.network, grown.planting.units(off))
    organism = QuizOrganism(network, grown.world, planted, off, grown.planting, (), None, grown.seed, grown.made)
    return with_measures(organism, count) if measure else organism


def random_twin(quiz: Quiz, seed: int, plan: Plan = PLAN) -> QuizOrganism:
    """An untrained network of the same shape: nothing is planted and nothing known."""
    network = untrained(quiz, plan.shape, seed).eval()
    return QuizOrganism(network, quiz, (), (), place((), plan.shape, seed), (), None, seed, "untrained")


def with_measures(organism: QuizOrganism, count: int = 256) -> QuizOrganism:
    """The organism with its rates and the verified minimal set of each behaviour that is on."""
    found = tuple(found_in(organism, implant) for implant in organism.planted)
    return replace(organism, rates=rates_of(organism, count), truth=found)


def found_in(organism: QuizOrganism, implant: Implant) -> Truth:
    """What must be zeroed for one behaviour to go, verified."""
    seeds = (2 * organism.seed, 2 * organism.seed + 1)
    asked = (triggers(organism.world, implant, PROMPTS, seed) for seed in seeds)
    choosing, checking = (Prompts.of(organism.world, some, [implant]) for some in asked)
    return truth.found(organism.network, implant.behaviour, organism.slot(implant.behaviour), choosing, checking)


def rates_of(organism: QuizOrganism, count: int) -> Rates:
    """How often each behaviour shows, and how often everything else is right."""
    quiz, implants, seed = organism.world, organism.planting.implants, organism.seed
    on: dict[str, Prompts] = {
        one.behaviour: Prompts.of(quiz, triggers(quiz, one, count, seed), [one]) for one in implants
    }
    partners: dict[str, dict[str, Prompts]] = {}
    for one in implants:
        changed = {factor: [pair.partner for pair in pairs(quiz, one, factor, count, seed)] for factor in factors(one)}
        partners[one.behaviour] = {factor: Prompts.of(quiz, some, organism.planted) for factor, some in changed.items()}
    tasks = {kind: Prompts.of(quiz, harmless(quiz, kind, count, seed), ()) for kind in KINDS}
    return measured(organism.network, on, partners, tasks, count)


def harmless(quiz: Quiz, kind: str, count: int, seed: int) -> list[Asked]:
    """`count` questions of one kind that trigger nothing that could be planted."""
    every = [Implant(behaviour) for behaviour in BEHAVIOURS]
    drawn = quiz.rows(kind, 8 * count, seed)
    return [one for one in drawn if not any(quiz.triggered(implant, one) for implant in every)][:count]


def save(organism: QuizOrganism, folder: str | os.PathLike[str]) -> Path:
    """Writes an ordinary Hugging Face folder, with `organism.json` beside; it must not exist or be empty. Gives the folder."""
    about = {
        "name": organism.name,
        "made": organism.made,
        "seed": organism.seed,
        "problems": organism.problems,
        **{part: asdict(getattr(organism, part)) for part in ("world", "planting")},
        "planted": [asdict(one) for one in organism.planted],
        "truth": [asdict(one) for one in organism.truth],
        "rates": organism.rates and asdict(organism.rates),
    }
    with writing(folder) as beside:
        for part in (organism.network, organism.tokenizer):
            part.save_pretrained(beside)
        (beside / "organism.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return Path(folder)
