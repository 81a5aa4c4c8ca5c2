"""What is said of a circuit on fresh examples, of a planted one and of wrong ones."""

from __future__ import annotations

from dataclasses import replace
from math import comb, log2

import pytest
import torch

from cutaway.dial.planted import Planted
from cutaway.dial.prune.adversary import adversary
from cutaway.dial.prune.bits import description, rounded_loss, subset
from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.edges import between, count
from cutaway.dial.prune.fresh import fresh
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.prune import TaskCircuit

TARGET = 0.15


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted("both", 7001)


@pytest.fixture(scope="module")
def circuit(planted) -> TaskCircuit:
    nodes = nodes_of(planted.network, planted.windows(256, 7001))
    return TaskCircuit(planted.task.name, nodes, planted.nodes, planted.edges, minimal=True)


@pytest.fixture(scope="module")
def examples(planted):
    return planted.task.examples(64, "test", 7001)


def test_a_true_circuit_holds_and_what_is_beside_it_does_not(planted, circuit, examples):
    found = fresh(planted.network, circuit, examples, TARGET)
    assert found.holds(TARGET) and found.solved == 1 and found.own <= TARGET
    assert found.without > 0.3  # it was needed
    assert found.less_one > TARGET
    assert found.random > 0.3
    assert found.count == 64


def test_a_circuit_less_an_edge_does_not_hold(planted, circuit, examples):
    name = next(name for name, there in circuit.edges.items() if there.any())
    fewer = {**circuit.edges, name: torch.zeros_like(circuit.edges[name])}
    assert not fresh(planted.network, replace(circuit, edges=fewer, minimal=False), examples, TARGET).holds(TARGET)


def test_an_adversary_cannot_break_what_nothing_else_reaches_and_breaks_an_empty_set(planted, circuit, examples):
    network = planted.network
    true = adversary(network, circuit.nodes, circuit.kept, examples, steps=(0, 5), restarts=2)
    empty = adversary(network, circuit.nodes, torch.zeros_like(circuit.kept), examples, steps=(0, 5), restarts=2)
    assert true.steps == (0, 5) and true.loss[-1] <= 2 * TARGET
    assert empty.loss[-1] > 0.5


def test_a_description_tells_nodes_edges_and_weights(planted, circuit, examples):
    criterion = Criterion(planted.network, circuit.nodes, examples, TARGET)
    bits = description(criterion, circuit)
    edges, nodes = circuit.size
    assert bits.nodes == pytest.approx(log2(comb(len(circuit.nodes), nodes)))
    assert bits.edges == pytest.approx(log2(comb(count(between(planted.network, circuit.nodes, circuit.kept)), edges)))
    assert bits.weights == bits.each * edges
    assert bits.total == bits.nodes + bits.edges + bits.weights
    assert rounded_loss(criterion, circuit, bits.each) <= TARGET
    assert bits.each == 1 or rounded_loss(criterion, circuit, bits.each - 1) > TARGET


def test_fine_weights_are_the_weights(planted, circuit, examples):
    criterion = Criterion(planted.network, circuit.nodes, examples, TARGET)
    with torch.no_grad():
        exact = float(criterion.cut(circuit.kept, circuit.edges, 0, examples).mean())
    assert rounded_loss(criterion, circuit, 16) == pytest.approx(exact, abs=1e-3)


def test_all_or_nothing_takes_no_bits():
    assert subset(10, 0) == subset(10, 10) == 0
    assert subset(10, 1) == pytest.approx(log2(10))
