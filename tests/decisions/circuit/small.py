"""A small random network with matched prompts, and its edges ready to be cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

import cutaway as cw
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.graph.graph import graph
from cutaway.network import Network
from cutaway.organisms.compiled import Organism
from cutaway.organisms.opening import open_compiled
from cutaway.submodels import baseline
from cutaway.submodels.baseline import Kind
from cutaway.training.transformer import Shape, Transformer

SHAPE = Shape(vocab=11, context=8, width=16, layers=3, heads=2, d_head=8, hidden=12)


def cutter(
    seed: int = 0,
    rows: int = 5,
    dtype: torch.dtype = torch.float64,
    kind: Kind = "counterfactual",
    gain: float = 2.0,
    **changed: Any,
) -> Cutter:
    """Random prompts and matched random prompts on a random network whose weights are large enough to matter."""
    drawn = torch.Generator().manual_seed(seed)
    network = Transformer(replace(SHAPE, **changed), seed).to(dtype).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(gain)
    ids, others = (torch.randint(0, SHAPE.vocab, (rows, 6), generator=drawn) for _ in range(2))
    net = cw.open(network, reference={"input_ids": torch.randint(0, SHAPE.vocab, (40, 6), generator=drawn)})
    decision = cw.Decision({"input_ids": ids}, answer=1, instead=2, counterfactual={"input_ids": others})
    return ready(net, decision, kind)


def ready(net: Network, decision: cw.Decision, kind: Kind = "counterfactual") -> Cutter:
    """The cutter of a decision."""
    posed = decision.pose(net)
    found = graph(net, posed.batch)
    values = baseline(net, posed.batch, found.sites, kind, counterfactual=decision.counterfactual)
    return Cutter(net, posed, found, values)


def of_organism(organism: Organism, kind: Kind = "counterfactual") -> Cutter:
    """The cutter of a compiled organism's own decisions."""
    decision = cw.Decision(
        torch.tensor(organism.prompts),
        answer=list(organism.answers),
        instead=list(organism.instead),
        counterfactual=torch.tensor(organism.counterfactuals),
    )
    return ready(open_compiled(organism), decision, kind)
