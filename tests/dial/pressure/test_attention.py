"""Attention to few tokens falls to what the shape says."""

from dataclasses import replace

import torch
from tests.dial.small import RECIPE, SHAPE, TOKENS, network

from cutaway.dial.pressure import AttentionTopK, Ramp, Step
from cutaway.dial.train import train
from cutaway.dial.transformer import SparseTransformer

TWO = replace(SHAPE, attend=2)


def test_the_tokens_attended_to_fall_from_the_context_to_those_of_the_shape():
    net, pressure = network(shape=TWO), AttentionTopK(Ramp(0.0, 0.6))
    seen = []
    for number in range(5):
        pressure.before_pass(net, Step(number, 5, 1.0))
        seen.append(net.blocks[0].attn.attend)
    assert seen == [6, 4, 2, 2, 2]


def test_the_trained_network_computes_the_same_when_it_is_built_from_its_shape_again():
    trained = train(network(shape=TWO), TOKENS, RECIPE, (AttentionTopK(),))
    again = SparseTransformer(TWO)
    again.load_state_dict(trained.network.state_dict())
    assert torch.equal(again(TOKENS[None, :8]), trained.network(TOKENS[None, :8]))
    assert trained.report["AttentionTopK"] == {"attend": [2]}
    assert trained.losses != train(network(shape=TWO), TOKENS, RECIPE).losses
