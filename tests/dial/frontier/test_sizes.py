"""Ratios of circuits are over the tasks that both sides have, and are within their interval as often as is said."""

from math import log

import numpy as np
import pytest
from tests.dial.frontier.made import circuit
from tests.dial.swept import row

from cutaway.dial.frontier.sizes import Sizes, ratio, shared
from cutaway.dial.setting import Setting

TASKS = tuple(f"task {number}" for number in range(12))


def sizes(edges: np.ndarray, pressure: str = "dense", tasks: tuple[str, ...] = TASKS) -> Sizes:
    """Of a setting with circuits of so many edges, [run, task]; NaN: none."""
    runs = [row(pressure, 0, seed, 0.01, 1.0, 1.6) for seed in range(len(edges))]
    found = {
        (run["name"], task): circuit(run, task, lambda *_, each=each: None if np.isnan(each) else float(each))
        for run, line in zip(runs, edges)
        for task, each in zip(tasks, line)
    }
    return Sizes.of(Setting(tuple(runs)), found, tasks)


def drawn(rng: np.random.Generator, middle: float, of_tasks: np.ndarray) -> np.ndarray:
    """Sizes that vary with the run, the task and both."""
    runs = 0.4 * rng.standard_normal((3, 1))
    return np.exp(middle + runs + of_tasks + 0.8 * rng.standard_normal((3, 12)))


@pytest.mark.parametrize("factor", [1.0, 20.0])
def test_a_known_ratio_is_within_its_interval_as_often_as_stated_and_none_is_1(factor: float) -> None:
    within, wide = [], []
    for seed in range(30):
        rng = np.random.default_rng((7000, seed))
        of_tasks = rng.standard_normal(12)
        large = sizes(drawn(rng, 9.0 + log(factor), of_tasks + 0.3 * rng.standard_normal(12)))
        found = ratio(large, sizes(drawn(rng, 9.0, of_tasks), "p"), "edges", seed)
        within.append(found.low <= factor <= found.high)
        wide.append(found.high / found.low)
    assert np.median(wide) < 16
    assert np.mean(within) >= 0.9


def test_the_mean_is_geometric_and_the_null_divides() -> None:
    one = sizes(np.array([[2.0, 8.0], [2.0, 8.0]]), tasks=TASKS[:2])
    assert one.mean("edges").value == pytest.approx(4.0)
    assert one.mean("over_null").value == pytest.approx(0.5)


def test_a_task_without_a_circuit_in_one_run_counts_for_none_and_is_told() -> None:
    one = sizes(np.array([[2.0, 8.0, 5.0], [2.0, float("nan"), 5.0]]), tasks=TASKS[:3])
    other = sizes(np.array([[1.0, 4.0, float("nan")]] * 2), "p", TASKS[:3])
    assert one.tasks == ("task 0", "task 2") and one.lacking == {"task 1": "not solved in 1 of 2 runs"}
    assert shared(one, other) == ("task 0",)
    assert ratio(one, other, "edges").value == pytest.approx(2.0) == ratio(one, other, "nodes").value * 2
    assert ratio(one, sizes(np.full((2, 3), float("nan")), "p", TASKS[:3]), "edges") is None


def test_with_one_task_or_one_run_there_is_no_interval() -> None:
    many, one_run, one_task = (
        sizes(np.ones((3, 12))),
        sizes(np.ones((1, 12)), "p"),
        sizes(np.ones((3, 1)), "p", TASKS[:1]),
    )
    assert ratio(many, sizes(np.ones((3, 12)), "p"), "edges").low is not None
    for other in (one_run, one_task):
        found = ratio(many, other, "edges")
        assert found.value == 1.0 and found.low is None


def test_a_circuit_without_edges_counts_as_one_edge_and_is_counted() -> None:
    one = sizes(np.array([[0.0, 40.0], [20.0, 40.0]]), tasks=TASKS[:2])
    assert one.floored == 1
    assert one.mean("edges").value == pytest.approx((1 * 40 * 20 * 40) ** 0.25)
