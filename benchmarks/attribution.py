"""First-order scores of every head, MLP and neuron at once: two forward passes and one backward, whatever their number.

The network has GPT-2-small's shape, the batch 8 × 16 tokens: 144 heads, 12 MLPs, 36864 neurons, at every position. The
second forward pass reads the baseline's values on other inputs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.heads import gpt2_heads
from benchmarks.kept import Kept
from benchmarks.timing import interleave
from cutaway.ledger import count_flops
from cutaway.network import gradients

DEPENDS = ("network", "attribution.py", "heads.py", "networks.py")
MINUTES = 0.5
SITES = ("z.*", "mlp_out.*", "mlp_act.*")


def measure(kept: Kept, repetitions: int) -> None:
    """One setting."""
    heads = gpt2_heads(8, 16)
    other = {"input_ids": heads.inputs["input_ids"].flip(1)}
    net = heads.net

    def attribute() -> dict[str, Tensor]:
        found = gradients(net, heads.inputs, SITES, heads.metric)
        baseline = net.read(other, *SITES)
        return {
            site: (g * (baseline[site] - found.value[site])).sum(-1)
            if site.startswith("z")
            else g * (baseline[site] - found.value[site])
            for site, g in found.gradient.items()
        }

    def facts() -> dict:
        found = attribute()
        heads_scored = sum(score.shape[2] for site, score in found.items() if site.startswith("z"))
        neurons = sum(score.shape[2] for site, score in found.items() if site.startswith("mlp_act"))
        flops = {"forward": count_flops(heads.forward), "attribution": count_flops(attribute)}
        return {
            "heads": heads_scored,
            "neurons": neurons,
            "finite": all(bool(torch.isfinite(s).all()) for s in found.values()),
            "flops": flops,
        }

    interleave(kept, "8x16", {"forward": heads.forward, "attribution": attribute}, max(5, repetitions), facts, calls=3)
