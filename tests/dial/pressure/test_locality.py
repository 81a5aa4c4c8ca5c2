"""Locality: which weights lie between groups, and that pressure moves mass inside them."""

from dataclasses import replace

import pytest
import torch
from tests.dial.small import RECIPE, SHAPE, TOKENS, network

from cutaway.dial.pressure import Locality
from cutaway.dial.train import train
from cutaway.training.transformer import Shape, Transformer


def across(trained) -> float:
    return Locality(4).report(trained.network)["between groups"]["all"]


def test_a_network_of_weights_one_has_all_but_one_group_of_its_mass_between_groups():
    net = network()
    with torch.no_grad():
        for weight in net.parameters():
            weight.fill_(1)
    assert set(Locality(4).report(net)["between groups"].values()) == {0.75}
    assert set(Locality(2).report(net)["between groups"].values()) == {0.5}


def test_only_weights_within_groups_cost_nothing():
    net = network()
    with torch.no_grad():
        for name in ("query", "key", "value", "out"):
            weight = getattr(net.blocks[0].attn, name).weight
            weight.copy_(torch.block_diag(*[torch.ones(4, 4)] * 4))
        net.blocks[0].mlp.up.weight.copy_(torch.block_diag(*[torch.ones(6, 4)] * 4))
        net.blocks[0].mlp.down.weight.copy_(torch.block_diag(*[torch.ones(4, 6)] * 4))
    assert Locality(4).report(net)["between groups"]["all"] == 0
    assert Locality(4, weight=2.0).loss(net, None, None, None).item() == 0
    with torch.no_grad():
        net.blocks[0].mlp.up.weight[0, 4] = -3
    assert Locality(4, weight=2.0).loss(net, None, None, None).item() == pytest.approx(6)


def test_mass_between_groups_falls_with_the_pressure():
    recipe = replace(RECIPE, steps=40)
    found = [across(train(network(), TOKENS, recipe, pressures)) for pressures in ((), (Locality(4, 1e-2),))]
    assert found[0] == pytest.approx(0.75, abs=0.05)
    assert found[1] < 0.55


def test_groups_that_do_not_divide_the_network_are_refused():
    with pytest.raises(ValueError, match="groups is 3; expected a divisor of the network's 4 heads"):
        train(network(), TOKENS, RECIPE, (Locality(3),))
    with pytest.raises(ValueError, match=r"groups is 4; blocks.0.mlp.up.weight is \(26, 16\), which it must divide"):
        train(network(shape=replace(SHAPE, hidden=26)), TOKENS, RECIPE, (Locality(4),))
    with pytest.raises(ValueError, match="groups is 1; expected at least 2"):
        Locality(1)
    with pytest.raises(ValueError, match=r"Locality.weight is -1"):
        Locality(weight=-1.0)


def test_another_transformer_is_grouped_by_its_heads_too():
    other = Transformer(Shape(vocab=11, context=8, width=16, layers=1, heads=2, d_head=4, hidden=24))
    assert 0.3 < Locality(2).report(other)["between groups"]["all"] < 0.7
