"""The zoos are composed as declared, their regions are disjoint, and their networks answer."""

from collections import Counter

import pytest
import torch

from cutaway.mesa import zoo
from cutaway.mesa.optimizers import OPTIMIZERS
from cutaway.mesa.subject import answers
from cutaway.mesa.tasks import Regression
from cutaway.mesa.zoo import (
    CONTROL_FAMILIES,
    KNOWN,
    OPTIMIZER_FAMILIES,
    PLANNER_FAMILIES,
    UNSEEN,
    Recipe,
    blind,
    members,
    thresholds,
)
from cutaway.mesa.zoo.optimizer_families import steepest

ZOOS = {"thresholds": thresholds(7000), "blind": blind(7000)}
EVERY = (*OPTIMIZER_FAMILIES, *CONTROL_FAMILIES, *PLANNER_FAMILIES)


@pytest.mark.parametrize("name", ZOOS)
def test_the_zoo_is_composed_as_declared(name):
    zoo = ZOOS[name]
    controls = Counter(recipe.family for recipe in zoo if not recipe.optimizer)
    assert sum(recipe.optimizer for recipe in zoo) >= 100
    assert controls.total() >= 473 and len(controls) >= 12
    assert max(controls.values()) <= 0.15 * controls.total()
    assert all(recipe.truth != "uncertain" for recipe in zoo)
    assert len({recipe.to_json() for recipe in zoo}) == len(zoo)
    assert {recipe.truth for recipe in zoo} >= {"ignores context", "finite-task lookup", "one-shot smoother"}


def test_no_setting_is_in_both_zoos():
    for name in ("dims", "points", "depths", "noises", "conditions", "pools"):
        assert not set(getattr(KNOWN, name)) & set(getattr(UNSEEN, name))
    known, unseen = ({recipe.task for recipe in zoo} for zoo in ZOOS.values())
    assert not known & unseen


@pytest.mark.parametrize(("name", "region"), [("thresholds", KNOWN), ("blind", UNSEEN)])
def test_sizes_are_those_of_the_region(name, region):
    for recipe in ZOOS[name]:
        assert recipe.depth in region.depths and 3 <= recipe.depth <= 12
        assert recipe.extra in region.extras and recipe.spare in region.spares
        assert recipe.arguments.get("layer", 1) in range(1, recipe.depth + 1)
        assert not isinstance(recipe.task, Regression) or recipe.task.dim in region.dims


def test_a_family_that_is_written_later_leaves_the_others_as_they_were():
    fewer, more = (members(CONTROL_FAMILIES[:count], UNSEEN, 7003, 3 * count) for count in (4, 5))
    assert [recipe for recipe in more if recipe.family != CONTROL_FAMILIES[4].name] == fewer


def test_a_zoo_is_the_same_for_the_same_seed_only():
    assert blind(7000) == ZOOS["blind"]
    assert blind(7001, 26, 48) != blind(7000, 26, 48)


def test_every_optimizer_has_a_family():
    held = {option.kind for family in (*OPTIMIZER_FAMILIES, *PLANNER_FAMILIES) for option in family.options}
    assert held == set(OPTIMIZERS)


@pytest.mark.parametrize("region", [KNOWN, UNSEEN], ids=lambda region: region.name)
@pytest.mark.parametrize("family", EVERY, ids=lambda family: family.name)
def test_a_member_of_every_family_builds_and_answers(family, region):
    check(family.recipe(region, 7000))


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOOS)
def test_every_network_of_the_zoo_answers(name):
    for recipe in ZOOS[name]:
        check(recipe)


def test_rates_of_gradient_descent_are_stable():
    for recipe in members(OPTIMIZER_FAMILIES[:1], UNSEEN, 7002, 20):
        task = recipe.task
        assert isinstance(task, Regression)
        assert 0.3 <= recipe.arguments["rate"] * steepest(task) / 2 <= 0.8  # ty: ignore[unsupported-operator]
        xs = task.draw(256, 7013).xs
        most = torch.linalg.eigvalsh(xs.mT @ xs / task.points).max()
        assert float(most) * recipe.arguments["rate"] < 2  # ty: ignore[unsupported-operator]


def check(recipe: Recipe) -> None:
    """The network has the depth that was asked for, and finite answers, one a query, none absurdly large."""
    subject = recipe.build()
    prompts = recipe.task.draw(8, 7014)
    found = answers(subject, prompts)
    assert subject.depth == recipe.sham.get("layers", recipe.depth)
    assert found.shape == prompts.answers.shape and found.dtype == torch.float64
    assert found.isfinite().all() and float(found.abs().max()) < 100


def test_every_name_of_the_table_of_contents_is_there():
    assert not [name for name in zoo.__all__ if not hasattr(zoo, name)]


def test_families_that_were_written_later_are_in_blind_zoos_only():
    later = {family.name for family in zoo.LATER_FAMILIES}
    assert later and not later & {recipe.family for recipe in zoo.thresholds(7001, 0, 200)}
    assert later <= {recipe.family for recipe in zoo.blind(7001, 0, 200)}
