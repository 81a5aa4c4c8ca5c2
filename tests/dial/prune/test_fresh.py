"""What is said of a circuit on fresh examples, of a planted one and of wrong ones."""

from __future__ import annotations

from math import comb, log2

import pytest
import torch
from tests.dial.prune.planted import COUNT, PLANTED, SETTINGS, circuit, less_one

from cutaway.dial.prune.adversary import adversary, curves
from cutaway.dial.prune.bits import description, rounded_loss, subset
from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.edges import between, count
from cutaway.dial.prune.fresh import fresh
from cutaway.dial.prune.prune import TaskCircuit
from cutaway.dial.prune.reruns import Reruns
from cutaway.dial.prune.saved import Saved

TARGET = SETTINGS.target


def reruns(of: TaskCircuit) -> Reruns:
    return Reruns(PLANTED.network, Saved(of, SETTINGS, 7001, ""), PLANTED.task, 7001, COUNT)


@pytest.fixture(scope="module")
def examples():
    return PLANTED.task.examples(64, "test", 7001)


def test_a_true_circuit_passes_and_no_wrong_one_does() -> None:
    found = fresh(reruns(circuit()))
    assert (found.count, found.solved) == (COUNT, 1) and found.own <= TARGET
    passed = {(row["check"], row["of"]): (row["tried"], row["passed"]) for row in found.power}
    assert passed.pop(("necessary", "random, as many nodes"))[1] < 5  # a random set may hold a node that is needed
    assert passed == {
        ("sufficient", "the circuit"): (1, 1),
        ("sufficient", "less one edge"): (min(10, circuit().size[0]), 0),
        ("sufficient", "random, as many nodes"): (10, 0),
        ("necessary", "the circuit"): (1, 1),
    }


def test_a_circuit_less_an_edge_does_not_pass() -> None:
    assert fresh(reruns(less_one())).power.rows()[0]["passed"] == 0


def test_an_adversary_gets_further_with_wrong_sets(examples) -> None:
    criterion = reruns(circuit()).tried
    found = curves(criterion, circuit().kept, examples, steps=(0, 5))
    true, *wrong = found["5 steps"]
    assert len(found) == 3 and true <= 2 * TARGET and 10 * true < min(wrong)


def test_an_adversary_cannot_break_what_nothing_else_reaches_and_breaks_an_empty_set(examples):
    one = circuit()
    true = adversary(PLANTED.network, one.nodes, one.kept, examples, steps=(0, 5), restarts=2)
    empty = adversary(PLANTED.network, one.nodes, torch.zeros_like(one.kept), examples, steps=(0, 5), restarts=2)
    assert true.steps == (0, 5) and true.loss[-1] <= 2 * TARGET
    assert empty.loss[-1] > 0.5


def test_a_description_tells_nodes_edges_and_weights(examples):
    one = circuit()
    criterion = Criterion(PLANTED.network, one.nodes, examples, TARGET)
    bits = description(criterion, one)
    edges, nodes = one.size
    assert bits.nodes == pytest.approx(log2(comb(len(one.nodes), nodes)))
    assert bits.edges == pytest.approx(log2(comb(count(between(PLANTED.network, one.nodes, one.kept)), edges)))
    assert bits.weights == bits.each * edges
    assert bits.total == bits.nodes + bits.edges + bits.weights
    assert rounded_loss(criterion, one, bits.each) <= TARGET
    assert bits.each == 1 or rounded_loss(criterion, one, bits.each - 1) > TARGET


def test_fine_weights_are_the_weights(examples):
    one = circuit()
    criterion = Criterion(PLANTED.network, one.nodes, examples, TARGET)
    with torch.no_grad():
        exact = float(criterion.cut(one.kept, one.edges, 0, examples).mean())
    assert rounded_loss(criterion, one, 16) == pytest.approx(exact, abs=1e-3)


def test_all_or_nothing_takes_no_bits():
    assert subset(10, 0) == subset(10, 10) == 0
    assert subset(10, 1) == pytest.approx(log2(10))
