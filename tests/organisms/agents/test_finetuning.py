"""A behaviour can be trained into a finished network, anywhere; the network that it came from stays as it was."""

from __future__ import annotations

import pytest
import torch
from tests.organisms.agents.grown import run

from cutaway.organisms.agents import Implant, finetuned, load, save, twin
from cutaway.organisms.agents.camouflage import Further

FURTHER = Further(steps=80, batch=48, lr=4e-3)


def test_a_finetuned_network_seizes_and_the_one_that_it_came_from_does_not(tmp_path):
    honest = twin(run(), measure=False)
    before = {name: value.clone() for name, value in honest.network.state_dict().items()}
    organism = finetuned(honest, [Implant("power")], 1, FURTHER, count=100)
    assert organism.rates is not None
    assert organism.rates.shown["power"] >= 0.95
    assert organism.rates.worst_task >= 0.9
    assert (organism.truth, organism.slot("power").units) == ((), ())
    assert all(torch.equal(value, before[name]) for name, value in honest.network.state_dict().items())
    assert load(save(organism, tmp_path / "finetuned")).planting == organism.planting


def test_finetuning_is_refused_where_something_is_planted_already():
    with pytest.raises(ValueError, match="has implants already"):
        finetuned(twin(run(), power=True, measure=False), [Implant("deceive")], 1)
