"""Pruning on networks whose circuit is known, and on networks and tasks that have none."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from benchmarks.dial_nulls import Shuffled, with_shuffled_weights

from cutaway.dial.planted import Planted
from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.masked import nodes_of
from cutaway.dial.prune.null import counting_null
from cutaway.dial.prune.prune import NotSolved, Settings, prune, search_all

ONE = Settings(searches=1, training=128, selection=96, seed=7001)


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted("exactly-one", 7001)


@pytest.fixture(scope="module")
def windows(planted) -> torch.Tensor:
    return planted.windows(256, 7001)


@pytest.fixture(scope="module")
def found(planted, windows):
    return prune(planted.network, planted.task, windows, replace(ONE, searches=2))


def test_a_planted_circuit_is_found_to_the_last_edge(planted, found):
    circuit = found.circuit
    assert circuit is not None and circuit.minimal
    assert all(torch.equal(circuit.edges[name], there) for name, there in planted.edges.items())
    assert torch.equal(circuit.kept, planted.nodes)


def test_removing_any_edge_of_a_minimal_circuit_breaks_its_claim(planted, found):
    circuit = found.circuit
    selection = planted.task.examples(ONE.selection, "selection", ONE.seed)
    criterion = Criterion(planted.network, circuit.nodes, selection, ONE.target, ONE.complements, ONE.seed)
    assert criterion.edges_over(circuit.kept, circuit.edges) <= 0
    for name, there in circuit.edges.items():
        for row, column in there.nonzero().tolist():
            fewer = {**circuit.edges, name: there.clone()}
            fewer[name][row, column] = False
            assert criterion.edges_over(circuit.kept, fewer) > 0, (name, row, column)


def test_pruning_does_not_depend_on_how_neurons_are_numbered(planted, windows, found):
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    other = copy.deepcopy(planted.network)
    for block in other.blocks:
        mlp = block.mlp
        mlp.up.weight.data, mlp.up.bias.data = mlp.up.weight[order], mlp.up.bias[order]
        mlp.down.weight.data = mlp.down.weight[:, order]
    circuit = prune(other, planted.task, windows, ONE).circuit
    for layer in range(2):
        up = f"blocks.{layer}.mlp.up"
        assert torch.equal(circuit.edges[up], found.circuit.edges[up][order])


def test_every_search_is_listed_and_the_smallest_circuit_is_kept(found):
    assert [search.seed for search in found.searches] == [7001, 7002]
    assert found.circuit.size == min(search.circuit.size for search in found.searches)
    lost = replace(found, searches=tuple(replace(search, circuit=None) for search in found.searches))
    assert lost.circuit is None


def test_shuffled_weights_have_no_circuit(planted, windows):
    network = with_shuffled_weights(planted.network, seed=0)
    assert search_all(network, planted.task, nodes_of(network, windows), ONE).circuit is None


def test_shuffled_answers_have_no_circuit(planted, windows):
    none = search_all(planted.network, Shuffled(planted.task), nodes_of(planted.network, windows), ONE)
    assert none.circuit is None
    assert none.own > 0.5


def test_a_network_that_does_not_solve_the_task_is_refused_in_words(planted, windows):
    with pytest.raises(NotSolved, match=r"not solved: .* has loss .* against target 0\.15; nothing to prune"):
        prune(with_shuffled_weights(planted.network, seed=0), planted.task, windows, ONE)


def test_a_target_below_the_networks_own_loss_is_refused(planted, windows):
    with pytest.raises(NotSolved, match=r"against target 0\.001"):
        prune(planted.network, planted.task, windows, replace(ONE, target=0.001))


def test_a_network_with_damaged_weights_is_no_network_without_a_circuit(planted, windows):
    broken = copy.deepcopy(planted.network)
    broken.embed.weight.data[:] = torch.nan
    with pytest.raises(NotSolved, match="loss nan"):
        prune(broken, planted.task, windows, ONE)
    with pytest.raises(ValueError, match="damaged"):
        search_all(broken, planted.task, nodes_of(planted.network, windows), ONE)


@pytest.mark.parametrize("wrong", [{"target": 0.0}, {"target": 0.7}, {"searches": 0}, {"selection": -2}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Settings(**wrong)


def test_the_counting_null_grows_with_the_set_and_ends_at_all_weights(planted, windows):
    network, nodes = planted.network, nodes_of(planted.network, windows)
    few, more = (counting_null(network, nodes, size, draws=3) for size in (20, 400))
    every = sum(
        int(p.count_nonzero()) for name, p in network.named_parameters() if name.startswith("blocks") and p.ndim == 2
    )
    assert few < more < counting_null(network, nodes, len(nodes), draws=1) == every
    with pytest.raises(ValueError, match="expected from 1"):
        counting_null(network, nodes, 0)
