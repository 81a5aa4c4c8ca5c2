"""Training with sparse layers is training: the same network but for rounding, resumed to the bit, dense again at its end."""

from dataclasses import replace

import pytest
import torch
from tests.dial.small import RECIPE, TOKENS, KillAfter, KilledError, network, same
from torch import nn

from cutaway.dial.pressure import Distil, Locality, Proximal, Regrowth, TopK
from cutaway.dial.sparse import choice
from cutaway.dial.sparse.on_support import OnSupport
from cutaway.dial.train import Pressed, one_step, train
from cutaway.dial.transformer import SparseShape
from cutaway.training.loop import adamw

METHOD = Regrowth(0.25, every=3)
LONG = replace(RECIPE, steps=16, context=40)
SHAPE = SparseShape(vocab=11, context=40, width=16, layers=1, d_head=4)
LAYERS = ["query", "key", "value", "out", "up", "down", "unembed"]


@pytest.fixture
def winning(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every layer were faster sparse."""
    monkeypatch.setattr(choice, "wins", lambda *sizes: True)


def run(pressures, kernels, steps=16):
    """The network, its supports and its losses after some steps, and how often a layer computed sparsely."""
    pressed, losses, sparse = Pressed(network(shape=SHAPE), pressures), [], 0
    optimiser = adamw(pressed, LONG)
    with pressed.sparsely(LONG, kernels) as pressed.layers:
        for number in range(steps):
            torch.manual_seed(7000 + number)
            losses.append(one_step(pressed, optimiser, LONG.windows.draw(TOKENS, 4, 40), LONG, number))
            sparse += sum(layer.sparse is not None for layer in pressed.layers.each.values())
    return pressed, losses, sparse


@pytest.mark.parametrize(
    "pressures", [(METHOD,), (METHOD, Locality(weight=1e-2), Proximal(0.1), Distil(network(7009, SHAPE).eval()))]
)
def test_the_same_network_is_trained_but_for_rounding(winning, pressures):
    (dense, expected, none), (sparse, losses, often) = (run(pressures, kernels) for kernels in ("dense", "fastest"))
    assert (none, often) == (0, 13 * len(LAYERS))  # all steps but 3, 6 and 9, which exchange
    assert losses == pytest.approx(expected, rel=1e-4) and losses != expected
    for one, other in zip(dense.supports.buffers(), sparse.supports.buffers()):
        assert torch.equal(one, other)
    for one, other in zip(dense.network.parameters(), sparse.network.parameters()):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-4)


def test_dead_weights_get_their_gradient_where_weights_are_exchanged_and_only_there(winning):
    pressed = Pressed(network(shape=SHAPE), (METHOD,))
    asked = []

    class Seen(Regrowth):
        def before_step(self, network, supports, optimiser, step):
            weight, alive = network.blocks[0].mlp.up.weight, supports.get_buffer("blocks/0/mlp/up/weight")
            asked.append(bool(weight.grad[~alive].count_nonzero()))
            super().before_step(network, supports, optimiser, step)

    run((Seen(0.25, every=3),), "fastest")
    assert [number for number, dead in enumerate(asked) if dead] == [3, 6, 9]
    assert pressed.layers.each == {}


def test_a_killed_run_resumes_to_the_identical_network(winning, tmp_path):
    start = network(shape=SHAPE)
    whole = train(start, TOKENS, LONG, (METHOD,))
    with pytest.raises(KilledError):
        train(start, TOKENS, LONG, (METHOD,), tmp_path, KillAfter(9), every=4)
    with pytest.raises(ValueError, match="another pressures"):
        train(start, TOKENS, LONG, (METHOD,), tmp_path, kernels="dense")
    resumed = train(start, TOKENS, LONG, (METHOD,), tmp_path, every=4)
    assert same(resumed.network, whole.network)
    assert (resumed.losses, resumed.report) == (whole.losses, whole.report)


def test_what_was_trained_is_an_ordinary_network_and_the_report_names_what_was_sparse(winning):
    start = network(shape=SHAPE)
    found = train(start, TOKENS, LONG, (METHOD,))
    assert [name.rpartition(".")[2] for name in found.report["sparse layers"]] == LAYERS
    assert [name for name, _ in found.network.named_parameters()] == [name for name, _ in start.named_parameters()]
    assert not [one for one in found.network.modules() if isinstance(one, OnSupport)]
    assert type(found.network.blocks[0].mlp.up) is nn.Linear and not found.network.blocks[0].mlp.up.training


def test_layers_are_dense_again_where_training_fails(winning):
    pressed = Pressed(network(shape=SHAPE), (METHOD,))
    with pytest.raises(RuntimeError, match="halted"), pressed.sparsely(LONG, "fastest"):
        assert isinstance(pressed.network.blocks[0].mlp.up, OnSupport)
        raise RuntimeError("halted")
    assert type(pressed.network.blocks[0].mlp.up) is nn.Linear


@pytest.mark.parametrize("pressures", [(), (TopK(0.25),), (METHOD,)])
def test_without_a_layer_that_wins_training_is_bit_for_bit_the_dense_one(pressures):
    found, dense = (train(network(), TOKENS, RECIPE, pressures, kernels=kernels) for kernels in ("fastest", "dense"))
    assert same(found.network, dense.network) and found.losses == dense.losses
    assert "sparse layers" not in found.report


def test_only_layers_that_win_at_their_share_in_the_end_are_sparse(monkeypatch):
    asked = {}

    def wins(rows, columns, tokens, share, device):
        asked[rows, columns] = (tokens, share)
        return (rows, columns) == (64, 16)

    monkeypatch.setattr(choice, "wins", wins)
    pressed = Pressed(network(shape=SHAPE), (replace(METHOD, first=0.01),))
    with pressed.sparsely(LONG, "fastest") as layers:
        assert list(layers.each) == ["blocks.0.mlp.up"]
    assert asked[64, 16] == (4 * 40, 0.25)
