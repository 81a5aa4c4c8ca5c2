"""Useful operations multiply no zero: the same for dense and sparse ways to do the same product."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cutaway.ledger import meter
from cutaway.ledger.useful import pairs

pytestmark = pytest.mark.filterwarnings("ignore:Sparse")
ROWS, INNER, COLUMNS = 6, 8, 5


def sparse(*shape, live=0.3, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draw) * (torch.rand(*shape, generator=draw) < live)


def costs(fn):
    with meter("trace", useful=True) as m:
        fn()
    assert not m.cost.uncounted
    return m.cost.flops, m.cost.useful


def by_hand(a, b):
    """Pairs of numbers that are both not 0, one after another."""
    return sum(bool(a[i, k]) and bool(b[k, j]) for i in range(len(a)) for k in range(len(b)) for j in range(b.shape[1]))


WEIGHT = sparse(ROWS, INNER)
DENSE, EXECUTED = torch.ones(INNER, COLUMNS), 2 * ROWS * INNER * COLUMNS
LIVE = 2 * int(WEIGHT.count_nonzero()) * COLUMNS
WAYS = {"coo": WEIGHT.to_sparse, "csr": WEIGHT.to_sparse_csr, "csc": WEIGHT.to_sparse_csc}


def test_a_dense_product_with_a_sparse_weight_executes_all_and_uses_some():
    assert costs(lambda: WEIGHT @ DENSE) == (EXECUTED, LIVE)
    assert costs(lambda: torch.addmm(torch.ones(COLUMNS), WEIGHT, DENSE)) == (EXECUTED, LIVE)
    assert costs(lambda: F.linear(DENSE.t(), WEIGHT)) == (EXECUTED, LIVE)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("product", [torch.mm, torch.sparse.mm])
def test_a_sparse_product_executes_what_it_stores(way, product):
    stored = WAYS[way]()
    assert costs(lambda: product(stored, DENSE)) == (LIVE, LIVE)
    assert costs(lambda: stored @ DENSE[:, 0]) == (LIVE // COLUMNS, LIVE // COLUMNS)


def test_zeros_that_are_stored_are_executed_and_not_useful():
    zeros = torch.sparse_coo_tensor(torch.tensor([[0, 1], [2, 3]]), torch.tensor([0.0, 1.0]), (ROWS, INNER))
    assert costs(lambda: zeros @ DENSE) == (2 * 2 * COLUMNS, 2 * COLUMNS)


def test_blocks_count_whole():
    block = torch.zeros(4, 8)
    block[0, 0] = 1
    assert costs(lambda: block.to_sparse_bsr((2, 2)) @ DENSE) == (2 * 4 * COLUMNS, 2 * COLUMNS)


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_that_a_hand_with_pencil_multiplies(seed):
    a, b = sparse(3, 4, live=0.5, seed=seed), sparse(4, 5, live=0.5, seed=100 + seed)
    expected = by_hand(a, b)
    layouts = [lambda x: x, torch.Tensor.to_sparse, torch.Tensor.to_sparse_csr]
    for left in layouts:
        for right in layouts:
            assert pairs(left(a), right(b), zeros=False) == expected
    assert pairs(a.to_sparse(), b.to_sparse()) == expected
    assert pairs(torch.stack([a, a]), torch.stack([b, b]), zeros=False) == 2 * expected


def test_disjoint_factors_of_half_zeros_use_nothing():
    left, right = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0], [1.0]])
    assert costs(lambda: left @ right) == (4, 0)


def test_a_sparse_product_and_the_dense_one_are_equally_useful_for_any_input():
    x = sparse(INNER, COLUMNS, seed=1)
    dense = costs(lambda: WEIGHT @ x)
    assert all(costs(lambda way=way: way() @ x)[1] == dense[1] for way in WAYS.values())


def test_a_product_only_where_a_mask_has_entries_is_one_dot_product_each():
    mask, left, right = WEIGHT.to_sparse_csr(), torch.ones(ROWS, 4), torch.ones(4, INNER)
    entries = int(WEIGHT.count_nonzero())
    assert costs(lambda: torch.sparse.sampled_addmm(mask, left, right)) == (2 * entries * 4, 2 * entries * 4)


def test_a_convolution_does_not_use_its_padding():
    layer = nn.Conv1d(1, 1, 3, padding=1, bias=False)
    assert costs(lambda: layer(torch.ones(1, 1, 4))) == (2 * 4 * 3, 2 * (4 * 3 - 2))
    with torch.no_grad():
        layer.weight[0, 0, 0] = 0
    assert costs(lambda: layer(torch.ones(1, 1, 4)))[1] == 2 * (4 * 2 - 1)


def test_a_convolution_without_zeros_uses_all_forward_and_backward():
    layer, x = nn.Conv2d(4, 6, 3, groups=2), torch.ones(2, 4, 8, 8, requires_grad=True)
    executed, useful = costs(lambda: layer(x).square().sum().backward())
    assert executed == useful


def test_a_dead_weight_of_a_recurrent_layer_is_not_used():
    layer, x = nn.LSTM(5, 7), torch.randn(4, 3, 5)
    with torch.no_grad():
        executed, useful = costs(lambda: layer(x))
        layer.weight_ih_l0[:14] = 0
        fewer = costs(lambda: layer(x))
    assert executed == useful == fewer[0]
    assert fewer[1] == useful - 2 * 12 * 14 * 5


def test_tensors_without_values_are_refused():
    with pytest.raises(ValueError, match="meta device"), meter("trace", useful=True):
        torch.ones(2, 2, device="meta") @ torch.ones(2, 2, device="meta")


def test_useful_operations_are_unknown_unless_asked_for():
    with meter("outer", flops=True) as outer, meter("inner", useful=True) as inner:
        WEIGHT @ DENSE
    assert (outer.cost.useful, inner.cost.useful) == (None, LIVE)
    assert "FLOP useful" in str(inner.cost)
