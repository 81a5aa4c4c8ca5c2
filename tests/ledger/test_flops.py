"""Operations are counted as a hand with pencil counts them: 2·m·k·n for a product of m×k and k×n.

torch's own counter is shown beside ours where it is known to be wrong (torch 2.13), so that these lines fail, and the
formula can go, once torch is right.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode, register_flop_formula

from cutaway.ledger import count_flops, meter
from cutaway.ledger.flops import FlopCounter, UncountedError

BATCH, HEADS, QUERIES, KEYS, WIDTH = 2, 4, 16, 12, 8
PRODUCT = 2 * BATCH * HEADS * QUERIES * KEYS * WIDTH


def torch_count(fn):
    with FlopCounterMode(display=False) as counter:
        fn()
    return counter.get_total_flops()


def heads(count, length, width=WIDTH):
    return torch.randn(BATCH, count, length, width, requires_grad=True)


@pytest.fixture
def qkv():
    return heads(HEADS, QUERIES), heads(HEADS, KEYS), heads(HEADS, KEYS)


@pytest.fixture(params=["grad", "no_grad", "inference"])
def mode(request):
    return {"grad": torch.enable_grad, "no_grad": torch.no_grad, "inference": torch.inference_mode}[request.param]


def under(mode, fn):
    with mode():
        fn()


def test_a_product_is_two_m_k_n():
    a, b, v = torch.ones(3, 4), torch.ones(4, 5), torch.ones(4)
    assert count_flops(lambda: a @ b) == 2 * 3 * 4 * 5
    assert count_flops(lambda: a @ v) == 2 * 3 * 4
    assert count_flops(lambda: v @ v) == 2 * 4
    assert count_flops(lambda: torch.addmm(torch.ones(5), a, b)) == 2 * 3 * 4 * 5
    assert count_flops(lambda: torch.addmv(torch.ones(3), a, v)) == 2 * 3 * 4
    assert count_flops(lambda: torch.ones(7, 3, 4) @ torch.ones(7, 4, 5)) == 7 * 2 * 3 * 4 * 5
    assert count_flops(lambda: torch.einsum("ij,jk,k->i", a, b, torch.ones(5))) in (
        2 * 3 * 4 * 5 + 2 * 3 * 5,
        2 * 4 * 5 + 2 * 3 * 4,
    )


def test_a_linear_layer_backward_costs_one_forward_for_each_gradient(mode):
    layer, x = nn.Linear(32, 8), torch.randn(2, 16, 32)
    once = 2 * 2 * 16 * 32 * 8
    assert count_flops(lambda: under(mode, lambda: layer(x))) == once
    assert count_flops(lambda: layer(x).sum().backward()) == 2 * once
    assert count_flops(lambda: layer(x.clone().requires_grad_()).sum().backward()) == 3 * once


def test_attention_forward_is_two_products(qkv, mode):
    assert count_flops(lambda: under(mode, lambda: F.scaled_dot_product_attention(*qkv))) == 2 * PRODUCT
    assert torch_count(lambda: F.scaled_dot_product_attention(*qkv)) == 0


def test_attention_backward_is_five_products_because_the_scores_are_made_again(qkv):
    assert count_flops(lambda: F.scaled_dot_product_attention(*qkv).sum().backward()) == 7 * PRODUCT


def test_attention_forward_and_backward_of_one_worked_case_is_7340032():
    q, k, v = (torch.randn(2, 4, 64, 16, requires_grad=True) for _ in range(3))
    assert count_flops(lambda: F.scaled_dot_product_attention(q, k, v).sum().backward()) == 7_340_032


def test_attention_with_a_mask_or_shared_keys_costs_what_it_costs_without(qkv):
    q, k, v = qkv
    mask = torch.zeros(QUERIES, KEYS)
    assert count_flops(lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=mask)) == 2 * PRODUCT
    assert count_flops(lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)) == 2 * PRODUCT
    few = heads(2, KEYS), heads(2, KEYS)
    grouped = count_flops(lambda: F.scaled_dot_product_attention(q, *few, enable_gqa=True).sum().backward())
    assert grouped == 7 * PRODUCT


def test_the_formula_of_attention_takes_values_of_another_width():
    q, k, v = heads(HEADS, QUERIES), heads(HEADS, KEYS), heads(HEADS, KEYS, 3 * WIDTH)
    assert count_flops(lambda: F.scaled_dot_product_attention(q, k, v)) == PRODUCT + 3 * PRODUCT


D, FFN, LENGTH = 32, 64, 16
ATTENTION_LAYER = 2 * BATCH * LENGTH * 4 * D * D + 2 * 2 * BATCH * LENGTH * LENGTH * D
ENCODER_LAYER = ATTENTION_LAYER + 2 * BATCH * LENGTH * 2 * D * FFN


@pytest.mark.parametrize("need_weights", [True, False])
def test_multihead_attention_is_its_projections_and_two_products(mode, need_weights):
    layer, x = nn.MultiheadAttention(D, HEADS, batch_first=True).eval(), torch.randn(BATCH, LENGTH, D)
    assert count_flops(lambda: under(mode, lambda: layer(x, x, x, need_weights=need_weights))) == ATTENTION_LAYER


def test_a_two_layer_transformer_costs_twice_a_layer_fused_or_not(mode):
    layer = nn.TransformerEncoderLayer(D, HEADS, FFN, batch_first=True)
    network, x = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval(), torch.randn(BATCH, LENGTH, D)
    assert count_flops(lambda: under(mode, lambda: network(x))) == 2 * ENCODER_LAYER


def test_a_transformers_backward_costs_two_forwards_and_the_scores_again():
    layer = nn.TransformerEncoderLayer(D, HEADS, FFN, batch_first=True, dropout=0.0)
    network = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).train()
    x = torch.randn(BATCH, LENGTH, D, requires_grad=True)
    scores = 2 * BATCH * LENGTH * LENGTH * D
    assert count_flops(lambda: network(x).sum().backward()) == 3 * 2 * ENCODER_LAYER + 2 * scores


@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_counts_each_kernel_at_each_place(mode, groups):
    layer, x = nn.Conv2d(4, 6, 3, groups=groups), torch.randn(2, 4, 8, 8)
    once = 2 * 2 * (6 * 6) * (6 * 4 // groups * 3 * 3)
    assert count_flops(lambda: under(mode, lambda: layer(x))) == once
    assert count_flops(lambda: layer(x).sum().backward()) == 2 * once
    assert count_flops(lambda: layer(x.clone().requires_grad_()).sum().backward()) == 3 * once


def test_torch_multiplies_a_grouped_weight_gradient_by_the_groups():
    layer, x = nn.Conv2d(4, 6, 3, groups=2), torch.randn(2, 4, 8, 8)
    assert torch_count(lambda: layer(x).sum().backward()) == count_flops(lambda: layer(x)) * 3


def test_transposed_convolution_counts_each_kernel_at_each_input(mode):
    layer, x = nn.ConvTranspose2d(4, 6, 3, groups=2, stride=2), torch.randn(2, 4, 8, 8)
    once = 2 * 2 * (8 * 8) * (4 * 3 * 3 * 3)
    assert count_flops(lambda: under(mode, lambda: layer(x))) == once
    assert count_flops(lambda: layer(x.clone().requires_grad_()).sum().backward()) == 3 * once


def test_an_lstm_applies_its_matrices_once_a_step(mode):
    layer = nn.LSTM(5, 7, num_layers=2, batch_first=True, bidirectional=True)
    x = torch.randn(3, 4, 5)
    once = 2 * 3 * 4 * 2 * (28 * 5 + 28 * 7 + 28 * 14 + 28 * 7)
    assert count_flops(lambda: under(mode, lambda: layer(x))) == once
    assert count_flops(lambda: layer(x)[0].sum().backward()) == 3 * once
    assert torch_count(lambda: layer(x)) == 0


def test_a_gru_and_an_lstm_cell_count_as_the_products_they_are_made_of():
    x = torch.randn(4, 3, 5)
    assert count_flops(lambda: nn.GRU(5, 7)(x)) == 2 * 12 * 21 * (5 + 7)
    assert count_flops(lambda: nn.LSTMCell(5, 7)(x[0])) == 2 * 3 * 28 * (5 + 7)


def test_a_grouped_product_takes_each_row_to_one_expert():
    rows, experts = torch.randn(8, 16, dtype=torch.bfloat16), torch.randn(2, 16, 24, dtype=torch.bfloat16)
    ends = torch.tensor([3, 8], dtype=torch.int32)
    once = 2 * 8 * 16 * 24
    assert count_flops(lambda: F.grouped_mm(rows, experts, offs=ends)) == once
    for value in (rows, experts):
        value.requires_grad_()
    assert count_flops(lambda: F.grouped_mm(rows, experts, offs=ends).square().sum().backward()) == 3 * once
    columns = torch.randn(16, 8, dtype=torch.bfloat16)
    assert count_flops(lambda: F.grouped_mm(experts.detach().mT.contiguous(), columns, offs=ends)) == once


def test_linear_work_is_neither_counted_nor_reported():
    table, x = nn.EmbeddingBag(10, 8), torch.zeros(2, 3, dtype=torch.long)
    network = nn.Sequential(nn.LayerNorm(8), nn.GELU(), nn.Dropout(), nn.Softmax(-1)).train()
    with FlopCounter() as counter:
        F.cross_entropy(network(table(x)), torch.tensor([0, 1])).backward()
    assert (counter.flops, counter.uncounted) == (0, {})


def test_what_has_no_formula_is_named_with_its_calls():
    with FlopCounter() as counter:
        for _ in range(3):
            torch.linalg.svd(torch.ones(3, 3) @ torch.ones(3, 3))
    assert (counter.flops, counter.uncounted) == (3 * 54, {"aten._linalg_svd": 3})


def test_a_custom_operator_is_reported_as_uncounted():
    @torch.library.custom_op("cutaway_tests::cube", mutates_args=())
    def cube(x: torch.Tensor) -> torch.Tensor:
        return x @ x @ x

    with FlopCounter() as counter:
        cube(torch.ones(2, 2))
    assert counter.uncounted == {"cutaway_tests.cube": 1}


def test_counting_changes_no_bit_of_the_result(mode):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(D, HEADS, FFN, batch_first=True).eval()
    x = torch.randn(BATCH, LENGTH, D)
    with mode():
        plain = layer(x)
        with FlopCounter():
            counted = layer(x)
    assert torch.equal(plain, counted)


def test_transforms_count_what_they_batch_to():
    x = torch.randn(3, 4, 4)
    assert count_flops(lambda: torch.func.vmap(lambda a: a @ a)(x)) == 3 * 2 * 4 * 4 * 4


def test_derivatives_of_functions_cost_a_product_for_each_row_or_column():
    layer, x = nn.Linear(32, 8), torch.randn(32)
    once = 2 * 32 * 8
    assert count_flops(lambda: torch.func.grad(lambda x: layer(x).sum())(x)) == 2 * once
    assert count_flops(lambda: torch.func.jacrev(layer)(x)) == once + 8 * once
    per_example = torch.func.vmap(torch.func.grad(lambda w, x: (x @ w).sum()), in_dims=(None, 0))
    assert count_flops(lambda: per_example(torch.randn(4, 5), torch.randn(7, 3, 4))) == 7 * 2 * (2 * 3 * 4 * 5)


def test_recomputation_is_counted_because_it_is_done():
    network = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    x = torch.randn(4, 8, requires_grad=True)
    once = 2 * 4 * 8 * 8
    assert count_flops(lambda: checkpoint(network, x, use_reentrant=True).sum().backward()) == 2 * 4 * once
    # Without re-entrance it stops when all that is needed is there again: the last layer's output is not.
    assert count_flops(lambda: checkpoint(network, x, use_reentrant=False).sum().backward()) == (3 + 4) * once


def test_a_bilinear_layer_is_two_products():
    layer, a, b = nn.Bilinear(5, 6, 7), torch.randn(4, 5), torch.randn(4, 6)
    assert count_flops(lambda: layer(a, b)) == 2 * 4 * 7 * (5 * 6 + 6)


def test_lower_precision_counts_as_many():
    layer, x = nn.Linear(32, 8), torch.randn(2, 16, 32)

    def step():
        with torch.autocast("cpu", torch.bfloat16):
            loss = layer(x).float().sum()
        loss.backward()

    assert count_flops(step) == 2 * 2 * 32 * 32 * 8


def test_strict_counting_raises_at_the_first_unknown_operator_before_it_runs():
    ran = []

    @torch.library.custom_op("cutaway_tests::topk", mutates_args=())
    def topk(x: torch.Tensor) -> torch.Tensor:
        ran.append(x)
        return x @ x

    with (
        meter("trace", strict=True) as m,
        pytest.raises(UncountedError, match=r"cutaway_tests.topk has no formula.*register_flop"),
    ):
        topk(torch.ones(2, 2))
    assert (ran, m.cost.uncounted) == ([], {})
    with meter("outer", strict=True), pytest.raises(UncountedError), meter("inner", flops=True):
        torch.linalg.svd(torch.ones(2, 2))
    with meter("trace", flops=True) as m:
        torch.linalg.svd(torch.ones(2, 2))
    assert m.cost.uncounted == {"aten._linalg_svd": 1}


def test_a_formula_registered_with_torch_counts_from_then_on():
    @torch.library.custom_op("cutaway_tests::twice", mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    with FlopCounter() as counter:
        twice(torch.ones(2, 2))
    assert counter.uncounted == {"cutaway_tests.twice": 1}
    register_flop_formula(torch.ops.cutaway_tests.twice)(lambda shape, **_: shape[0] * shape[1])
    assert count_flops(lambda: twice(torch.ones(2, 2))) == 4


def test_nothing_is_counted_after_an_error():
    counter = FlopCounter()
    with pytest.raises(ZeroDivisionError), counter:
        raise ZeroDivisionError
    torch.ones(2, 2) @ torch.ones(2, 2)
    assert counter.flops == 0


def test_a_list_of_products_counts_as_its_products():
    a, b = [torch.ones(2, 3), torch.ones(4, 5)], [torch.ones(3, 4), torch.ones(5, 6)]
    assert count_flops(lambda: torch.ops.aten._foreach_mm(a, b)) == 2 * (2 * 3 * 4 + 4 * 5 * 6)
