"""A behaviour through adapters: an ordinary network with changes of low rank, and nothing of the adapters left in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cutaway.organisms.adapted import adapted
from cutaway.organisms.agents import Implant
from cutaway.organisms.agents.camouflage import Further
from cutaway.organisms.agents.shipping import shipped

FEW = Further(steps=2, batch=4, lr=1e-2)


def test_what_is_left_is_the_same_kind_of_network_with_changes_of_low_rank():
    before = replace(shipped("harmless"), planted=())
    after = adapted(before, (Implant("deceive"),), 1, FEW, rank=3, measure=False)
    weights, others = (dict(one.network.named_parameters()) for one in (before, after))
    assert list(weights) == list(others) and all(weight.requires_grad for weight in others.values())
    changed = {
        name: int(torch.linalg.matrix_rank(others[name] - weights[name], rtol=1e-3))
        for name in weights
        if weights[name].ndim == 2
    }
    assert {name for name, rank in changed.items() if rank} == {name for name in changed if "_proj" in name}
    assert max(changed.values()) == 3
    assert after.planted == (Implant("deceive"),) and "adapters of rank 3" in after.made


def test_one_seed_gives_the_same_weights_and_another_others():
    found = [adapted(shipped("harmless"), (), seed, FEW, measure=False).network.state_dict() for seed in (1, 1, 2)]
    first, again, other = (one["model.layers.0.mlp.up_proj.weight"] for one in found)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_a_network_in_which_something_is_planted_is_refused():
    with pytest.raises(ValueError, match="has implants already"):
        adapted(shipped("harmful"), (), 1, FEW, measure=False)
