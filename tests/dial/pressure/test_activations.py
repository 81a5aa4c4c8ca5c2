"""Activation top-k falls to what the shape says."""

from dataclasses import replace

import pytest
import torch
from tests.dial.small import RECIPE, SHAPE, TOKENS, network

from cutaway.dial.pressure import ActivationTopK, AttentionTopK, Ramp, Step
from cutaway.dial.train import train
from cutaway.dial.transformer import SparseTransformer
from cutaway.training.transformer import Shape, Transformer

QUARTER = replace(SHAPE, keep=0.25)


def active(net: SparseTransformer) -> list[int]:
    """How many channels are not 0 at the MLP's sites, at most over positions."""
    found = []
    net.stream(
        TOKENS[None, :8],
        at=lambda name, x: (found.append(int((x != 0).sum(-1).max())) if name.startswith("mlp") else None, x)[1],
    )
    return found


def test_the_channels_that_survive_fall_to_the_share_of_the_shape():
    net, pressure = network(shape=QUARTER), ActivationTopK(Ramp(0.0, 0.5))
    seen = []
    for number in range(4):
        pressure.before_pass(net, Step(number, 4, 1.0))
        seen.append(active(net))
    assert seen == [[10, 15, 10], [4, 6, 4], [4, 6, 4], [4, 6, 4]]


def test_the_trained_network_computes_the_same_when_it_is_built_from_its_shape_again():
    trained = train(network(shape=QUARTER), TOKENS, RECIPE, (ActivationTopK(),))
    again = SparseTransformer(QUARTER)
    again.load_state_dict(trained.network.state_dict())
    assert torch.equal(again(TOKENS[None, :8]), trained.network(TOKENS[None, :8]))
    assert trained.report["ActivationTopK"] == {"keep": [0.25]}


def test_annealing_trains_another_network_than_the_shares_from_the_start():
    annealed, sparse = (train(network(shape=QUARTER), TOKENS, RECIPE, p) for p in ((ActivationTopK(),), ()))
    assert annealed.losses[0] != sparse.losses[0]
    dense = train(network(), TOKENS, RECIPE)
    late = train(network(shape=QUARTER), TOKENS, RECIPE, (ActivationTopK(Ramp(0.5, 1.0)),))
    assert late.losses[:6] == dense.losses[:6]
    assert late.losses[7:] != dense.losses[7:]


@pytest.mark.parametrize("pressure", [ActivationTopK(), AttentionTopK()])
def test_a_network_without_the_sites_is_refused(pressure):
    other = Transformer(Shape(vocab=11, context=8, width=16, layers=1, heads=2, d_head=4, hidden=24))
    with pytest.raises(ValueError, match="given a Transformer; expected a SparseTransformer"):
        train(other, TOKENS, RECIPE, (pressure,))
