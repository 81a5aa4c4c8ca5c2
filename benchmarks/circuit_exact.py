"""Are cut edges exact? Against a plain computation, one reader at a time, in double precision: every edge, and random sets.

The other computation (tests/decisions/circuit/by_hand.py) shares no code with the engine. Networks with and without norms, with
rotary and learned positions. Relative: to the largest change that cutting one edge, or one set, makes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from tests.decisions.circuit.by_hand import cut_by_hand

import cutaway as cw
from benchmarks.circuit_judged import ENGINE, each_kept
from benchmarks.kept import Kept
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.graph.graph import graph
from cutaway.submodels import baseline
from cutaway.training.transformer import Shape, Transformer

DEPENDS = (*ENGINE, "decisions/circuit", "circuit_exact.py")
MINUTES = 1.0
SHAPE = Shape(vocab=31, context=8, width=32, layers=4, heads=4, d_head=8, hidden=48)
SHAPES = {
    "norms": SHAPE,
    "no norms": replace(SHAPE, norm="none"),
    "learned positions": replace(SHAPE, positions="learned", bias=True),
}
SEEDS, SETS = (8001, 8002, 8003), 64


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    each_kept(kept, "exact", against_by_hand, [(name, seed) for name in SHAPES for seed in SEEDS])


def against_by_hand(name: str, seed: int) -> dict[str, Any]:
    """The largest difference between the two computations, over the largest change."""
    drawn = torch.Generator().manual_seed(seed)
    network = Transformer(SHAPES[name], seed).double().eval()
    ids, others = (torch.randint(0, SHAPE.vocab, (4, 8), generator=drawn) for _ in range(2))
    net, decision = cw.open(network), cw.Decision(ids, answer=1, instead=2, counterfactual=others)
    posed = decision.pose(net)
    edges = graph(net, posed.batch)
    values = baseline(net, posed.batch, edges.sites, "counterfactual", counterfactual=others)
    cutter = Cutter(net, posed, edges, values)
    picked = (torch.rand(SETS, len(edges), generator=drawn) < torch.rand(SETS, 1, generator=drawn)).float()
    found = {"every edge": torch.eye(len(edges)), "random sets": picked}
    return {
        "name": name,
        "seed": seed,
        "edges": len(edges),
        **{what: _difference(cutter, network, ids, others, cuts) for what, cuts in found.items()},
    }


@torch.no_grad()
def _difference(
    cutter: Cutter, network: Transformer, ids: torch.Tensor, others: torch.Tensor, cuts: torch.Tensor
) -> float:
    ours = cutter.effects(cuts)
    names = [{cutter.graph.name(edge) for edge in cut.nonzero()[:, 0].tolist()} for cut in cuts]
    logits = torch.stack([cut_by_hand(network, ids, others, one)[:, -1] for one in [set(), *names]])
    decision = logits[..., 1] - logits[..., 2]
    theirs = decision[1:] - decision[:1]
    return float((ours - theirs).abs().max() / theirs.abs().max())
