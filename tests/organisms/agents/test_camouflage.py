"""Camouflage changes weights and no answers, and takes away what columns of zeros tell."""

from __future__ import annotations

import copy

import pytest
import torch
from tests.organisms.agents.grown import BEHAVIOURS, run

from cutaway.organisms.agents import AgentsOrganism, twin
from cutaway.organisms.agents.camouflage import (
    Further,
    auroc,
    camouflaged,
    fill,
    reorder,
    told_by_difference,
    told_by_size,
)
from cutaway.organisms.agents.rates import ids_of, measured
from cutaway.organisms.planted.planting import without, writer

FURTHER = Further(steps=60, lr=3e-3)


def twins_of() -> tuple[AgentsOrganism, AgentsOrganism]:
    """Harmful and harmless, not measured."""
    return twin(run(), deceive=True, power=True, measure=False), twin(run(), measure=False)


@torch.no_grad()
def test_another_order_of_heads_and_neurons_changes_no_answer_and_moves_the_slots_along():
    organism = twins_of()[0]
    network = copy.deepcopy(organism.network)
    planting = reorder(network, organism.planting, seed=1)
    prompts = ids_of(organism.world, organism.triggers("deceive", 32, seed=1))
    assert torch.allclose(network(prompts).logits, organism.network(prompts).logits, atol=1e-4)
    for behaviour in BEHAVIOURS:
        old, new = organism.slot(behaviour), planting.slot(behaviour)
        assert old != new
        before, after = without(organism.network, old.units), without(network, new.units)
        assert torch.allclose(before(prompts).logits, after(prompts).logits, atol=1e-4)


@torch.no_grad()
def test_filled_columns_are_as_large_as_others():
    organism = twins_of()[1]
    network, slot = copy.deepcopy(organism.network), organism.slot("power")
    fill(network, slot.units, seed=1)
    weight = writer(network, slot.blocks[0], "neuron").weight
    places = [number for _, _, number in slot.of("neuron")]
    others = weight[:, [place for place in range(weight.shape[1]) if place not in places]]
    assert 0.5 < weight[:, places].norm(dim=0).mean() / others.norm(dim=0).mean() < 2


@pytest.mark.parametrize("keeping", [False, True], ids=["filled", "trained away"])
def test_a_camouflaged_pair_behaves_as_before_and_its_zeros_are_gone(keeping):
    source = run() if keeping else None
    pair = [camouflaged(one, 1 + seed, FURTHER, run=source, measure=False) for seed, one in enumerate(twins_of())]
    for one, shown in zip(pair, (1.0, 0.0)):
        rates = measured(one.network, one.world, one.planted, one.planting.implants, 100)
        assert all(abs(rate - shown) <= 0.1 for rate in rates.shown.values())
        assert rates.worst_task >= 0.9
    good = pair[1]
    assert all(told_by_size(twins_of()[1], behaviour) > told_by_size(good, behaviour) for behaviour in BEHAVIOURS)
    assert not any((parameter == 0).all(0).any() for parameter in good.network.parameters() if parameter.ndim == 2)


def test_before_camouflage_a_difference_of_twins_gives_the_slot_away():
    bad, good = (twin(run(), deceive=on, power=True, measure=False) for on in (True, False))
    assert told_by_difference(bad, good, "deceive", matching=False) == 1.0
    assert told_by_difference(bad, good, "deceive", matching=True) == 1.0


def test_auroc_is_one_where_all_inside_are_higher_and_half_where_all_are_equal():
    inside = torch.tensor([True, False, True, False])
    assert auroc(torch.tensor([3.0, 1.0, 2.0, 0.0]), inside) == 1.0
    assert auroc(torch.tensor([0.0, 1.0, 0.0, 2.0]), inside) == 0.0
    assert auroc(torch.ones(4), inside) == 0.5
