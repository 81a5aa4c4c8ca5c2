"""What it takes to explain random decisions, against training: eight sizes of code networks, and the shipped code model.

`cutaway cost grow FOLDER` with its defaults: rates and penalties of the search were tuned on seed 7001, networks are 8001 to 8003.
Of the shipped model there is one; its penalty was tuned on decisions of seed 7001, those reported are of seeds 8001 to 8003.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import torch

from benchmarks.kept import RESULTS, Kept
from cutaway.network import Network, wrap
from cutaway.organisms.code_model import card, load_code_model
from cutaway.runs.progress import terminal
from cutaway.study.growth import Explained, Explainer, Setting, grow
from cutaway.study.growth.controls import controls
from cutaway.study.growth.masked import Parts
from cutaway.study.growth.networks import Text, operations, questions
from cutaway.training.corpus import standard_library
from cutaway.training.loop import Recipe
from cutaway.training.tokenizer import stream
from cutaway.training.windows import Windows

DEPENDS = ("study/growth", "ledger_growth.py")
MINUTES = 150.0
SETTING = Setting()
SEEDS, TUNING = SETTING.seeds, SETTING.tuning


def measure(kept: Kept, repetitions: int) -> None:
    """The study, and the shipped model; nothing is repeated."""
    if not all(kept.setting(name)["facts"] for name in ("networks", "applied")):
        found = grow(SETTING, RESULTS / "growth.tmp-networks", progress=terminal())
        kept.setting("networks")["facts"] = {"tuning": list(found.tuning), "networks": list(found.networks)}
        kept.setting("applied")["facts"] = {"applied": list(found.applied)}
        kept.write()
    shipped = kept.setting("shipped")
    if not shipped["facts"]:
        shipped["facts"] = of_the_shipped()
        kept.write()


def of_the_shipped() -> dict[str, Any]:
    """What training the shipped code model took, and for each seed what it took to explain its decisions."""
    network, tokenizer, _ = load_code_model()
    texts = standard_library()
    text = Text(stream(tokenizer, texts.train), stream(tokenizer, texts.validation))
    given = card()["recipe"]
    recipe = Recipe(**{**given, "betas": tuple(given["betas"]), "windows": Windows(**given["windows"])})
    net = wrap(network, name="code")
    tried = {penalty: explained(net, text, penalty, TUNING)[1] for penalty in SETTING.penalties}
    penalty = min(tried, key=lambda one: tried[one].flops / max(tried[one].share, 1e-9))
    rows = [row(net, text, penalty, seed) for seed in SEEDS]
    with torch.enable_grad():
        flops = operations(network.train(), recipe, text) * recipe.steps
    tuned = sum(one.flops for one in tried.values())
    return {"training_flops": flops, "penalty": penalty, "tuning_flops": tuned, "decisions": rows}


def explained(net: Network, text: Text, penalty: float, seed: int) -> tuple[Explainer, Explained, Any]:
    """One search of random decisions, and what it was asked with."""
    drawn, reference = questions(net, SETTING, seed, text)
    explainer = Explainer(net, Parts.of(net, drawn), replace(SETTING.search, penalty=penalty), seed)
    return explainer, explainer.of(drawn, reference), (drawn, reference)


def row(net: Network, text: Text, penalty: float, seed: int) -> dict[str, Any]:
    """The search of one draw of decisions, with its controls."""
    explainer, found, (drawn, reference) = explained(net, text, penalty, seed)
    return {
        "seed": seed,
        "curve": [asdict(one) for one in found.curve],
        "until": [found.until(share) for share in SETTING.shares],
        "phases": found.phases,
        "controls": asdict(controls(explainer, found, drawn, reference)),
    }
