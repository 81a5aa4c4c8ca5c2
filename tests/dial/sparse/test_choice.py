"""Sparse layers are used where they were measured to be faster, and a network computes the same wherever that is."""

import json

import pytest
import torch
from benchmarks import dial_sparse
from benchmarks.kept import RESULTS
from tests.dial.sparse.layers import support_mask
from torch import nn

from cutaway.dial.sparse import SparseLinear, densified, sparsified, wins
from cutaway.dial.sparse import choice as choice_module
from cutaway.dial.sparse.choice import MARGIN, TABLE, Measured, measured
from cutaway.dial.transformer import SparseShape, SparseTransformer

TOKENS = 80
IDS = torch.randint(11, (2, 40), generator=torch.Generator().manual_seed(7000))


@pytest.fixture
def figures(monkeypatch):
    """A table of two cases: a layer that wins, and a smaller one that loses."""
    cases = (Measured("cpu", 64, 16, 50, 0.3, 2.0), Measured("cpu", 16, 16, 50, 0.3, 0.5))
    monkeypatch.setattr(choice_module, "measured", lambda: cases)


@pytest.fixture
def network():
    return SparseTransformer(SparseShape(vocab=11, context=40, width=16, layers=1, d_head=8), seed=7000)


def supports(network):
    """A mask for every matrix of the network."""
    weights = {name: weight for name, weight in network.named_parameters() if weight.ndim == 2}
    return {
        name: support_mask("random", *weight.shape, seed=7000 + n) for n, (name, weight) in enumerate(weights.items())
    }


def sparse_layers(network):
    return {name for name, module in network.named_modules() if isinstance(module, SparseLinear)}


def test_every_figure_of_the_table_is_one_of_the_benchmark():
    result = json.loads((RESULTS / "dial_sparse.json").read_text())
    assert json.loads(TABLE.read_text()) == dial_sparse.table(result)


def test_a_measured_case_is_judged_by_its_own_figure():
    assert len(measured()) >= 7
    for case in measured():
        assert wins(case.rows, case.columns, case.tokens, case.share) == (case.times >= MARGIN)


def test_a_larger_sparser_layer_wins_where_a_smaller_one_does(figures):
    assert wins(64, 16, 50, 0.3) and wins(640, 160, 500, 0.003) and wins(64, 16, 50, 0.31)


@pytest.mark.parametrize("sizes", [(63, 16, 50, 0.3), (64, 15, 50, 0.3), (64, 16, 49, 0.3), (64, 16, 50, 0.32)])
def test_what_is_smaller_or_denser_than_all_that_won_stays_dense(figures, sizes):
    assert not wins(*sizes)


def test_the_largest_case_below_decides(figures):
    assert wins(64, 64, 50, 0.3) and not wins(32, 640, 500, 0.003)


def test_a_device_without_figures_stays_dense():
    assert wins(4096, 1024, 2048, 1 / 256) and not wins(4096, 1024, 2048, 1 / 256, "cuda")


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"a share of 64 given"):
        wins(64, 16, 50, 64)


def test_only_layers_that_win_are_sparse(network, figures):
    assert sparse_layers(sparsified(network, supports(network), TOKENS)) == {"blocks.0.mlp.up"}
    assert sparse_layers(sparsified(network, supports(network), tokens=49)) == set()
    assert sparse_layers(network) == set()


def test_what_a_network_computes_does_not_depend_on_what_is_sparse(network, monkeypatch):
    masks, outputs = supports(network), []
    for answer in (True, False):
        monkeypatch.setattr(choice_module, "wins", lambda *sizes, answer=answer: answer)
        made = sparsified(network, masks, TOKENS)
        assert len(sparse_layers(made)) == (7 if answer else 0)  # four of attention, two of the MLP, the unembedding
        outputs += [made(IDS), densified(made)(IDS)]
    for output in outputs[1:]:
        torch.testing.assert_close(output, outputs[0], rtol=1e-4, atol=1e-5)


def test_memory_is_feature_major_between_sparse_layers_only(network, monkeypatch):
    def turned(*winners):
        monkeypatch.setattr(choice_module, "wins", lambda rows, columns, *rest: (rows, columns) in winners)
        made = sparsified(network, supports(network), TOKENS)
        return {name for name in sparse_layers(made) if made.get_submodule(name).feature_major}

    up, square, down = (64, 16), (16, 16), (16, 64)
    assert turned(up, square, down) == {"blocks.0.mlp.up"}
    assert turned(up, square) == turned(square, down) == set()


def test_a_weight_that_two_modules_share_stays_dense(network, monkeypatch):
    monkeypatch.setattr(choice_module, "wins", lambda *sizes: True)
    network.unembed.weight = network.embed.weight
    made = sparsified(network, {"unembed.weight": support_mask("random", 11, 16)}, TOKENS)
    assert not sparse_layers(made) and made.unembed.weight is made.embed.weight


def test_a_single_layer_is_a_network_too(monkeypatch):
    monkeypatch.setattr(choice_module, "wins", lambda *sizes: True)
    mask = support_mask("random", 6, 4)
    made = sparsified(nn.Linear(4, 6), {"weight": mask}, TOKENS)
    assert isinstance(made, SparseLinear) and isinstance(densified(made), nn.Linear)


@pytest.mark.parametrize(
    "masks, expected",
    [
        ({"nowhere.weight": torch.ones(2, 2, dtype=torch.bool)}, "no such weight"),
        ({"unembed.weight": torch.ones(16, 11, dtype=torch.bool)}, r"expected torch.bool \[11, 16\]"),
        ({"unembed.weight": torch.ones(11, 16)}, "a support of torch.float32"),
    ],
)
def test_a_support_that_fits_no_weight_is_refused(network, masks, expected):
    with pytest.raises(ValueError, match=expected):
        sparsified(network, masks, TOKENS)
