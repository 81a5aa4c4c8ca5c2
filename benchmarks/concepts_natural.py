"""Is a concept called natural where it is written to be, and nowhere else? Planted networks, shuffled labels, random networks.

Planted: five kinds (`cutaway.concepts.natural.planted`), one network a seed. Shuffled: the same networks, without the control,
with labels that say nothing. Untrained: a small BERT-shaped encoder with random weights, asked of shipped concepts cut in
halves. `python benchmarks/run.py concepts_natural`; a killed run goes on.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from benchmarks.circuit_judged import each_kept
from benchmarks.concepts_read import encoder
from benchmarks.kept import Kept
from cutaway.concepts import Concept, library
from cutaway.concepts.natural import Natural, natural, natural_all
from cutaway.concepts.natural.planted import KINDS, SITE, planted
from cutaway.network import Network

DEPENDS = (
    "network",
    "concepts/*.py",
    "concepts/read",
    "concepts/natural",
    "concepts_natural.py",
    "concepts_read.py",
)
MINUTES = 4.0
SEEDS = range(8001, 8021)
MANY = range(8101, 8161)
FEW = range(8201, 8206)
ASKED = (
    "power.desire-for-acquiring-power",
    "deception.desire-for-no-human-monitoring",
    "interest.interest-in-art",
    "emotion.anger",
    "trait.risk-averse",
    "truth.cities",
    "grammar.passive_1",
    "control.made_up_facts",
)


def measure(kept: Kept, repetitions: int) -> None:
    """Each network kept as it is done; nothing is repeated."""
    each_kept(kept, "planted", planted_one, [(kind, seed) for seed in SEEDS for kind in KINDS])
    each_kept(kept, "shuffled", shuffled_one, [(seed,) for seed in MANY])
    each_kept(kept, "untrained", untrained_one, [(seed,) for seed in FEW])


def planted_one(kind: str, seed: int) -> dict[str, Any]:
    """What is said of one planted network."""
    net, concept = planted(kind, seed)
    begun = time.process_time()
    one = natural(net, concept, len(KINDS[kind].tells), sites=[SITE], seed=seed)
    return {"kind": kind, "seed": seed, "cpu": time.process_time() - begun, **said(one)}


def shuffled_one(seed: int) -> dict[str, Any]:
    """The p-values where labels say nothing, and those of dependence where the parts have nothing in common."""
    net, concept = planted("redundant only", seed, shuffled=True)
    one = natural(net, replace(concept, controls=()), sites=[SITE], seed=seed)
    net, concept = planted("nothing", seed)
    independent = natural(net, replace(concept, controls=()), sites=[SITE], seed=seed)
    return {
        "seed": seed,
        **said(one),
        "p labels": one.mediates.p_labels,
        "p dependence of nothing": independent.mediates.p_dependence,
    }


def untrained_one(seed: int) -> dict[str, Any]:
    """What is said of shipped concepts in one encoder with random weights."""
    concepts = [library()[name] for name in ASKED]
    found = natural_all(small_encoder(concepts, seed), concepts, seed=seed)
    return {"seed": seed, "concepts": {one.concept: said(one) for one in found}}


def small_encoder(concepts: Sequence[Concept], seed: int) -> Network:
    """Two blocks of width 64, with a vocabulary of the concepts' training words."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128)
    return Network(BertModel(config).eval(), encoder(concepts).feed, name=f"encoder {seed}")


def said(one: Natural) -> dict[str, Any]:
    """The figures of one result."""
    return {
        "natural": one.natural,
        "redundant": one.redundant.verdict,
        "parts": sum(p <= 0.05 for p in one.redundant.parts["p"]) / one.n,
        "p of the best part": min(one.redundant.parts["p"]),
        "mediates": one.mediates.verdict,
        "share": one.mediates.value,
        "error": one.mediates.error,
        "p": one.mediates.p,
    }
