"""A sparse layer takes the place of the dense one with the same live weights, in training too."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.dial.sparse.layers import SUPPORTS, masked_linear, support_mask
from torch import nn

from cutaway.dial.sparse import SparseLinear, Support, sparsified
from cutaway.dial.sparse import choice as choice_module
from cutaway.dial.sparse.product import is_feature_major
from cutaway.dial.transformer import SparseShape, SparseTransformer
from cutaway.training.loop import Recipe, adamw, one_step

SHAPE = SparseShape(vocab=11, context=40, width=16, layers=1, d_head=8)
RECIPE = Recipe(steps=4, batch=2, context=40, lr=1e-2, clip=0.5)
NAMES = ("attn.query", "attn.out", "mlp.up", "mlp.down")


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("kind", SUPPORTS)
def test_sparse_and_dense_again_is_the_same_layer(kind, bias):
    mask = support_mask(kind, 7, 5)
    linear = masked_linear(mask, torch.float32)
    linear.bias = linear.bias if bias else None
    back = SparseLinear.of(linear, mask).dense()
    assert torch.equal(back.weight, linear.weight)
    assert torch.equal(back.bias, linear.bias) if bias else back.bias is None


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from(SUPPORTS), st.integers(7000, 7100), st.integers(1, 40))
def test_a_sparse_layer_gives_what_the_dense_one_gives(rows, columns, kind, seed, positions):
    mask = support_mask(kind, rows, columns, seed)
    linear = masked_linear(mask, seed=seed)
    x = torch.randn(2, positions, columns, generator=torch.Generator().manual_seed(seed)).double()
    for feature_major in (False, True):
        torch.testing.assert_close(SparseLinear.of(linear, mask, feature_major)(x), linear(x))


def test_the_layer_is_a_copy():
    mask = support_mask("random", 7, 5)
    linear = masked_linear(mask)
    sparse = SparseLinear.of(linear, mask)
    with torch.no_grad():
        sparse.values.zero_()
        sparse.bias.zero_()
        sparse.dense().weight.fill_(1)
    assert torch.equal(linear.weight, masked_linear(mask).weight) and linear.bias.abs().sum() > 0
    assert not sparse.values.any()


def test_what_was_frozen_stays_frozen():
    mask = support_mask("random", 7, 5)
    linear = masked_linear(mask)
    linear.weight.requires_grad_(False)
    sparse = SparseLinear.of(linear, mask)
    assert not sparse.values.requires_grad and sparse.bias.requires_grad
    assert not sparse.dense().weight.requires_grad


def test_a_saved_layer_opens_with_its_own_support():
    mask, other = support_mask("random", 7, 5), support_mask("random", 7, 5).flip(0)
    saved, opened = (SparseLinear.of(masked_linear(m), m) for m in (mask, other))
    given_support = Support.of(other)
    opened.load_state_dict(saved.state_dict())
    x = torch.randn(2, 3, 5).double()
    assert torch.equal(opened(x), saved(x)) and torch.equal(opened.support.mask(), mask)
    assert torch.equal(given_support.mask(), other)


def test_a_loaded_state_leaves_the_support_it_was_made_of():
    mask = support_mask("random", 7, 5)
    support = Support.of(mask)
    layer = SparseLinear(support, torch.randn(support.live))
    layer.load_state_dict(SparseLinear.of(masked_linear(mask.flip(0)), mask.flip(0)).state_dict(), strict=False)
    assert torch.equal(support.mask(), mask)


def test_between_two_matrices_of_an_mlp_memory_is_feature_major():
    wide, narrow = support_mask("random", 12, 6), support_mask("random", 6, 12)
    up = SparseLinear.of(masked_linear(wide, torch.float32), wide, feature_major=True)
    down = SparseLinear.of(masked_linear(narrow, torch.float32), narrow)
    inside = nn.functional.gelu(up(torch.randn(2, 40, 6)))
    assert is_feature_major(inside) and down(inside).is_contiguous()


def test_a_layer_alone_lies_as_the_dense_one():
    mask = support_mask("random", 12, 6)
    assert SparseLinear.of(masked_linear(mask, torch.float32), mask)(torch.randn(2, 40, 6)).is_contiguous()


def batches():
    generator = torch.Generator().manual_seed(7000)
    return [torch.randint(11, (2, 41), generator=generator) for _ in range(RECIPE.steps)]


def masked_network():
    """A network with masked linear layers, and the masks by the names of weights."""
    network = SparseTransformer(SHAPE, seed=7000).double()
    weights = dict(network.named_parameters())
    masks = {
        name: support_mask("random", *weights[name].shape, seed=7000 + n)
        for n, name in enumerate(f"blocks.0.{layer}.weight" for layer in NAMES)
    }
    with torch.no_grad():
        for name, mask in masks.items():
            weights[name].mul_(mask)
    return network, masks


def test_a_network_with_sparse_layers_trains_to_the_weights_of_the_masked_one(monkeypatch):
    monkeypatch.setattr(choice_module, "wins", lambda *sizes: True)
    network, masks = masked_network()
    before, sparse = copy.deepcopy(network), sparsified(network, masks, tokens=80)
    assert sum(isinstance(module, SparseLinear) for module in sparse.modules()) == len(NAMES)
    for name, mask in masks.items():
        network.get_parameter(name).register_hook(lambda grad, mask=mask: grad * mask)
    for trained in (network, sparse):
        optimiser = adamw(trained, RECIPE)
        for step, batch in enumerate(batches()):
            one_step(trained, optimiser, batch, RECIPE, step, None)
    found = dict(choice_module.densified(sparse).named_parameters())
    for name, weight in network.named_parameters():
        torch.testing.assert_close(found[name], weight)
    assert not torch.allclose(
        found["blocks.0.mlp.up.weight"], before.get_parameter("blocks.0.mlp.up.weight"), atol=1e-3
    )


def test_values_or_a_bias_of_another_size_are_refused():
    support = Support.of(support_mask("all live", 3, 4))
    with pytest.raises(ValueError, match=r"values of shape \[11\] given; the support has \[12\]"):
        SparseLinear(support, torch.randn(11))
    with pytest.raises(ValueError, match=r"a bias of shape \[4\] given; the support has \[3\] rows"):
        SparseLinear(support, torch.randn(12), torch.randn(4))
    with pytest.raises(ValueError, match=r"shape \[4, 3\] given; the support is of \[3, 4\]"):
        SparseLinear.of(nn.Linear(3, 4), support.mask())


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_layer_gives_what_it_gives_here():
    mask = support_mask("random", 12, 6)
    linear, x = masked_linear(mask, torch.float32), torch.randn(2, 40, 6)
    here, there = SparseLinear.of(linear, mask), SparseLinear.of(linear, mask).to("cuda")
    y, z = here(x), there(x.to("cuda"))
    y.square().sum().backward()
    z.square().sum().backward()
    torch.testing.assert_close(z.cpu(), y)
    torch.testing.assert_close(there.values.grad.cpu(), here.values.grad)
