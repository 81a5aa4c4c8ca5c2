"""Laws of the trainable subject: it composes, queries are alone, the order of points does not matter, loops share weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cutaway.mesa.reference.transformer import Shape, Transformer
from cutaway.mesa.subject import State, Tokens, answers, states
from cutaway.mesa.tasks import Regression

SHAPE = Shape(dim=3, width=16, heads=2, layers=3, hidden=24)
PROMPTS = Regression(dim=3, points=7, queries=5).draw(4, 7001)
SHAPES = [
    SHAPE,
    replace(SHAPE, tied=True, sink=True, norm="rms", act="relu"),
    replace(SHAPE, attention="linear", norm="none", hidden=0, d_head=5),
]
every = pytest.mark.parametrize("shape", SHAPES, ids=["softmax", "looped", "linear"])


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-5, atol=1e-6)


@every
@torch.no_grad()
def test_running_in_two_parts_is_running_at_once(shape):
    network = Transformer(shape, 1)
    start = network.start(PROMPTS)
    assert same(network.run(network.run(start, 0, 1), 1, 3).stream, network.run(start, 0, 3).stream)
    assert torch.equal(network.run(start, 2, 2).stream, start.stream)
    assert len(states(network, PROMPTS)) == network.depth + 1
    assert same(answers(network, PROMPTS), network(PROMPTS))


@every
@torch.no_grad()
def test_a_query_does_not_depend_on_other_queries(shape):
    network = Transformer(shape, 1)
    alone = answers(network, PROMPTS.asking(PROMPTS.queries[:, 2:3]))
    assert same(alone[:, 0], answers(network, PROMPTS)[:, 2])


@every
@torch.no_grad()
def test_the_order_of_points_does_not_matter_and_their_labels_do(shape):
    network = Transformer(shape, 1)
    assert same(answers(network, PROMPTS.reordered(3)), answers(network, PROMPTS))
    assert not same(answers(network, PROMPTS.shuffled(3)), answers(network, PROMPTS))


@every
def test_the_same_seed_makes_the_same_network_and_leaves_the_global_generator_alone(shape):
    before = torch.get_rng_state()
    one, same, other = (Transformer(shape, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["embed.weight"], other["embed.weight"])


def test_a_looped_network_has_the_weights_of_one_block_and_the_depth_of_all():
    looped, single = Transformer(SHAPES[1]), Transformer(replace(SHAPES[1], layers=1))
    assert looped.depth == 3
    assert [weight.shape for weight in looped.parameters()] == [weight.shape for weight in single.parameters()]


@torch.no_grad()
def test_a_high_sink_leaves_nothing_to_read():
    network = Transformer(replace(SHAPES[1], hidden=0))
    network.blocks[0].attn.sink.fill_(60.0)
    start = network.start(PROMPTS)
    assert same(network.run(start, 0, 3).stream, start.stream)


@torch.no_grad()
def test_work_tokens_are_seen_and_queries_are_not():
    network = Transformer(SHAPE, 1)
    state = network.start(PROMPTS)
    work = State(torch.cat([state.stream, state.stream[:, :2]], 1), Tokens(7, 5, 2))
    moved = work.having(work.stream.clone())
    moved.stream[:, 12, 0] += 1.0
    assert not same(network.run(moved, 0, 1).asked, network.run(work, 0, 1).asked)
    moved = work.having(work.stream.clone())
    moved.stream[:, 7, 0] += 1.0
    assert same(network.run(moved, 0, 3).stream[:, 8:], network.run(work, 0, 3).stream[:, 8:])


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"layers": 0}, {"hidden": -1}, {"heads": 3}, {"attention": "cosine"}, {"norm": "batch"}]
)
def test_shapes_that_make_no_network_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(SHAPE, **wrong)


def test_problems_and_layers_that_do_not_fit_are_refused():
    network = Transformer(SHAPE)
    with pytest.raises(ValueError, match="4 coordinates; the network takes 3"):
        network.start(Regression(dim=4).draw(2, 7001))
    state = network.start(PROMPTS)
    with pytest.raises(ValueError, match="0 ≤ first ≤ last ≤ depth"):
        network.run(state, 2, 1)
    with pytest.raises(ValueError, match="expected \\[12, 16\\]"):
        network.run(state.having(state.stream[:, :, 1:]), 0, 1)
