"""The circuit of an organism, known by brute force: every edge cut alone, then all unused ones together.

A ground truth without its ablation, metric and inputs is none: the same network has another circuit under zeros than
under matched counterfactuals. So `Truth` carries all three. Everything is measured in float64.

What may surprise: a matched counterfactual shows only what it changes (it moves no position and often no key, so heads
that look for a place have no true edge into k); where it swaps two words, a link that carries a word moves half the
decision; and of a first part and its backup, taken away one at a time no part matters, but the link from the first to
their reader does: cut alone, it leaves the backup asleep.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions import Decision
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.graph.graph import graph
from cutaway.network import Network, wrap
from cutaway.organisms.compiled.organism import Organism
from cutaway.organisms.compiled.tokenizer import words
from cutaway.submodels import baseline

Ablation = Literal["counterfactual", "resample", "mean", "zero"]
FLOOR = 0.01
"""An edge that moves no decision by more than this share of the total effect is unused."""
DRAWS = 8
"""Donors of the ablation "resample"."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Which edges the decisions of an organism use, and what that was measured by.

    `effects` are changes of the metric when one edge is cut, by the edge's name as `Graph.name` gives it, for every
    decision (with every donor, under "resample"). `total` is the mean size of the change when all are cut. An edge is in
    `edges` if the size of its effect on some decision, or in the mean, is above `floor` of the total. `complement` is the
    largest change of a decision, as a share of the total, when all other edges are cut at once.
    """

    edges: frozenset[str]
    effects: Mapping[str, Float[Tensor, "decision"]]
    complement: float
    total: float
    ablation: Ablation
    metric: str
    inputs: str
    floor: float

    @property
    def largest_unused(self) -> float:
        """The largest effect of an unused edge on any decision, as a share of the total."""
        return max((self.share(name) for name in self.effects if name not in self.edges), default=0.0)

    @property
    def smallest_used(self) -> float:
        """The smallest effect of a used edge, each on the decision that it moves most, as a share of the total."""
        return min((self.share(name) for name in self.edges), default=float("inf"))

    @property
    def redundant(self) -> bool:
        """Whether the used edges alone do not decide: what single cuts call unused matters together."""
        return self.complement > self.floor

    def share(self, edge: str) -> float:
        """The effect of cutting `edge` on the decision that it moves most, as a share of the total."""
        return self.effects[edge].abs().max().item() / self.total

    def __repr__(self) -> str:
        return (
            f"Truth({len(self.edges)} of {len(self.effects)} edges under {self.ablation}; unused ≤ "
            f"{self.largest_unused:.2g}, used ≥ {self.smallest_used:.2g}, all unused {self.complement:.2g} of the total)"
        )


def truth(organism: Organism, ablation: Ablation = "counterfactual", floor: float = FLOOR, seed: int = 0) -> Truth:
    """The edges that `organism`'s decisions use, by cutting each of them alone.

    `seed` draws the donors of "resample" and "mean" from the reference. One rerun of all decisions per edge.
    """
    cutters = _cutters(organism, ablation, seed)
    names = [cutters.cutter.graph.name(edge) for edge in range(len(cutters.cutter.graph))]
    single = cutters.effects(torch.eye(len(names), dtype=torch.float64))
    total = cutters.effects(torch.ones(1, len(names), dtype=torch.float64)).abs().mean().item()
    used = single.abs().amax(1) > floor * total
    complement = cutters.effects((~used).double()[None]).abs().max().item() / total
    return Truth(
        edges=frozenset(name for name, yes in zip(names, used.tolist()) if yes),
        effects=dict(zip(names, single)),
        complement=complement,
        total=total,
        ablation=ablation,
        metric="logit(answer) − logit(instead) at the last position",
        inputs=_inputs(organism, ablation, seed),
        floor=floor,
    )


def opened(organism: Organism) -> Network:
    """The organism in float64, with its words and its reference."""
    module = copy.deepcopy(organism.network).double()
    return wrap(module, words(organism), organism.reference.tolist(), name=organism.name)


def decision(organism: Organism) -> Decision:
    """All decisions of the organism as one."""
    inputs, others = (torch.tensor(rows) for rows in (organism.prompts, organism.counterfactuals))
    return Decision(
        {"input_ids": inputs},
        answer=list(organism.answers),
        instead=list(organism.instead),
        counterfactual={"input_ids": others},
    )


@dataclass(frozen=True, eq=False)
class _Cutters:
    """Cuts with every donor in turn."""

    cutter: Cutter
    draws: int

    def effects(self, cuts: Float[Tensor, "sets edges"]) -> Float[Tensor, "sets decision"]:
        return torch.cat([self.cutter.effects(cuts, draw) for draw in range(self.draws)], dim=1)


def _cutters(organism: Organism, ablation: Ablation, seed: int) -> _Cutters:
    net, asked = opened(organism), decision(organism)
    posed = asked.pose(net)
    found = graph(net, posed.batch)
    sites = found.sites
    values = baseline(net, posed.batch, sites, ablation, DRAWS, asked.counterfactual, seed)
    return _Cutters(Cutter(net, posed, found, values), values.draws)


def _inputs(organism: Organism, ablation: Ablation, seed: int) -> str:
    """The decisions and what stands in for a writer, in words."""
    others = {
        "counterfactual": "each with its matched counterfactual",
        "resample": f"each with {DRAWS} rows of its reference (seed {seed})",
        "mean": f"with the mean over rows and positions of its reference (seed {seed})",
        "zero": "with zeros",
    }
    return f"the {len(organism.prompts)} prompts of {organism.name}, seed {organism.seed}, {others[ablation]}"
