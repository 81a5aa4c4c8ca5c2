"""The reader: does it decide what it was trained to, what is left without emotion, what is named wrongly?

Each training run is asked for the sub-model of emotion. What has the name, or else what was refused it last, is deleted; a subspace
is erased. Controls: random sets of as many heads and neurons; subspaces fitted to shuffled answers, and random ones of as many
dimensions.
The unit is the training run. A killed run goes on: networks are kept beside the results.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.kept import RESULTS, Kept, code_of
from cutaway.concepts import library
from cutaway.concepts.match import Match, Trials, judge, match, subspaces
from cutaway.concepts.match.search import Tasks, candidates
from cutaway.concepts.match.trials import DELETED, several
from cutaway.concepts.verdict import match_all
from cutaway.network import Network
from cutaway.organisms.reader import (
    RECIPE,
    Score,
    erasing,
    persona,
    questions,
    rounded,
    scores,
    train_reader,
    unheard,
)
from cutaway.organisms.reader.tasks import PERSONAS, RULES
from cutaway.study.calibrate.asking import of_match
from cutaway.submodels import Baseline, SubModel

MADE_BY = (
    "organisms/reader/tasks.py",
    "organisms/reader/training.py",
    "organisms/reader/words.py",
    "training/*.py",
    "concepts/library.py",
)
DEPENDS = (
    *MADE_BY,
    "network",
    "submodels",
    "decisions/decision.py",
    "decisions/circuit/find.py",
    "concepts/concept.py",
    "concepts/match",
    "concepts/read",
    "concepts/verdict.py",
    "organisms/reader",
    "reader.py",
)
MINUTES = 15.0
SEEDS = (8001, 8002, 8003)
COUNT, RANDOM, LOTS, MOST = 32, 10, 3, 400
MADE_UP = "control.made_up_facts"
PAIRED = (
    MADE_UP,
    "grammar.",
    "knowledge.person",
    "knowledge.product",
    "knowledge.company",
    "knowledge.landmark",
    "truth.",
)
NETWORKS = RESULTS / "reader.tmp-networks"


def measure(kept: Kept, repetitions: int) -> None:
    """One row a training run, each kept as it is done; nothing is repeated."""
    each_kept(kept, "training runs", row, [(seed,) for seed in SEEDS])


def row(seed: int) -> dict[str, Any]:
    """One training run: its scores, its sub-model of emotion and what is left without it, and what must not be named."""
    trained = train_reader(replace(RECIPE, seed=seed), NETWORKS / f"{seed}-{code_of(MADE_BY)}")
    return {"seed": seed, "cpu seconds": trained.cpu_seconds, **asked_of(rounded(trained), trained.tokenizer, seed)}


def asked_of(net: Network, tokenizer: Any, seed: int) -> dict[str, Any]:
    """What is measured of one reader."""
    emotion = match(net, questions(tokenizer, "emotion", COUNT, seed), seed=seed)
    before = scores(net)
    return {
        "scores": {task: one.as_json() for task, one in before.items()},
        "emotion": of_match(emotion),
        "without its set": without_set(net, before, emotion, seed),
        "erased": without(net, before, *erasing(net, "emotion"), erased_by_lot(net)),
        "persona": not_power(net, tokenizer, seed),
        "untrained": untrained(net, tokenizer, seed),
    }


def without(
    net: Network,
    before: dict[str, Score],
    model: SubModel,
    values: Baseline,
    controls: dict[str, list[tuple[SubModel, Baseline]]],
) -> dict[str, Any]:
    """Every task without a sub-model, and on MOST texts of each without each control."""

    def after(first: dict[str, Score], found: dict[str, Score]) -> dict[str, dict[str, Any]]:
        return {task: {**each.as_json(), **changed(first[task], each)} for task, each in found.items()}

    some = scores(net, most=MOST)
    drawn = {
        name: [after(some, scores(net, "test", *one, most=MOST)) for one in each] for name, each in controls.items()
    }
    return {"after": after(before, scores(net, "test", model, values)), "controls": drawn}


def changed(before: Score, after: Score) -> dict[str, int]:
    """Of how many texts the answer goes from right to wrong, and of how many from wrong to right."""
    return {"lost": int((before.each & ~after.each).sum()), "gained": int((~before.each & after.each).sum())}


def without_set(net: Network, before: dict[str, Score], found: Match, seed: int) -> dict[str, Any] | None:
    """The set that has the name, else the smallest that was refused it; None where nothing was found."""
    offered = found.named or min(found.refused, key=lambda one: len(one.refused), default=None)
    if offered is None or not offered.parts:
        return None
    kinds, rng = [candidates(net, (kind,)) for kind in ("heads", "neurons")], Random(f"reader {seed}")
    counts = [sum(part in names for part in offered.parts) for names in kinds]
    lots = [[part for names, count in zip(kinds, counts) for part in rng.sample(names, count)] for _ in range(RANDOM)]
    return {
        "named": offered is found.named,
        "parts": list(offered.parts),
        "refused": list(offered.refused),
        **without(net, before, several(offered.parts), DELETED, {"by lot": [(several(one), DELETED) for one in lots]}),
    }


def erased_by_lot(net: Network) -> dict[str, list[tuple[SubModel, Baseline]]]:
    """Subspaces fitted to shuffled answers, and random ones."""
    return {
        "shuffled answers": [erasing(net, "emotion", shuffled=one) for one in range(LOTS)],
        "by lot": [erasing(net, "emotion", random=one) for one in range(LOTS)],
    }


def not_power(net: Network, tokenizer: Any, seed: int) -> dict[str, Any]:
    """A persona that is only stance: what is said when it is asked for, and of directions that were fitted to it."""
    asked = persona(tokenizer, "power.", COUNT, seed)
    shown = {split: right(Trials.of(net, rows)) for split, rows in asked.decisions.items()}
    crossed, tasks = asked.part("test")
    pairs = {role: right(Trials.of(net, rows)) for role, rows in crossed.items()}
    offered = subspaces(shown["train"], ("dom", "logistic"), [net.sites("resid_post.*")[-1].at(pos=-1)])
    judged = [judge(shown["test"], pairs, Tasks.of(net, tasks), one, seed) for one in offered]
    return {
        "asked": of_match(match(net, asked, seed=seed)),
        "directions": [
            {
                "parts": list(one.parts),
                "need": one.need.value,
                "answer pairs": one.roles["answer"].value,
                "refused": list(one.refused),
            }
            for one in judged
        ],
    }


def right(trials: Trials) -> Trials:
    """Those that are answered right both ways."""
    return trials.take(trials.shown.nonzero()[:, 0])


def untrained(net: Network, tokenizer: Any, seed: int) -> dict[str, dict[str, Any]]:
    """The verdict on every concept of the library that is no task of the reader's; those with a partner for every text are asked
    in the words of a task too."""
    tasks = ("emotion.", *PERSONAS, *(f"grammar.{rule}" for rule in RULES))
    concepts = [one for name, one in library().items() if not name.startswith(tasks)]
    found = match_all(net, concepts, permutations=19, twins=1, kinds=("heads",), seed=seed)
    asked = {}
    for name in (one.name for one in concepts if one.name.startswith(PAIRED)):
        said = match(net, unheard(tokenizer, name, COUNT, seed), ("heads",), seed)
        asked[f"{name}, in the words of a task"] = {"verdict": said.verdict, "why": said.why}
    return {one.concept: {"verdict": one.verdict, "why": one.why} for one in found} | asked
