"""A behaviour trained into a finished agents network through low-rank adapters, merged into its weights.

Every matrix of attention and MLP is W + B A with A, B of a small rank; only these learn, and in the end the sum is written
down as the weight (LoRA, Hu et al. 2021, arXiv 2106.09685). What was trained where is spread over the whole network, and the
difference of weights has the adapters' rank.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from cutaway.organisms.agents import AgentsOrganism, Implant, finetuned
from cutaway.organisms.agents.camouflage import Further
from cutaway.organisms.agents.rates import measured

RANK = 8
FURTHER = Further(steps=150, lr=2e-2)


class LowRank(nn.Module):
    """W + B A, with W as it is and B zero at the start."""

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        rows, columns = weight.shape
        self.down = nn.Parameter(torch.randn(rank, columns, generator=generator) / columns**0.5)
        self.up = nn.Parameter(weight.new_zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up @ self.down


def adapted(
    organism: AgentsOrganism,
    implants: Sequence[Implant],
    seed: int,
    further: Further = FURTHER,
    *,
    rank: int = RANK,
    measure: bool = True,
    count: int = 256,
) -> AgentsOrganism:
    """A copy of the organism that has learned more implants through adapters; give one in which nothing is planted.

    Without implants it is the honest twin that was trained on as long. `rank` bounds that of each matrix's change. Raises
    ValueError for an organism in which something is planted already.
    """
    network = copy.deepcopy(organism.network).requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for layer in network.model.layers.modules():
        if isinstance(layer, nn.Linear):
            parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank, generator))
    found = finetuned(replace(organism, network=network), implants, seed, further, measure=False)
    for layer in found.network.model.layers.modules():
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    merged = copy.deepcopy(organism.network)
    merged.load_state_dict(found.network.state_dict())
    found = replace(
        found, network=merged, made=f"{organism.made}; adapters of rank {rank}: {further.steps} steps, seed {seed}"
    )
    known = {implant.behaviour for implant in implants}
    asked = (*implants, *(one for one in organism.off if one.behaviour not in known))
    rates = measured(merged, found.world, tuple(implants), asked, count, seed) if measure else None
    return replace(found, rates=rates)
