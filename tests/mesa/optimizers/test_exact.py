"""Compiled networks answer, after every layer, what their algorithm answers after as many steps; a weight that is off shows."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mesa.optimizers.drawn import FITS, WORLDS, apart, case, layers

from cutaway.mesa.optimizers import OPTIMIZERS
from cutaway.mesa.reference.parts import Attention, Gated, Layer, Neurons, Normalised, Part
from cutaway.mesa.reference.stack import Stack

SEEDS = st.integers(7000, 7999)


def test_every_optimizer_is_drawn() -> None:
    assert set(OPTIMIZERS) == {*FITS, *WORLDS} and len(OPTIMIZERS) >= 10


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(seed=SEEDS, steps=st.integers(1, 32))
@settings(max_examples=6)
def test_every_layer_answers_as_its_step_of_the_algorithm(name: str, seed: int, steps: int) -> None:
    prompts, optimizer = case(name, seed)
    network = optimizer.compiled(prompts.dim, steps)
    assert network.depth == steps
    assert apart(layers(network, prompts), optimizer.path(prompts, steps)) <= 1e-12


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(seed=SEEDS, steps=st.integers(1, 32))
@settings(max_examples=4)
def test_single_precision_is_as_exact_as_it_can_be(name: str, seed: int, steps: int) -> None:
    prompts, optimizer = case(name, seed)
    network = optimizer.compiled(prompts.dim, steps, torch.float32)
    rounded = prompts.to(torch.float32).to(torch.float64)
    assert apart(layers(network, prompts), optimizer.path(rounded, steps)) <= 1e-5


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(seed=SEEDS, steps=st.integers(1, 32), wider=st.integers(0, 20))
@settings(max_examples=4)
def test_any_basis_of_the_stream_gives_the_same_answers(name: str, seed: int, steps: int, wider: int) -> None:
    prompts, optimizer = case(name, seed)
    network = optimizer.compiled(prompts.dim, steps)
    turned = network.rotated(seed, network.space.width + wider)
    assert apart(layers(turned, prompts), optimizer.path(prompts, steps)) <= 1e-10


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_order_of_the_points_is_nothing_to_the_network(name: str) -> None:
    prompts, optimizer = case(name, 7001)
    network = optimizer.compiled(prompts.dim, 3)
    assert apart(layers(network, prompts.reordered(7)), layers(network, prompts)) <= 1e-12


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_query_is_answered_alike_whatever_else_is_asked(name: str) -> None:
    prompts, optimizer = case(name, 7002)
    network = optimizer.compiled(prompts.dim, 3)
    alone = layers(network, prompts.asking(prompts.queries[:, :1]))
    assert apart(alone, layers(network, prompts)[:, :, :1]) <= 1e-12


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_part_matters_a_weight_off_by_a_twentieth_shows(name: str) -> None:
    prompts, optimizer = next(drawn for seed in range(7003, 7099) if (drawn := case(name, seed))[0].dim > 3)
    network = optimizer.compiled(prompts.dim, 4)
    expected = optimizer.path(prompts, 4)
    layer = network.layers[1]
    assert isinstance(layer, Layer)
    for place, part in enumerate(layer.parts):
        off = max(apart(layers(_with(network, place, wrong), prompts), expected) for wrong in _off(part))
        assert off > 1e-5, f"{type(part).__name__} {place} of {name} can be changed unseen"


def _off(part: Part) -> list[Part]:
    """The part with one weight larger or smaller by 5 %, for every weight that is not 0 of the matrix it writes with."""
    assert isinstance(part, Attention | Neurons | Gated | Normalised)
    found: list[Part] = []
    for (row, column), factor in product(part.out.nonzero().tolist(), (0.95, 1.05)):
        out = part.out.clone()
        out[row, column] *= factor
        found.append(replace(part, out=out))
    return found


def _with(network: Stack, place: int, part: Part) -> Stack:
    """The network with another part at this place of its second layer."""
    layer = network.layers[1]
    assert isinstance(layer, Layer)
    parts = (*layer.parts[:place], part, *layer.parts[place + 1 :])
    return replace(network, layers=(network.layers[0], Layer(parts), *network.layers[2:]))
