"""A meter says what a block cost; meters nest and add up."""

import time

import pytest
import torch

from cutaway.ledger import Cost, count_flops, count_forwards, meter

COST = Cost("trace", 12_345_678_900, {}, 3, 0.5234, 0.98, 812_000_000, 0)
SQUARE = torch.ones(8, 8)
ONE = 2 * 8**3


def test_nested_meters_add_up():
    with meter("outer", flops=True) as outer:
        SQUARE @ SQUARE
        with meter("first", flops=True) as first:
            SQUARE @ SQUARE
            torch.linalg.svd(SQUARE)
            count_forwards(2)
        with meter("second", flops=True) as second:
            SQUARE @ SQUARE @ SQUARE
            count_forwards()
    assert (outer.cost.flops, first.cost.flops, second.cost.flops) == (4 * ONE, ONE, 2 * ONE)
    assert (outer.cost.forwards, first.cost.forwards, second.cost.forwards) == (3, 2, 1)
    assert outer.cost.uncounted == first.cost.uncounted == {"aten._linalg_svd": 1}
    assert outer.cost.wall_s >= first.cost.wall_s + second.cost.wall_s


def test_an_inner_meter_without_flops_hides_nothing_from_the_outer():
    with meter("outer", flops=True) as outer, meter("inner") as inner:
        SQUARE @ SQUARE
    assert (outer.cost.flops, inner.cost.flops) == (ONE, None)


def test_a_meter_inside_a_decomposed_operator_counts_once():
    with torch.inference_mode(), meter("outer", flops=True) as outer, meter("inner", flops=True) as inner:
        torch.nn.functional.linear(SQUARE, SQUARE)
    assert (outer.cost.flops, inner.cost.flops) == (ONE, ONE)


def test_the_cost_is_not_there_before_the_end():
    with meter("trace") as running, pytest.raises(RuntimeError, match="'trace' still runs"):
        _ = running.cost
    assert running.cost.phase == "trace"


def test_a_block_that_raises_has_its_cost_and_closes_its_meter():
    with pytest.raises(ZeroDivisionError), meter("trace", flops=True) as failed:
        SQUARE @ SQUARE
        raise ZeroDivisionError
    count_forwards()
    SQUARE @ SQUARE
    assert (failed.cost.flops, failed.cost.forwards) == (ONE, 0)


def test_waiting_takes_wall_time_but_no_cpu():
    with meter("wait") as waited:
        time.sleep(0.05)
    assert waited.cost.wall_s >= 0.05 > waited.cost.cpu_s


def test_memory_that_raises_the_peak_is_seen():
    with meter("earlier") as earlier:
        pass
    with meter("large") as large:
        block = bytearray(earlier.cost.peak_memory_bytes)
        block[::4096] = b"x" * len(block[::4096])
    assert large.cost.peak_memory_bytes > 1.4 * earlier.cost.peak_memory_bytes
    assert large.cost.peak_raised_bytes > 0.4 * earlier.cost.peak_memory_bytes


def test_counting_flops_leaves_the_answer_alone():
    assert count_flops(lambda: SQUARE @ SQUARE) == ONE


def test_a_cost_prints_as_one_line():
    assert str(COST) == "trace: 12.3 GFLOP, 3 forwards, 0.523 s (0.98 s CPU), peak memory 812 MB"
    partial = Cost("train", 0, {"aten._linalg_svd": 2}, 1, 100.0, 50.0, 999_900, 0)
    assert str(partial) == (
        "train: 0 FLOP, 1 forward, 100 s (50 s CPU), peak memory 1 MB; not counted: aten._linalg_svd ×2"
    )
    assert "FLOP" not in str(Cost("train", None, {}, 0, 1.0, 1.0, 1, 0))


def test_costs_add_and_an_unknown_count_stays_unknown():
    other = Cost("match", 100, {"aten._linalg_svd": 1}, 1, 1.0, 2.0, 900_000_000, 5)
    both = COST + other
    assert (both.phase, both.flops, both.forwards) == ("trace + match", 12_345_679_000, 4)
    assert (both.uncounted, both.peak_memory_bytes, both.peak_raised_bytes) == ({"aten._linalg_svd": 1}, 900_000_000, 5)
    assert (COST + COST).phase == "trace"
    assert (COST + Cost("match", None, {}, 0, 0.0, 0.0, 0, 0)).flops is None
