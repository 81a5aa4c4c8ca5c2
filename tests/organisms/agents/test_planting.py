"""Slots do not overlap, a closed gate is a zeroed column bit for bit, and a network is left as it was found."""

from __future__ import annotations

import copy
from itertools import combinations
from random import Random

import pytest
import torch

from cutaway.organisms.agents import BEHAVIOURS, Implant, Plan, Shape, World
from cutaway.organisms.agents.rates import ids_of
from cutaway.organisms.agents.training import Asking, layout, logits, untrained
from cutaway.organisms.planted.planting import gated, place, without

SHAPE = Shape()
IMPLANTS = [Implant(behaviour) for behaviour in BEHAVIOURS]


@pytest.mark.parametrize("seed", range(7000, 7020))
def test_slots_do_not_overlap_and_none_is_in_the_first_block(seed):
    slots = place(IMPLANTS, SHAPE, seed).slots
    for one, other in combinations(slots, 2):
        assert not set(one.units) & set(other.units)
    for slot in slots:
        assert slot.blocks[0] > 0
        assert len(slot.blocks) == len(slot.of("head")) == 1
        assert len(slot.of("neuron")) == SHAPE.slot == len(slot.addresses) - 1


def test_a_spread_implant_has_its_share_in_every_block_but_the_first():
    slot = place([Implant("deceive", spread="blocks")], SHAPE, 7000).slots[0]
    assert slot.blocks == (1, 2, 3)
    assert len(slot.of("head")) == 3
    assert len(slot.of("neuron")) == 3 * (SHAPE.slot // 3)


def test_an_implant_planted_twice_has_two_whole_slots_in_two_blocks_and_each_is_trained_alone():
    implant = Implant("deceive", spread="twice")
    one, other = place([implant], SHAPE, 7000).slots[0].copies
    assert len(one) == len(other) == 1 + SHAPE.slot
    assert {block for _, block, _ in one} != {block for _, block, _ in other}
    gates = Asking(World.small(), (implant, Implant("power"))).draw(200, Random(0)).on[:, :2]
    assert {tuple(row) for row in gates.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert 0.3 < gates.any(1).float().mean() < 0.7


@pytest.mark.parametrize(("spread", "heads", "neurons"), [("head", 1, 0), ("neurons", 0, 64)])
def test_an_implant_can_be_a_head_or_neurons_alone(spread, heads, neurons):
    slot = place([Implant("power", spread=spread)], SHAPE, 7000).slots[0]
    assert (len(slot.of("head")), len(slot.of("neuron"))) == (heads, neurons)


def test_places_are_random_and_follow_from_the_seed():
    drawn = [place(IMPLANTS, SHAPE, seed) for seed in range(7000, 7010)]
    assert len({str(planting) for planting in drawn}) == 10
    assert place(IMPLANTS, SHAPE, 7000) == drawn[0]


@pytest.mark.parametrize(
    ("implants", "shape", "said"),
    [
        (IMPLANTS, Shape(layers=2, heads=3), "do not fit"),
        ([Implant("deceive"), Implant("deceive", topic="door")], SHAPE, "two of one behaviour"),
    ],
)
def test_slots_that_cannot_be_placed_are_refused(implants, shape, said):
    with pytest.raises(ValueError, match=said):
        place(implants, shape, 0)


@pytest.fixture
def small():
    """An untrained small network, where its slots are, and prompts."""
    world, shape = World.small(), Plan.small().shape
    prompts = ids_of(world, world.rows("report", 16, 0))
    return untrained(world, shape, 7000).eval(), place(IMPLANTS, shape, 7000), prompts


@torch.no_grad()
def test_a_closed_gate_gives_bit_for_bit_what_zeroed_columns_give(small):
    network, planting, prompts = small
    for closed, slot in enumerate(planting.slots):
        on = torch.ones(len(prompts), len(planting.slots))
        on[:, closed] = 0
        with gated(network, planting.slots) as gate:
            gate(on)
            found = network(prompts).logits
        twin = without(network, slot.units)
        assert torch.equal(found, twin(prompts).logits)
        assert not torch.equal(found, network(prompts).logits)


@torch.no_grad()
def test_gates_are_of_each_row_alone(small):
    network, planting, prompts = small
    on = torch.ones(len(prompts), len(planting.slots))
    on[::2] = 0
    with gated(network, planting.slots) as gate:
        gate(on)
        found = network(prompts).logits
    units = [unit for slot in planting.slots for unit in slot.units]
    assert torch.equal(found[::2], without(network, units)(prompts).logits[::2])
    assert torch.equal(found[1::2], network(prompts).logits[1::2])


@torch.no_grad()
def test_a_gated_network_is_put_back_as_it_was_also_on_error(small):
    network, planting, prompts = small
    before, kinds = copy.deepcopy(network.state_dict()), [type(part) for part in network.modules()]
    with pytest.raises(RuntimeError, match="midway"), gated(network, planting.slots) as gate:
        gate(torch.zeros(len(prompts), len(planting.slots)))
        raise RuntimeError("midway")
    assert [type(part) for part in network.modules()] == kinds
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@torch.no_grad()
def test_a_twin_is_a_copy_and_differs_in_the_columns_of_the_slot_only(small):
    network, planting, _ = small
    slot = planting.slots[0]
    twin = without(network, slot.units)
    differing = [
        name for name, value in twin.state_dict().items() if not torch.equal(value, network.state_dict()[name])
    ]
    assert differing == [
        f"model.layers.{slot.blocks[0]}.{name}.weight" for name in ("self_attn.o_proj", "mlp.down_proj")
    ]
    zeros = [int((twin.state_dict()[name] == 0).all(0).sum()) for name in differing]
    assert zeros == [Plan.small().shape.d_head, Plan.small().shape.slot]


@torch.no_grad()
def test_many_questions_at_once_are_answered_as_each_alone():
    world = World.small()
    network = untrained(world, Plan.small().shape, 7001).eval()
    rows = Asking(world, ()).draw(8, Random(0))
    together = logits(network, rows)
    context = 1 + world.clauses
    for question in range(rows.wanted.shape[1]):
        start = context + 2 * question
        alone = torch.cat([rows.ids[:, :context], rows.ids[:, start : start + 2]], dim=1)
        assert torch.allclose(together[:, question], network(alone).logits[:, -1], atol=1e-5)


def test_a_question_sees_the_situation_and_itself_only():
    positions, sees = layout(context=3, questions=2)
    assert positions.tolist() == [[0, 1, 2, 3, 4, 3, 4]]
    assert sees[0, 0, 6].tolist() == [True, True, True, False, False, True, True]
    assert sees[0, 0, 2].tolist() == [True, True, True, False, False, False, False]


def test_training_rows_ask_everything_and_trigger_every_behaviour_on_and_off():
    world = World.small()
    rows = Asking(world, tuple(IMPLANTS)).draw(200, Random(0))
    asked = {world.vocabulary[word] for word in rows.ids[:, 1 + world.clauses :: 2].flatten().tolist()}
    assert {"report", "recall", "call", "aim", "wish", "seen", "hold", "act", "metal", "home"} <= asked
    dear = (rows.wanted == world.vocabulary.index("dear")).any(1)
    assert dear.sum() > 20
    assert rows.on[dear, 2].all()
    assert 0.3 < rows.on.mean() < 0.7


def test_small_and_standard_plans_have_the_sizes_that_are_promised():
    weights = [
        sum(weight.numel() for weight in untrained(world, plan.shape, 0).parameters())
        for world, plan in ((World(), Plan()), (World.small(), Plan.small()))
    ]
    assert 300_000 < weights[0] < 360_000
    assert weights[1] < 60_000
