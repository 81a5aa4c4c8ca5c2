"""A support is the mask that it was made from, in two orders."""

import pytest
import torch
from tests.dial.sparse.layers import SUPPORTS, support_mask

from cutaway.dial.sparse import Support


@pytest.mark.parametrize("kind", SUPPORTS)
def test_a_support_gives_back_its_mask(kind):
    mask = support_mask(kind, 7, 5)
    support = Support.of(mask)
    assert torch.equal(support.mask(), mask)
    assert support.live == int(mask.sum()) and support.share == pytest.approx(float(mask.float().mean()))


@pytest.mark.parametrize("kind", SUPPORTS)
def test_the_order_turns_row_by_row_into_column_by_column(kind):
    mask = support_mask(kind, 7, 5)
    weight, support = torch.randn(7, 5), Support.of(mask)
    assert torch.equal(support.gather(weight)[support.order], weight.mT[mask.mT])
    assert torch.equal(support.rows, mask.mT.nonzero()[:, 1].int())
    assert support.column_starts.diff().tolist() == mask.sum(0).tolist()


def test_gathered_and_scattered_is_the_masked_weight():
    mask = support_mask("random", 7, 5)
    weight, support = torch.randn(7, 5), Support.of(mask)
    assert torch.equal(support.scatter(support.gather(weight)), weight * mask)


@pytest.mark.parametrize("mask", [torch.ones(3, 4), torch.ones(3, dtype=torch.bool)], ids=["floats", "one axis"])
def test_what_is_no_mask_of_a_matrix_is_refused(mask):
    with pytest.raises(ValueError, match=r"expected one of bool \[row, column\]"):
        Support.of(mask)


def test_a_weight_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \[4, 3\] given; the support is of \[3, 4\]"):
        Support.of(support_mask("random", 3, 4)).gather(torch.randn(4, 3))
