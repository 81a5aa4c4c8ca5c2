"""The worst masks: they find a used part that was left out, and nothing where there is nothing."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from cutaway.network import LogitDifference, Network, Site
from cutaway.organisms.compiled import Organism, compile
from cutaway.organisms.opening import open_compiled
from cutaway.submodels import Baseline, Curve, adversary, as_submodel, baseline, take_away

STEPS = (0, 5, 15)


@cache
def case(program: str) -> tuple[Organism, Network, LogitDifference, Baseline]:
    organism = compile(program, 0)
    net = open_compiled(organism)
    batch = net.batch(list(organism.prompts))
    layers = range(organism.network.shape.layers)
    sites = [*(Site("z", layer) for layer in layers), *(Site("mlp_out", layer) for layer in layers)]
    metric = LogitDifference(torch.tensor(organism.answers), torch.tensor(organism.instead))
    return organism, net, metric, baseline(net, batch, sites, "resample", draws=4)


def curve(program: str, parts: list[str], **more: object) -> Curve:
    organism, net, metric, values = case(program)
    rest = [as_submodel(part) for part in parts]
    return adversary(net, list(organism.prompts), metric, rest, values, STEPS, 2, **more)  # type: ignore[arg-type]


def effect(program: str, part: str, draws: range) -> float:
    """Mean size of the effect of taking one part away, with these donors."""
    organism, net, metric, values = case(program)
    batch, rows = net.batch(list(organism.prompts)), torch.arange(len(organism.prompts))
    clean = metric(net(batch), rows)
    gone = [metric(net.run(batch, take_away(net, as_submodel(part), values, draw)).output, rows) for draw in draws]
    return float((torch.stack(gone) - clean).abs().mean())


@pytest.mark.parametrize("program", ["quote", "bigram", "conditional", "brackets"])
def test_a_used_part_that_was_left_in_the_rest_is_found(program: str) -> None:
    organism = case(program)[0]
    left_out = sorted(organism.used)[0]
    found = curve(program, [left_out, *sorted(organism.inert)[:3]])
    assert found.moved[-1] >= 0.9 * effect(program, left_out, range(2, 4)) > 0
    assert found.masks[left_out] < 0.1


@pytest.mark.parametrize("program", ["quote", "bigram", "conditional"])
def test_with_only_inert_parts_the_curve_is_exactly_zero(program: str) -> None:
    found = curve(program, sorted(case(program)[0].inert))
    assert found.found == found.moved == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("program", ["quote", "fact", "pointer", "majority"])
@pytest.mark.parametrize("seed", [0, 1])
def test_more_steps_never_find_less(program: str, seed: int) -> None:
    organism = case(program)[0]
    found = curve(program, sorted(organism.used | organism.noise), seed=seed, rate=0.7).found
    assert list(found) == sorted(found)
    assert found[-1] > 0


def test_a_seed_gives_the_same_curve_and_another_another() -> None:
    parts = sorted(case("fact")[0].used)
    first, again, other = (curve("fact", parts, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert (first.seed, other.seed) == (0, 1)
    assert first.found[0] != other.found[0]


def test_no_parts_at_all_move_nothing() -> None:
    assert curve("quote", []).moved == (0.0, 0.0, 0.0)


def test_masks_stay_between_nothing_and_all() -> None:
    masks = curve("brackets", sorted(case("brackets")[0].used), rate=0.8).masks
    assert all(0 <= mask <= 1 for mask in masks.values())
    assert len(masks) == 3
