"""What the shares of all 32,491 edges of GPT-2-small's shape cost, in seconds against one forward pass, and in memory.

The batch is 4 × 16 tokens. The seconds hold everything from the two batches to the shares: also the pass that reads what
the counterfactuals' parts write. Peak memory is that of a fresh process each, above the loaded network.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

import cutaway as cw
from benchmarks.circuit_judged import ENGINE
from benchmarks.kept import Kept
from benchmarks.networks import gpt2_small
from benchmarks.timing import interleave
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.share import Shares, shares
from cutaway.decisions.graph.graph import graph
from cutaway.network import wrap
from cutaway.submodels import Baseline

DEPENDS = (*ENGINE, "decisions/circuit", "circuit_cost.py", "networks.py")
MINUTES = 1.0
ROWS, LENGTH = 4, 16
ROUNDS = 5  # at least: seconds of a shared machine


class Work:
    """The network, two batches of random tokens, and what is timed on them."""

    def __init__(self) -> None:
        self.model = gpt2_small()
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        draw = torch.Generator().manual_seed(0)
        ids, others = (torch.randint(0, 50257, (ROWS, LENGTH), generator=draw) for _ in range(2))
        self.ids, self.net = ids, wrap(self.model)
        decision = cw.Decision({"input_ids": ids}, answer=[1] * ROWS, instead=[2] * ROWS)
        self.posed, self.others = decision.pose(self.net), self.net.batch({"input_ids": others})
        self.graph = graph(self.net, self.posed.batch)

    def forward(self) -> None:
        """One plain forward pass, all logits."""
        with torch.no_grad():
            self.model(self.ids)

    def forward_backward(self) -> None:
        """A plain forward pass and the gradient of one logit at the embeddings."""
        embedded = self.model.transformer.wte(self.ids).requires_grad_()  # ty: ignore
        self.model(inputs_embeds=embedded).logits[:, -1, 1].sum().backward()

    def shares(self, strata: int) -> Shares:
        """The shares of every edge, and the pass for the stand-ins."""
        sites = self.graph.sites
        read = self.net.read(self.others, *sites)
        values = Baseline("counterfactual", ({site: read[str(site)] for site in sites},))
        return shares(Cutter(self.net, self.posed, self.graph, values), strata)


def measure(kept: Kept, repetitions: int) -> None:
    """Seconds in rounds, then the peaks of memory."""
    work = Work()
    work.shares(1)  # once for a network: how its heads' queries, keys and values are made
    timed = {
        "forward": work.forward,
        "forward + backward": work.forward_backward,
        "K = 1": lambda: work.shares(1),
        "K = 5": lambda: work.shares(5),
    }
    interleave(kept, "4x16", timed, max(ROUNDS, repetitions), lambda: facts(work), calls=2)
    known = kept.setting("memory")
    known["facts"] = {f"bytes, {name}": peak(do) for name, do in timed.items()}
    kept.write()


def facts(work: Work) -> dict[str, Any]:
    """What was scored, and how completely."""
    found = work.shares(5)
    return {
        "edges": len(work.graph),
        "passes at K = 5": [found.forward, found.backward],
        "completeness error at K = 5": found.completeness,
        "finite": bool(torch.isfinite(found.score).all()),
    }


def peak(work: Callable[[], object]) -> int:
    """Bytes of tensors held at the worst moment, above those held before: counted exactly, and the same on every machine.

    The resident size of the process says the same where the system leaves it alone, and less where it takes pages back.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        work()
    events = [event for event in watched.profiler.kineto_results.events() if event.name() == "[memory]"]
    events.sort(key=lambda event: event.start_ns())
    return max(accumulate((event.nbytes() for event in events), initial=0))
