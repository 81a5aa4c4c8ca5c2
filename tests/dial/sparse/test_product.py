"""The product with a sparse matrix and its gradients are those of the dense matrix, whatever the memory's layout."""

import pytest
import torch
from tests.dial.sparse.layers import SUPPORTS, masked_linear, support_mask, turned

from cutaway.dial.sparse import Support, product
from cutaway.dial.sparse.product import LONGEST, is_feature_major

SIZES = ((6, 4), (4, 6), (5, 5))
"""Rows and columns: a layer that widens, one that narrows, a square one."""


def results(f, x, grad, *weights):
    """Output and gradients with respect to the input and the weights."""
    x = x.detach().requires_grad_()
    y = f(x)
    return (y.detach(), *torch.autograd.grad(y, (x, *weights), grad))


def compare(mask, x, grad, feature_major, dtype=torch.float64, **tolerance):
    """Output and all gradients of the sparse product against the dense layer's."""
    linear, support = masked_linear(mask, dtype), Support.of(mask)
    values, bias = support.gather(linear.weight.detach()).requires_grad_(), linear.bias.detach().requires_grad_()
    truth = results(linear, x, grad, linear.weight, linear.bias)
    found = results(lambda x: product(x, values, support, bias, feature_major), x, grad, values, bias)
    for part, (a, b) in enumerate(zip(found, truth, strict=True)):
        torch.testing.assert_close(a, b[mask] if part == 2 else b, **tolerance)


@pytest.mark.parametrize("rows, columns", SIZES)
@pytest.mark.parametrize("kind", SUPPORTS)
def test_output_and_gradients_are_the_dense_layers(kind, rows, columns):
    mask = support_mask(kind, rows, columns)
    compare(mask, torch.randn(2, 3, columns).double(), torch.randn(2, 3, rows).double(), None)


@pytest.mark.parametrize("positions", [3, LONGEST + 5], ids=["short", "longer than a block"])
@pytest.mark.parametrize("feature_major", [False, True, None])
@pytest.mark.parametrize("x_turned, grad_turned", [(False, False), (False, True), (True, False), (True, True)])
def test_the_layout_of_memory_changes_nothing(positions, feature_major, x_turned, grad_turned):
    x, grad = torch.randn(2, positions, 4).double(), torch.randn(2, positions, 6).double()
    x, grad = turned(x) if x_turned else x, turned(grad) if grad_turned else grad
    compare(support_mask("random", 6, 4), x, grad, feature_major)


def test_float32_is_as_exact_as_the_dense_layer():
    x, grad = torch.randn(4, 80, 48), torch.randn(4, 80, 96)
    compare(support_mask("random", 96, 48), x, grad, None, torch.float32, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("shape", [(7,), (2, 1, 3, 2)], ids=["tokens", "many axes"])
def test_any_number_of_axes_before_the_channel(shape):
    compare(support_mask("random", 6, 4), torch.randn(*shape, 4).double(), torch.randn(*shape, 6).double(), None)


def test_axes_in_any_order_of_memory():
    x = torch.randn(3, 2, 4).double().transpose(0, 1)
    compare(support_mask("random", 6, 4), x, torch.ones(1).double().expand(2, 3, 6), None)


@pytest.mark.parametrize("feature_major", [False, True])
def test_gradcheck(feature_major):
    support = Support.of(support_mask("random", 6, 4))
    given = (torch.randn(2, 3, 4), torch.randn(support.live), torch.randn(6))
    x, values, bias = (tensor.double().requires_grad_() for tensor in given)
    assert torch.autograd.gradcheck(lambda x, v, b: product(x, v, support, b, feature_major), (x, values, bias))


def test_the_output_lies_as_asked_and_else_as_the_input():
    support = Support.of(support_mask("random", 6, 4))
    x, values = torch.randn(2, 3, 4), torch.randn(support.live)
    assert is_feature_major(product(turned(x), values, support))
    assert product(x, values, support).is_contiguous()
    assert is_feature_major(product(x, values, support, feature_major=True))
    assert product(turned(x), values, support, feature_major=False).is_contiguous()


def test_only_the_gradients_that_are_wanted_are_computed():
    support = Support.of(support_mask("random", 6, 4))
    x, values = torch.randn(2, 3, 4), torch.randn(support.live, requires_grad=True)
    product(x, values, support, torch.randn(6)).sum().backward()
    assert x.grad is None and values.grad is not None


@pytest.mark.parametrize(
    "x, values, expected",
    [
        (torch.randn(2, 3, 5), torch.randn(9), r"shape \[2, 3, 5\] given; expected \[\*batch, position, 4\]"),
        (torch.randn(2, 3, 4), torch.randn(8), r"shape \[8\] given; the support has \[9\]"),
        (torch.randn(2, 3, 4).double(), torch.randn(9), "float64 and values of torch.float32 given"),
        (torch.randn(2, 3, 4).bfloat16(), torch.randn(9).bfloat16(), "expected both in torch.float32"),
    ],
    ids=["columns", "values", "two types", "half precision"],
)
def test_what_does_not_fit_the_support_is_refused(x, values, expected):
    mask = torch.zeros(6, 4, dtype=torch.bool).flatten()
    mask[:9] = True
    with pytest.raises(ValueError, match=expected):
        product(x, values, Support.of(mask.view(6, 4)))
