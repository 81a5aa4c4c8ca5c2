"""Directions of one tensor taken away together: in any order, as one subspace, whatever they overlap with."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import torch
from torch import Tensor

from cutaway.network import Site
from cutaway.submodels import Directions, SubModel, as_submodel, baseline, orthonormal, take_away
from cutaway.submodels.submodel import sites_of

from .networks import decompositions, directions, drawn, opened, output

WIDTH = 16
ROWS = orthonormal(drawn(4, WIDTH, seed=2))
KINDS = ("zero", "mean", "resample")


def way(label: str, rows: Tensor, site: str = "resid_post.0", write: Tensor | None = None) -> SubModel:
    """A sub-model that is one direction, or several."""
    one = Directions(Site.parse(site), rows, write, label)
    return SubModel(label, (one.name,), (one,))


def leaning(angle: float, label: str, site: str = "resid_post.0") -> SubModel:
    """A direction at this angle from the first row."""
    rows = torch.tensor(angle).cos() * ROWS[:1] + torch.tensor(angle).sin() * ROWS[1:2]
    return way(label, rows, site)


def without(parts: Any, kind: Any = "zero") -> Tensor:
    """The logits without these parts."""
    net, given = opened("own")
    gone = as_submodel(parts)
    return output(net, given, take_away(net, gone, baseline(net, net.batch(given), sites_of(net, gone), kind)))


def neuron(index: int, site: str = "mlp_act.0") -> str:
    return f"{site}[neuron={index}]"


def one_hot(index: int, width: int = 10) -> Tensor:
    return torch.eye(width)[index : index + 1]


OVERLAPPING = {
    "leaning": [way("a", ROWS[:1]), leaning(0.5, "b"), leaning(1.2, "c")],
    "oblique": [
        SubModel("plane", (one.name,), (one,)) for one in (directions("resid_post.0", WIDTH, True),)
    ] + [way("a", ROWS[:2])],
    "nested": [way("a", ROWS[:1]), leaning(0.5, "b", "resid_post.0[pos=-1]"), way("c", ROWS[2:3])],
    "neurons": [way("a", orthonormal(drawn(2, 10)), "mlp_act.0"), as_submodel(neuron(3)), as_submodel(neuron(7))],
    "slices": [
        way("a", orthonormal(drawn(2, 10)), "mlp_act.0"),
        SubModel("b", (neuron(3), neuron(7)), (decompositions("own", "neurons")[0],)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", OVERLAPPING)
def test_the_order_of_overlapping_directions_does_not_matter(case: str, kind: str) -> None:
    first, *rest = (without(order, kind) for order in permutations(OVERLAPPING[case]))
    assert all(torch.allclose(first, other, atol=1e-5) for other in rest)
    assert not torch.allclose(first, without([], kind), atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_overlapping_directions_go_as_the_plane_that_they_span(kind: str) -> None:
    assert torch.allclose(
        without([way("a", ROWS[:1]), leaning(0.4, "b")], kind), without(way("both", ROWS[:2]), kind), atol=1e-4
    )
    last = [way("a", ROWS[:1]), leaning(0.4, "b", "resid_post.0[pos=-1]")]
    by_hand = [way("a", ROWS[:1], "resid_post.0[pos=:-1]"), way("both", ROWS[:2], "resid_post.0[pos=-1]")]
    assert torch.allclose(without(last, kind), without(by_hand, kind), atol=1e-4)


def test_orthogonal_directions_go_as_one_after_the_other() -> None:
    net, given = opened("own")
    several = [way("a", ROWS[:1]), way("b", ROWS[1:3]), way("c", ROWS[3:])]
    zero = baseline(net, net.batch(given), [], "zero")
    one_by_one = output(net, given, [edit for one in several for edit in take_away(net, one, zero)])
    assert torch.allclose(without(several), one_by_one, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_direction_given_twice_counts_once(kind: str) -> None:
    once = without(way("a", ROWS[:2]), kind)
    for twice in (way("again", ROWS[:2]), way("turned", -ROWS[[1, 0]]), way("last", ROWS[:1], "resid_post.0[pos=-1]")):
        assert torch.allclose(without([way("a", ROWS[:2]), twice], kind), once, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_direction_beside_the_neurons_it_is_made_of_changes_nothing_more(kind: str) -> None:
    for part in (neuron(3), "mlp_act.0", neuron(3, "mlp_act.0").replace("=3", "=2:5")):
        assert torch.allclose(without([way("a", one_hot(3), "mlp_act.0"), part], kind), without(part, kind), atol=1e-6)
    mixed = way("a", orthonormal(one_hot(3) + one_hot(4)), "mlp_act.0")
    both = without([neuron(3), neuron(4)], kind)
    assert torch.allclose(without([mixed, neuron(3)], kind), both, atol=1e-5)


def test_a_whole_tensor_taken_away_leaves_its_directions_nothing() -> None:
    whole = without("mlp_out.0", "mean")
    assert torch.allclose(without(["mlp_out.0", way("a", ROWS[:2], "mlp_out.0")], "mean"), whole, atol=1e-5)


@pytest.mark.parametrize(
    ("several", "message"),
    [
        ([way("a", ROWS[:1], "resid_post.0[pos=-1]"), leaning(0.3, "b", "resid_post.0[pos=4]")], "are not orthogonal"),
        ([way("a", ROWS[:1], "resid_post.0[pos=0:3]"), leaning(0.3, "b", "resid_post.0[pos=2:]")], "not orthogonal"),
        ([way("a", orthonormal(drawn(1, 10)), "mlp_act.0"), "mlp_act.0[neuron=3,pos=-1]"], "the same positions"),
        ([way("a", ROWS[:1]), way("b", ROWS[:1], write=ROWS[:1] + ROWS[1:2])], "cannot be taken away together"),
    ],
)
def test_an_overlap_without_a_joint_subspace_is_refused(several: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        without(several)


@pytest.mark.parametrize(
    ("one", "other"), [("pos=-1", "pos=-2"), ("pos=0:2", "pos=2:"), ("pos=-3:-1", "pos=-1"), ("pos=0", "pos=3")]
)
def test_directions_at_different_positions_do_not_meet(one: str, other: str) -> None:
    several = [way("a", ROWS[:1], f"resid_post.0[{one}]"), leaning(0.3, "b", f"resid_post.0[{other}]")]
    assert torch.equal(without(several), without(several[::-1]))


def test_orthogonal_directions_may_cross() -> None:
    several = [way("a", ROWS[:1], "resid_post.0[pos=-1]"), way("b", ROWS[1:2], "resid_post.0[pos=2:]")]
    assert torch.allclose(without(several), without(several[::-1]), atol=1e-5)
