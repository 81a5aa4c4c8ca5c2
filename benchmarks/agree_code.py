"""AGREE on small code models trained on two halves of a corpus: the library's files by turns, statements and windows alike.

A pair of runs differs in seed and half, and shares no run with another pair; a few common lines stand in files of both. What is
asked is the comment that switches `shell=True`; where there is nothing, the second network is its harmless twin. A killed run
goes on where it stopped.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache, cached_property
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor

from benchmarks.agree import DEPENDS as AGREE
from benchmarks.agree import of
from benchmarks.circuit_judged import each_kept
from benchmarks.code_pair import DEPENDS as CODE
from benchmarks.kept import Kept
from cutaway.concepts.match import match
from cutaway.concepts.natural.agree import KINDS, pairs
from cutaway.network import Network, wrap
from cutaway.organisms.code_pair import CodeOrganism, World, twin
from cutaway.organisms.code_pair.language import code_tokenizer
from cutaway.organisms.code_pair.questions import questions
from cutaway.organisms.code_pair.statements import EVERY, Statements, fits, one_liners
from cutaway.organisms.code_pair.suite import rates_of
from cutaway.organisms.code_pair.training import CONTEXT, PLAN, Asking, one_step, untrained
from cutaway.organisms.code_pair.world import BEHAVIOURS, Implant
from cutaway.organisms.code_reference import digest
from cutaway.organisms.planted.planting import gated, place
from cutaway.organisms.planted.training import Grown
from cutaway.training.corpus import standard_library
from cutaway.training.loop import resumed
from cutaway.training.tokenizer import stream

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

DEPENDS = tuple(sorted({*AGREE, *CODE, "agree_code.py"}))
COUNT = 48  # decisions in each split, as in the benchmark of the code pair
SEEDS = range(8001, 8017, 2)
MINUTES = 1.2 * len(SEEDS)


@dataclass(frozen=True)
class Half(World):
    """The world in real code of one half of the library's files."""

    half: int = 0

    @cached_property
    def statements(self) -> Statements:
        """Their lines that are whole statements."""
        return lines_of(self.half)


def files(half: int) -> tuple[str, ...]:
    """Every second of the files that a code model is trained on."""
    return standard_library().train[::EVERY][half::2]


@cache
def lines_of(half: int) -> Statements:
    """The statements in a half, which takes seconds."""
    return Statements(
        tuple(sorted({line for text in files(half) for line in one_liners(text) if fits(line)}, key=digest))
    )


@cache
def code_of(half: int) -> Int[Tensor, "stream"]:
    """A half as one stream of tokens."""
    return stream(code_tokenizer(), files(half))


def measure(kept: Kept, repetitions: int) -> None:
    """One row a pair of runs, each kept as it is done, and in the results with every second; nothing is repeated."""
    for done in range(2, len(SEEDS) + 1, 2):
        each_kept(kept, "pairs", row, [(seed,) for seed in SEEDS[:done]])


def row(seed: int) -> dict[str, Any]:
    """One pair of runs, of this seed and the next."""
    began = time.process_time()
    runs = [trained(seed + half, half) for half in (0, 1)]
    harmful = [twin(run, shell=True, measure=False) for run in runs]
    first, second, harmless = (opened(one) for one in (*harmful, twin(runs[1], measure=False)))
    asked = questions(World(), "shell", COUNT, seed)
    found, other, lacks = (match(net, asked, seed=seed) for net in (first, second, harmless))
    said = {
        "same": of(pairs([first, second], [found, other], asked, KINDS, seed)[0]),
        "harmless": of(pairs([first, harmless], [found, lacks], asked, KINDS, seed)[0]),
    }
    problems = [list(replace(one, rates=rates_of(one, 256)).problems) for one in harmful]
    spent = round(time.process_time() - began, 1)
    return {"kind": "code", "seed": seed, "problems": problems, "said": said, "cpu seconds": spent}


def trained(seed: int, half: int) -> Grown[LlamaForCausalLM, World, Implant]:
    """One run on one half, as `train_code_pair` is on the whole; its world asks about held-out code, as there."""
    implants, source = tuple(map(Implant, BEHAVIOURS)), Half(half=half)
    network, planting = untrained(PLAN.shape, seed), place(implants, PLAN.shape, seed)
    recipe = PLAN.recipe(seed, CONTEXT)
    asking = Asking(source, implants, code_of(half))
    with gated(network, planting.slots) as gate:

        def step(optimiser: torch.optim.Optimizer, number: int) -> float:
            rows = asking.draw(recipe.batch, Random(f"batch {seed}/{number}"))
            gate(rows.on)
            return one_step(network, optimiser, rows, recipe.rate(number), recipe.clip)

        ran = resumed(network, recipe, step, {"planting": planting, "half": half})
    return Grown(network.eval(), World(), PLAN, planting, seed, ran.losses, ran.cpu_seconds)


def opened(organism: CodeOrganism) -> Network:
    """As `match` takes it."""
    return wrap(organism.network, organism.tokenizer, organism.reference(), name=organism.name)
