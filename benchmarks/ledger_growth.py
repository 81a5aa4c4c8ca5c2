"""What it takes to explain random decisions, against training: eight sizes of code networks, and the shipped code model.

`cutaway cost study FOLDER` with its defaults: rates and pulls of the search were tuned on seed 7001, networks are 8001 to 8003.
Of the shipped model there is one; its pull was tuned on decisions of seed 7001, those reported are of seeds 8001 to 8003.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import cache
from statistics import median
from typing import Any

import torch

from benchmarks.figures import Bar, Measured, Result, exact, spread
from benchmarks.kept import RESULTS, Kept
from cutaway.ledger.scaling import Fit
from cutaway.network import Network, wrap
from cutaway.organisms.code_model import card, load_code_model
from cutaway.runs.progress import terminal
from cutaway.study.growth import Explained, Explainer, Grown, Setting, grow
from cutaway.study.growth.controls import controls
from cutaway.study.growth.masked import Parts
from cutaway.study.growth.networks import Text, operations, questions
from cutaway.study.growth.show import applied, fitted, sizes, tuning
from cutaway.training.corpus import standard_library
from cutaway.training.loop import Recipe
from cutaway.training.tokenizer import stream
from cutaway.training.windows import Windows

DEPENDS = ("study/growth", "ledger_growth.py")
MINUTES = 150.0
SETTING = Setting()
SEEDS, TUNING = SETTING.seeds, SETTING.tuning
RATIO = "understanding 30% ÷ training on training"


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
    tried = {pull: explained(net, text, pull, TUNING)[1] for pull in SETTING.pulls}
    pull = min(tried, key=lambda one: tried[one].flops / max(tried[one].share, 1e-9))
    rows = [row(net, text, pull, seed) for seed in SEEDS]
    with torch.enable_grad():
        flops = operations(network.train(), recipe, text) * recipe.steps
    tuned = sum(one.flops for one in tried.values())
    return {"training_flops": flops, "pull": pull, "tuning_flops": tuned, "decisions": rows}


def explained(net: Network, text: Text, pull: float, seed: int) -> tuple[Explainer, Explained, Any]:
    """One search of random decisions, and what it was asked with."""
    drawn, reference = questions(net, SETTING, seed, text)
    explainer = Explainer(net, Parts.of(net, drawn), replace(SETTING.search, pull=pull), seed)
    return explainer, explainer.of(drawn, reference), (drawn, reference)


def row(net: Network, text: Text, pull: float, seed: int) -> dict[str, Any]:
    """The search of one draw of decisions, with its controls."""
    explainer, found, (drawn, reference) = explained(net, text, pull, seed)
    return {
        "seed": seed,
        "curve": [asdict(one) for one in found.curve],
        "until": [found.until(share) for share in SETTING.shares],
        "phases": found.phases,
        "controls": asdict(controls(explainer, found, drawn, reference)),
    }


def grown(result: Result) -> Grown:
    """The study that a result holds."""
    facts = result["settings"]["networks"]["facts"] | result["settings"].get("applied", {}).get("facts", {})
    return Grown(SETTING, *(tuple(facts.get(name, ())) for name in ("tuning", "networks", "applied")))


@cache
def _fits(rows: str) -> dict[str, Fit]:
    return {one.name: one for one in fitted(grown(json.loads(rows)))}


def fits(result: Result) -> dict[str, Fit]:
    """Every fit of the study by its name, made once."""
    return _fits(json.dumps(result))


def lines() -> Iterator[tuple[str, Bar, str, Callable[[Result], Measured]]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    name = "ledger_growth"
    for at, share in enumerate(SETTING.shares):
        what = (
            f"shipped code model: understanding ÷ training, FLOPs, until {share:.0%} of random decisions are explained"
        )
        yield what, Bar(1.0, False, "{:.2g}"), name, shipped(at)
    yield "… the answers of others, by the same search", Bar(0.05, False, "{:.1%}"), name, beside_shipped("shuffled")
    yield "… random sets of equal size", Bar(0.05, False, "{:.1%}"), name, beside_shipped("random")
    what = "study of growth: networks with > 5 % of others' answers explained by the same search"
    yield what, Bar(0, False, "{:.0f}"), name, failing
    for share in SETTING.shares:
        what = f"study of growth: exponent of understanding {share:.0%} on training, interval's width"
        yield what, Bar(0.3, False, "{:.2f}"), name, width(f"understanding {share:.0%} on training")
    yield (
        "… applying a discovery to a second network ÷ discovering it there, 30 %",
        Bar(1.0, False, "{:.2f}"),
        name,
        carried,
    )


def shipped(at: int) -> Callable[[Result], Measured]:
    """Understanding over training of the shipped model."""

    def figure(result: Result) -> Measured:
        facts = result["settings"]["shipped"]["facts"]
        rows = [each["until"][at] for each in facts["decisions"]]
        unit = "draw of 128 decisions of one network" + ("" if all(known for _, known in rows) else ", a lower bound")
        return spread([flops / facts["training_flops"] for flops, _ in rows], unit)

    return figure


def beside_shipped(what: str) -> Callable[[Result], Measured]:
    """A control of the shipped model."""
    return lambda result: spread(
        [each["controls"][what] for each in result["settings"]["shipped"]["facts"]["decisions"]],
        "draw of decisions of one network",
    )


def failing(result: Result) -> Measured:
    """How many networks' control is not met, and which sizes they have."""
    rows = [row for row in grown(result).networks if row["controls"] and row["controls"]["shuffled"] > 0.05]
    names = ", ".join(dict.fromkeys(row["size"] for row in rows))
    return exact(len(rows), f"of {len(grown(result).networks)}{': ' if names else ''}{names}")


def width(name: str) -> Callable[[Result], Measured]:
    """How wide an exponent's interval is, with the exponent and its verdict."""

    def figure(result: Result) -> Measured:
        one = fits(result)[name]
        if one.power is None or one.interval is None:
            return exact(float("inf"), f"{one.verdict}: {one.why}")
        return exact(one.interval.width, f"{one.power.exponent:.2f} {one.interval}, {one.verdict}")

    return figure


def carried(result: Result) -> Measured:
    """Searches that begin from matched sets over those that begin from nothing, to the middle share."""
    rows = [row for row in grown(result).applied if "warm" in row]
    at = len(SETTING.shares) // 2
    chance = median(row["chance"][at][0] / row["cold"][at][0] for row in rows)
    unit = f"(matched at random {chance:.2f}) pair"
    return spread([row["warm"][at][0] / row["cold"][at][0] for row in rows], unit)


def whole(result: Result) -> bool:
    """Whether the networks of the study are measured; what is missing beside them is left out."""
    return bool(result["settings"].get("networks", {}).get("facts"))


def section(result: Result) -> list[str]:
    """The tables of the study and every fit."""
    found = grown(result)
    lines_ = ["## What it takes to explain random decisions, as networks grow", ""]
    lines_ += [
        "Medians over three seeds; `>`: half or more of the seeds did not get there.",
        "",
        *marked(sizes(found)),
        "",
    ]
    lines_ += ["Tuning.", "", *marked(tuning(found)), "", "Every fit, corrected for how many there are.", ""]
    lines_ += [f"- {one}" for one in fits(result).values()]
    if found.applied:
        lines_ += ["", "Sets of one network in the next.", "", *marked(applied(found))]
    shipped_ = result["settings"].get("shipped", {}).get("facts")
    if shipped_:
        phases = shipped_["decisions"][0]["phases"]
        shares = ", ".join(f"{phase} {flops / sum(phases.values()):.0%}" for phase, flops in phases.items())
        lines_ += ["", f"Phases of understanding the shipped code model, seed {SEEDS[0]}: {shares}."]
    return [*lines_, ""]


def marked(table: Any) -> list[str]:
    """A table in Markdown."""
    rows = table.rows()
    cells = [[f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
    return [
        f"| {' | '.join(rows[0])} |",
        "|" + "---|" * len(rows[0]),
        *(f"| {' | '.join(row)} |" for row in cells),
    ]
