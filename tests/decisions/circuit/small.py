"""A small random network with matched prompts, its edges ready to be cut, and what several tests of them share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

import cutaway as cw
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.share import _Shares
from cutaway.decisions.graph.graph import graph
from cutaway.network import Network
from cutaway.organisms.compiled import Organism
from cutaway.organisms.opening import open_compiled
from cutaway.submodels import baseline
from cutaway.submodels.baseline import Kind
from cutaway.training.transformer import Shape, Transformer

if TYPE_CHECKING:
    from tests.network.zoo import Family

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


def of_family(family: Family) -> Cutter:
    """The cutter of three random prompts and matched ones on a network of the zoo."""
    from tests.network import zoo  # transformers: not for the tests that need none

    drawn = torch.Generator().manual_seed(0)
    ids, others = (torch.randint(3, zoo.VOCABULARY, (3, 6), generator=drawn) for _ in range(2))
    return ready(zoo.network(family), cw.Decision(ids, answer=1, instead=2, counterfactual=others))


def slopes(given: Cutter, at: float) -> torch.Tensor:
    """d decision / d strength of every edge, by automatic differentiation of the exact cuts."""
    strengths = torch.full((1, len(given.graph)), at, dtype=given.net.dtype, requires_grad=True)
    with torch.enable_grad():
        return torch.autograd.grad(given.decide(strengths, gradients=True).sum(), strengths)[0][0]


def one_point(given: Cutter, at: float) -> _Shares:
    """The engine of the shares after one point of the path: `score` summed over rows and positions are the same slopes."""
    work = _Shares(given, 0)
    work.look()
    work.add(torch.full((given.posed.batch.rows,), at), 1.0)
    return work


def short_of_memory(monkeypatch: pytest.MonkeyPatch, given: Cutter, rows: int) -> None:
    """From now on the network runs out of memory with more than so many rows."""
    network, forward = given.net.module, type(given.net.module).forward

    def small_forward(input_ids: torch.Tensor, attention_mask: Any = None) -> torch.Tensor:
        if len(input_ids) > rows:
            raise torch.OutOfMemoryError("not that many rows")
        return forward(network, input_ids, attention_mask)

    monkeypatch.setattr(network, "forward", small_forward)
