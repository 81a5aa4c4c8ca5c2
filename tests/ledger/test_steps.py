"""A step is counted now and then and multiplied; where that could be wrong, it is counted each time or said to be."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cutaway.ledger import meter
from cutaway.ledger.signature import ambient, signature
from cutaway.ledger.steps import DOUBLING

SQUARE = torch.ones(8, 8)
ONE = 2 * 8**3


def repeated(times, work, key="step", **asked):
    with meter("train", flops=True, **asked) as m:
        for number in range(times):
            with m.step(key):
                work(number)
    return m.cost


def test_a_known_step_costs_what_a_counted_one_does():
    cost = repeated(1000, lambda _: SQUARE @ SQUARE)
    assert (cost.flops, cost.steps, cost.doubts) == (1000 * ONE, 1000, ())
    assert DOUBLING.bit_length() < cost.steps_counted < 30


def test_a_training_step_that_is_known_adds_up_with_its_backward_and_its_optimiser():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    optimiser, x = torch.optim.AdamW(network.parameters()), torch.randn(3, 8)
    with meter("train", flops=True) as m:
        for _ in range(20):
            with m.step(network, x):
                network(x).square().mean().backward()
                optimiser.step()
                optimiser.zero_grad()
    assert m.cost.flops == 20 * 2 * 3 * (2 * 64 + 3 * 32)
    assert m.cost.steps_counted == 5


def test_what_has_no_formula_is_multiplied_too():
    cost = repeated(100, lambda _: torch.linalg.svd(SQUARE))
    assert (cost.flops, cost.uncounted) == (0, {"aten._linalg_svd": 100})
    assert cost.uncounted_share[0] == 1


def test_an_outer_meter_has_the_known_steps_of_an_inner_one():
    with meter("all", flops=True) as outer:
        repeated(100, lambda _: SQUARE @ SQUARE)
        SQUARE @ SQUARE
    assert outer.cost.flops == 101 * ONE
    assert outer.cost.unattributed.flops == ONE


def test_a_meter_inside_a_known_step_counts_for_itself_and_once():
    with meter("all", flops=True) as outer:
        for _ in range(3):
            with outer.step("a"), meter("inner", flops=True) as inner:
                SQUARE @ SQUARE
            assert inner.cost.flops == ONE
    assert outer.cost.flops == 3 * ONE


def test_a_count_that_changes_with_the_same_key_is_said_and_counted_from_then_on():
    cost = repeated(16, lambda number: [SQUARE @ SQUARE for _ in range(1 + (number >= 5))])
    # Calls 1, 2, 4 and 8 are counted; 6 and 7 were taken as ONE, and from 8 on nothing is.
    assert cost.flops == 7 * ONE + 9 * 2 * ONE
    (doubt,) = cost.doubts
    assert f"{ONE} FLOP before, {2 * ONE} FLOP at call 8; 3 calls between" in doubt
    assert doubt in str(cost)
    assert cost.steps_counted == 3 + 9


def test_a_change_at_calls_that_doubling_never_meets_is_found():
    # Powers of 2 are 1, 2 or 4 modulo 7.
    cost = repeated(6000, lambda number: [SQUARE @ SQUARE for _ in range(1 + ((number + 1) % 7 == 5))])
    assert len(cost.doubts) == 1
    assert cost.flops < 6000 * ONE + 6000 // 7 * ONE


def test_shapes_that_depend_on_values_are_counted_every_time():
    keep = [torch.arange(8) < number % 5 for number in range(32)]
    cost = repeated(32, lambda number: SQUARE[keep[number]] @ SQUARE)
    assert cost.flops == sum(2 * (number % 5) * 64 for number in range(32))
    assert (cost.steps_counted, cost.doubts) == (32, ())


def test_rows_chosen_by_number_do_not_keep_a_step_from_being_known():
    assert repeated(64, lambda _: SQUARE[torch.tensor([1, 2])] @ SQUARE).steps_counted == 7


def test_a_known_step_that_raises_is_taken_as_whole_and_said():
    with meter("train", flops=True) as m:
        for number in range(3):
            try:
                with m.step("a"):
                    if number == 2:
                        raise ZeroDivisionError
                    SQUARE @ SQUARE
            except ZeroDivisionError:
                pass
    assert m.cost.flops == 3 * ONE
    assert "ended in ZeroDivisionError" in m.cost.doubts[0]


def test_a_counted_step_that_raises_has_what_it_did_and_is_not_learnt_from():
    with meter("train", flops=True) as m:
        for number in range(3):
            try:
                with m.step("a"):
                    SQUARE @ SQUARE
                    if number == 0:
                        raise ZeroDivisionError
                    SQUARE @ SQUARE
            except ZeroDivisionError:
                pass
    assert (m.cost.flops, m.cost.doubts) == (5 * ONE, ())


def test_useful_operations_are_counted_at_every_step():
    inputs = [torch.eye(8) * (number % 2) for number in range(10)]
    cost = repeated(10, lambda number: inputs[number] @ SQUARE, useful=True)
    assert (cost.flops, cost.useful, cost.steps_counted) == (10 * ONE, 5 * 2 * 64, 10)


@pytest.mark.parametrize("switch", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu", torch.bfloat16)])
def test_a_switch_of_torch_is_another_step(switch):
    plain = ambient()
    with switch():
        assert ambient() != plain
    assert ambient() == plain


def changes():
    """What changes the work of a network, each on a fresh one."""
    yield "evaluated", lambda n: n.eval()
    yield "frozen", lambda n: n[0].weight.requires_grad_(False)
    yield "hooked", lambda n: n[0].register_forward_hook(lambda *_: None)
    yield "hooked backward", lambda n: n[0].register_full_backward_hook(lambda *_: None)
    yield "replaced", lambda n: n.__setitem__(0, nn.Linear(4, 4))
    yield "wider", lambda n: setattr(n[0], "weight", nn.Parameter(torch.ones(5, 4)))
    yield "set", lambda n: setattr(n[1], "p", 0.9)
    yield "longer", lambda n: n.append(nn.ReLU())
    yield "a hook on a parameter", lambda n: n[0].weight.register_hook(lambda g: g)


@pytest.mark.parametrize("what", [pytest.param(change, id=name) for name, change in changes()])
def test_a_changed_network_has_another_signature(what):
    network = nn.Sequential(nn.Linear(4, 4), nn.Dropout())
    before = signature(network)
    assert signature(network) == before
    what(network)
    assert signature(network) != before


@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_a_signature_is_of_shapes_and_not_of_values():
    x, sparse = torch.randn(3, 4), torch.eye(4).to_sparse_csr()
    assert signature(x, {"a": [x]}, 1) == signature(x + 1, {"a": [-x]}, 1)
    assert len({signature(value) for value in (x, x.double(), x.clone().requires_grad_(), x[:2], 1, True, None)}) == 7
    assert signature(sparse) != signature(torch.ones(4, 4).to_sparse_csr())


def test_what_has_no_shape_is_refused():
    with pytest.raises(TypeError, match=r"given a object; expected tensors, modules"):
        signature(object())
    with meter("train", flops=True) as m, pytest.raises(TypeError, match="SimpleNamespace"), m.step(SimpleNamespace()):
        pass


def test_a_step_without_counting_changes_nothing():
    with meter("train") as m, m.step("a"):
        SQUARE @ SQUARE
    assert (m.cost.flops, m.cost.steps) == (None, 0)


def test_another_mode_above_the_counter_only_makes_a_step_counted():
    from torch.utils.flop_counter import FlopCounterMode

    with meter("train", flops=True) as m:
        for _ in range(10):
            with FlopCounterMode(display=False) as theirs, m.step("a"):
                SQUARE @ SQUARE
            assert theirs.get_total_flops() == ONE
    assert (m.cost.flops, m.cost.steps_counted) == (10 * ONE, 10)


def test_known_steps_give_the_same_bits():
    def trained(metered):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 4))
        x = torch.randn(3, 8)
        with meter("train", flops=metered) as m:
            for _ in range(5):
                with m.step(network, x):
                    F.mse_loss(network(x), torch.zeros(3, 4)).backward()
        return network[0].weight.grad

    assert torch.equal(trained(True), trained(False))
