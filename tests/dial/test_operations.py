"""Operations are counted: a batch costs as much as its windows, and neurons that are dead as much as none."""

from dataclasses import replace

import torch
from tests.dial.small import RECIPE, SHAPE, network

from cutaway.dial.operations import of_a_window, operations
from cutaway.dial.transformer import SparseShape
from cutaway.ledger import count_flops
from cutaway.training.loop import cross_entropy


def test_a_step_executes_what_its_windows_do():
    net, windows = network(), torch.randint(SHAPE.vocab, (RECIPE.batch, RECIPE.context + 1))
    step = count_flops(lambda: cross_entropy(net, windows).backward())
    assert step == RECIPE.batch * of_a_window(SHAPE, RECIPE.context)
    assert operations(net, RECIPE).executed == RECIPE.steps * step


def test_of_a_dense_network_everything_is_useful():
    found = operations(network(), RECIPE)
    assert found.useful == found.executed > 0


def test_dead_neurons_are_as_useful_as_none():
    net, fewer = network(), network(shape=replace(SHAPE, hidden=SHAPE.neurons - 10))
    with torch.no_grad():
        net.blocks[0].mlp.up.weight[:10] = 0
        net.blocks[0].mlp.down.weight[:, :10] = 0
    assert operations(net, RECIPE).useful == operations(fewer, RECIPE).executed


def test_biases_and_tables_that_are_looked_up_are_not_multiplied_with():
    net = network()
    with torch.no_grad():
        for weight in (net.embed.weight, net.bigram.weight, net.position.weight, net.blocks[0].mlp.up.bias):
            weight.zero_()
    assert operations(net, RECIPE).useful == operations(net, RECIPE).executed


def test_operations_are_counted_where_another_library_keeps_constructors_on_the_cpu(monkeypatch):
    """As transformers does while it loads a model, whose wrapper torch then keeps for the process."""
    linspace = torch.linspace
    monkeypatch.setattr(torch, "linspace", lambda *given, **named: linspace(*given, **{"device": "cpu", **named}))
    shape = SparseShape(vocab=11, context=8, width=16, layers=1, positions="recent")
    assert of_a_window.__wrapped__(shape, 8) == of_a_window(replace(shape, positions="none"), 8)
