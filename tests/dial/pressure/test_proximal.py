"""Proximal L1: the soft threshold, and the zeros that it gives."""

import pytest
import torch
from tests.dial.small import RECIPE, TOKENS, network

from cutaway.dial.pressure import Proximal, Step, live
from cutaway.dial.pressure.matrices import matrices
from cutaway.dial.train import train


def test_each_weight_moves_towards_zero_by_rate_times_penalty_and_stops_there():
    net, step = network(), Step(0, 1, 0.1)
    before = [m.weight.clone() for m in matrices(net, ("bigram",))]
    Proximal(0.2).after_step(net, None, None, step)
    for m, old in zip(matrices(net, ("bigram",)), before):
        assert torch.allclose(m.weight, old.sign() * (old.abs() - 0.02).clamp(min=0), atol=1e-7)
        assert torch.equal(m.weight == 0, old.abs() <= 0.02)


def test_a_higher_penalty_leaves_fewer_weights_and_does_not_touch_biases_and_bigrams():
    found = [train(network(), TOKENS, RECIPE, (Proximal(p),)) for p in (0.1, 1.0, 4.0)]
    alive = [one.report["Proximal"]["live"]["up"]["live"] for one in found]
    assert alive[0] > alive[1] > alive[2]
    assert alive[2] == int(found[2].network.blocks[0].mlp.up.weight.count_nonzero())
    plain = live(train(network(), TOKENS, RECIPE).network)
    for kind in ("bias", "bigram", "norm"):
        assert found[1].report["Proximal"]["live"][kind]["live"] == pytest.approx(plain[kind]["live"], abs=12)


@pytest.mark.parametrize("penalty", [-1.0, float("nan"), float("inf")])
def test_a_penalty_that_is_no_penalty_is_refused(penalty):
    with pytest.raises(ValueError, match=r"Proximal.penalty is"):
        Proximal(penalty)
