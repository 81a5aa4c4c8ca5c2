"""Work that hides, in hooks, threads, child processes, errors or after its phase, is in the count or is said to be missing."""

import contextlib
import multiprocessing
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset

from cutaway.ledger import count_backwards, count_examples, count_forwards, meter
from cutaway.ledger.children import children_cpu_s
from cutaway.ledger.counting import current

SQUARE = torch.ones(8, 8)
ONE = 2 * 8**3


def square(*_):
    return SQUARE @ SQUARE


def unchanged(*_):
    square()


def busy(seconds=0.1):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def squares(times):
    torch.set_num_threads(1)
    for _ in range(times):
        square()
    return times


class Squares(Dataset):
    """Items that take one product each to make."""

    def __len__(self):
        return 6

    def __getitem__(self, number):
        square()
        return number


def test_work_in_hooks_and_without_gradients_counts():
    network, x = nn.Linear(8, 8), torch.ones(8, 8, requires_grad=True)
    network.register_forward_hook(unchanged)
    network.register_full_backward_hook(unchanged)
    network.weight.register_hook(lambda gradient: gradient @ SQUARE)
    with meter("train", flops=True) as m:
        network(x).sum().backward()
        with torch.no_grad():
            square()
        with torch.inference_mode():
            square()
    assert m.cost.flops == (3 + 1 + 1 + 1 + 1 + 1) * ONE


def test_work_of_an_error_and_of_its_handling_counts():
    with meter("trace", flops=True) as m:
        try:
            square()
            raise ZeroDivisionError
        except ZeroDivisionError:
            square()
        finally:
            square()
    assert (m.cost.flops, m.cost.state) == (3 * ONE, "done")


@pytest.mark.parametrize(("error", "state"), [(ZeroDivisionError, "failed"), (KeyboardInterrupt, "aborted")])
def test_a_phase_that_ended_early_keeps_its_cost_and_says_so(error, state):
    with meter("all", flops=True) as outer, contextlib.suppress(BaseException), meter("trace", flops=True) as m:
        square()
        raise error
    assert (m.cost.flops, m.cost.state, outer.cost.state) == (ONE, state, "done")
    assert str(m.cost).startswith(f"trace ({state}): ")
    assert (outer.cost + m.cost).state == state


def test_recomputed_work_counts():
    network, x = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)), torch.ones(8, 8, requires_grad=True)
    with meter("train", flops=True) as m:
        checkpoint(network, x, use_reentrant=True).sum().backward()
    assert m.cost.flops == 4 * 2 * ONE


def test_what_a_closed_phase_left_behind_is_in_no_phase_but_in_the_outer_one():
    def later():
        yield square()
        yield square()

    with meter("all", flops=True) as outer:
        with meter("first", flops=True) as first:
            left = later()
            next(left)
        with meter("second", flops=True):
            square()
        next(left)
    assert (first.cost.flops, outer.cost.flops) == (ONE, 3 * ONE)
    assert [part.phase for part in outer.cost.parts] == ["first", "second"]
    assert outer.cost.unattributed.flops == ONE
    assert "1.02 kFLOP in none of its phases" in str(outer.cost)


def test_phases_that_ran_often_are_summed():
    with meter("all", flops=True) as outer:
        for _ in range(3):
            with meter("trace", flops=True):
                square()
    (part,) = outer.cost.parts
    assert (part.flops, outer.cost.unattributed.flops) == (3 * ONE, 0)


def test_what_is_unattributed_is_unknown_where_a_phase_did_not_count():
    with meter("all", flops=True) as outer, meter("trace"):
        square()
    assert (outer.cost.flops, outer.cost.unattributed.flops) == (ONE, None)


def test_meters_that_end_in_the_wrong_order_lose_nothing():
    def metered():
        with meter("generator", flops=True) as m:
            square()
            yield m
            square()

    running = metered()
    first = next(running)
    with meter("later", flops=True) as later:
        square()
        next(running, None)
        square()
    square()
    assert (first.cost.flops, later.cost.flops, current.get()) == (3 * ONE, 3 * ONE, None)


def test_a_mode_left_open_inside_a_meter_is_an_error():
    from torch.utils.flop_counter import FlopCounterMode

    left = FlopCounterMode(display=False)
    with pytest.raises(RuntimeError, match="dispatch mode that was opened inside it"), meter("trace", flops=True):
        left.__enter__()
    left.__exit__(None, None, None)
    torch.utils._python_dispatch._get_current_dispatch_mode().__exit__(None, None, None)


def test_threads_started_in_a_phase_count_and_report_their_passes():
    def work():
        square()
        count_forwards()

    with meter("all", flops=True) as outer, meter("trace", flops=True) as m:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(square, range(4)))
    assert (m.cost.flops, outer.cost.flops, m.cost.forwards) == (7 * ONE, 7 * ONE, 3)
    assert threading.getprofile() is None


def test_a_meter_in_a_thread_counts_for_itself_and_for_the_one_around_it():
    costs = []

    def work():
        with meter("inner", flops=True) as m:
            square()
        costs.append(m.cost.flops)

    with meter("all", flops=True) as outer:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert (costs, outer.cost.flops) == ([ONE], ONE)


@pytest.mark.skipif(sys.platform != "linux", reason="seconds of threads are read from /proc")
def test_seconds_of_threads_from_before_the_phase_are_said_not_to_count():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(square).result()
        with meter("trace", flops=True) as m:
            pool.submit(busy).result()
    assert m.cost.unseen_s > 0.05
    assert "work in threads from before the count" in str(m.cost)


def test_workers_of_a_loader_count_and_so_do_their_seconds():
    with meter("train", flops=True) as m:
        square()
        assert sum(len(batch) for batch in DataLoader(Squares(), batch_size=2, num_workers=2)) == 6
    assert m.cost.flops == 7 * ONE
    assert m.cost.children_counted_s > 0
    with meter("train", flops=True) as m:
        square()
    assert m.cost.flops == ONE


def test_a_worker_forked_inside_a_known_step_counts():
    fork = multiprocessing.get_context("fork")
    with meter("train", flops=True) as m:
        for _ in range(3):
            with m.step("fork"):
                process = fork.Process(target=squares, args=(2,))
                process.start()
                process.join()
    assert m.cost.flops == 3 * 2 * ONE


def test_a_meter_inside_a_forked_child_counts_itself_alone():
    fork = multiprocessing.get_context("fork")
    told: multiprocessing.Queue[int] = fork.Queue()

    def child(times):
        with meter("inside", flops=True) as inner:
            squares(times)
        told.put(inner.cost.flops)

    with meter("train", flops=True) as m:
        for times in (2, 3):
            process = fork.Process(target=child, args=(times,))
            process.start()
            process.join()
    assert [told.get(), told.get()] == [2 * ONE, 3 * ONE] and m.cost.flops == 5 * ONE


@pytest.mark.slow
def test_a_worker_started_afresh_counts_if_it_is_told_to():
    spawn = multiprocessing.get_context("spawn")
    with meter("train", flops=True) as m, ProcessPoolExecutor(1, spawn, m.worker) as pool:
        pool.submit(squares, 5).result()
    assert m.cost.flops == 5 * ONE


def test_a_process_that_cannot_be_counted_is_said_to_have_worked():
    with meter("train", flops=True) as m:
        subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert m.cost.children_cpu_s > 0.02
    assert "work in child processes:" in str(m.cost)
    assert m.cost.children_counted_s == 0


@pytest.mark.skipif(sys.platform != "linux", reason="children that still run are read from /proc")
def test_seconds_of_a_child_that_still_runs_are_seen():
    before = children_cpu_s()
    with subprocess.Popen([sys.executable, "-c", "sum(range(3_000_000)); input()"], stdin=subprocess.PIPE) as child:
        while children_cpu_s() - before < 0.03:
            assert child.poll() is None
            time.sleep(0.01)
        child.kill()


def test_passes_and_data_are_reported_to_all_open_meters():
    with meter("all") as outer, meter("train") as m:
        count_forwards(2)
        count_backwards()
        count_examples(4, tokens=64)
    assert str(m.cost).startswith("train: 2 forwards, 1 backward, 4 examples, 64 tokens, ")
    assert (outer.cost.backwards, outer.cost.examples, outer.cost.tokens) == (1, 4, 64)
    assert (outer.cost + m.cost).tokens == 128
    assert outer.cost.unattributed.tokens == 0


def test_a_thread_that_outlives_its_phase_can_meter_anew():
    closed, costs = threading.Event(), []

    def work():
        square()
        closed.wait()
        with meter("later", flops=True) as m:
            square()
        costs.append(m.cost.flops)

    with meter("trace", flops=True) as outer:
        thread = threading.Thread(target=work)
        thread.start()
        while not outer._counting.tally.count.flops:
            time.sleep(0.001)
    closed.set()
    thread.join()
    assert (outer.cost.flops, costs) == (ONE, [ONE])
