"""A step is counted now and then and multiplied; where that could be wrong, it is counted each time or said to be."""

import re
import threading
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cutaway.ledger import entries_of, meter
from cutaway.ledger.flops import UncountedError
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
    assert m.cost.steps_counted in (5, 6)


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
    (doubt,) = cost.doubts
    found = re.search(rf"{ONE} FLOP before, {2 * ONE} FLOP at call (\d+); (\d+) calls between", doubt)
    assert found is not None and doubt in str(cost)
    call, between = map(int, found.groups())
    # From the sixth on all calls do more; those before the one that was counted were taken as ONE.
    assert 6 <= call <= 16 and between < call and cost.flops == (call - 1) * ONE + (17 - call) * 2 * ONE


def test_a_change_that_comes_only_after_the_first_calls_is_found():
    exact = [1 + (number > DOUBLING and number % 7 == 5) for number in range(6000)]
    cost = repeated(6000, lambda number: [SQUARE @ SQUARE for _ in range(exact[number])])
    assert len(cost.doubts) == 1 and 6000 * ONE < cost.flops < sum(exact) * ONE


def test_a_few_calls_are_audited_at_places_that_cannot_be_known_before():
    # Powers of 2 do one product, all others a hundred: 64 calls, as many as doubling alone would ever look at.
    cost = repeated(64, lambda n: [SQUARE @ SQUARE for _ in range(1 if (n + 1) & n == 0 else 100)])
    assert len(cost.doubts) == 1 and cost.flops > 3000 * ONE


def test_threads_of_a_known_step_are_part_of_it():
    def apart(_):
        thread = threading.Thread(target=lambda: SQUARE @ SQUARE)
        thread.start()
        thread.join()

    cost = repeated(8, apart)
    assert (cost.flops, cost.doubts) == (8 * ONE, ()) and cost.steps_counted < 8


def test_strict_counting_looks_at_every_call_of_a_step():
    with pytest.raises(UncountedError):
        repeated(16, lambda n: torch.linalg.svd(SQUARE) if n in (2, 4, 5, 6) else SQUARE @ SQUARE, strict=True)


def test_doubts_reach_the_ledger_also_through_a_meter_inside():
    with meter("outer", flops=True) as outer:
        for number in range(100):
            with outer.step("key"):
                for _ in range(1 + (number == 40)):
                    SQUARE @ SQUARE
        for number in range(100):
            with outer.step("other"):
                for _ in range(1 + number):
                    SQUARE @ SQUARE
        with meter("inner"):
            SQUARE @ SQUARE
    assert outer.cost.doubts
    notes = {entry.phase: entry.note for entry in entries_of(outer.cost) if entry.resource == "flops"}
    assert outer.cost.doubts[0] in notes["outer"]


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
