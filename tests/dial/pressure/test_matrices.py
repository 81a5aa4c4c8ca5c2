"""Weights by kind: counted, and the largest of them chosen exactly."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.dial.small import SHAPE, network
from torch import nn

from cutaway.dial.pressure import live
from cutaway.dial.pressure.matrices import largest, largest_of_each, matrices
from cutaway.training.transformer import Shape, Transformer


@st.composite
def scores(draw: st.DrawFn) -> torch.Tensor:
    """Few distinct values, so that many are equal."""
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    values = draw(st.lists(st.integers(0, 4), min_size=rows * columns, max_size=rows * columns))
    return torch.tensor(values, dtype=torch.float32).view(rows, columns)


@given(scores(), st.integers(0, 50))
def test_the_largest_are_those_of_a_stable_sort(values, count):
    expected = torch.zeros(values.numel(), dtype=torch.bool)
    expected[values.flatten().argsort(descending=True, stable=True)[:count]] = True
    assert torch.equal(largest(values, count).flatten(), expected)


@given(scores(), st.integers(1, 8))
def test_the_largest_of_each_row_are_the_largest_of_that_row(values, count):
    count = min(count, values.shape[1])
    expected = torch.stack([largest(row, count) for row in values])
    assert torch.equal(largest_of_each(values, count), expected)


def test_other_dtypes_choose_the_same():
    values = torch.randn(7, 9, generator=torch.Generator().manual_seed(7000)).to(torch.bfloat16)
    assert torch.equal(largest(values, 20), largest(values.double(), 20))
    assert torch.equal(largest_of_each(values, 3).sum(1), torch.full((7,), 3))


def test_weights_that_are_not_zero_are_counted_by_kind():
    net = network()
    before = live(net)
    assert before["up"] == {"live": 24 * 16, "of": 24 * 16}
    assert before["bigram"] == {"live": 0, "of": 121}  # it starts at 0
    assert before["sink"] == {"live": 0, "of": 4}
    assert sum(kind["of"] for kind in before.values()) == sum(w.numel() for w in net.parameters())
    with torch.no_grad():
        net.blocks[0].mlp.up.weight[:3] = 0
    assert live(net)["up"]["live"] == 24 * 16 - 48


def test_every_matrix_of_both_transformers_has_a_kind_and_an_axis_of_neurons():
    plain = Transformer(Shape(vocab=11, context=8, width=16, layers=1, heads=2, d_head=4, hidden=24))
    for net in (network(), plain):
        lanes = {m.kind: m.lanes for m in matrices(net) if not m.table}
        inner = net.blocks[0].attn.out.in_features
        assert lanes == dict.fromkeys(("query", "key", "value", "out"), (inner, 16)) | dict.fromkeys(
            ("up", "down"), (24, 16)
        )
    assert {m.kind for m in matrices(network()) if m.table} == {"embed", "position", "unembed", "bigram"}


def test_a_matrix_of_no_known_kind_is_named_and_can_be_left_dense():
    net = nn.ModuleDict({"up": nn.Linear(2, 3), "router": nn.Linear(2, 3)})
    with pytest.raises(ValueError, match=r"router.weight is of no known kind.*dense="):
        matrices(net)
    assert [m.name for m in matrices(net, ("router",))] == ["up.weight"]
    with pytest.raises(ValueError, match="no matrices but up, router; nothing to press"):
        matrices(net, ("up", "router"))


def test_kinds_left_dense_are_not_among_the_matrices():
    assert "bigram" not in {m.kind for m in matrices(network(shape=SHAPE), ("bigram",))}
