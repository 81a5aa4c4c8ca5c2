"""A recipe is the network: it survives being written down, and builds the same one every time."""

import pytest
import torch

from cutaway.mesa.controls import RidgePath, Sham
from cutaway.mesa.reference import Stack
from cutaway.mesa.subject import answers
from cutaway.mesa.tasks import Regression
from cutaway.mesa.zoo import Recipe, from_lines, thresholds, to_lines

TASK = Regression(dim=3, points=8, queries=4)
PATH = Recipe("ridge path", "ridge path", "stateless re-solver", {"first": 5.0}, TASK, 7, 4, extra=6, spare=2)


def test_recipes_survive_being_written_down():
    zoo = thresholds(7000, 26, 48)
    assert from_lines(to_lines(zoo)) == zoo
    assert len(to_lines(zoo).splitlines()) == 74


def test_what_is_built_answers_as_what_the_recipe_names():
    prompts = TASK.draw(3, 7010)
    built = PATH.build()
    assert isinstance(built, Stack)
    assert built.depth == 4 and built.start(prompts).stream.shape[-1] == 3 + 1 + 1 + 6 + 2
    torch.testing.assert_close(answers(built, prompts), answers(RidgePath(5.0).compiled(3, 4), prompts))


@pytest.mark.parametrize("place", [0, 9, 12, 42, 45])
def test_building_twice_gives_the_same_network(place):
    recipe = thresholds(7001, 13, 33)[place]
    prompts = recipe.task.draw(2, 7011)
    states = [network.run(network.start(prompts), 0, recipe.depth // 2) for network in (recipe.build(), recipe.build())]
    assert torch.equal(states[0].stream, states[1].stream)


def test_another_seed_gives_another_basis():
    prompts = TASK.draw(2, 7012)
    other = Recipe(**{**PATH.__dict__, "seed": 8})
    assert not torch.allclose(PATH.build().start(prompts).stream, other.build().start(prompts).stream)


def test_a_sham_is_part_of_the_recipe():
    sham = Recipe(
        **{**PATH.__dict__, "kind": "ridge at once", "arguments": {}, "sham": {"layers": 7, "fade": "linear"}}
    )
    again = Recipe.from_json(sham.to_json())
    assert again == sham
    built = again.build()
    assert isinstance(built, Sham) and built.depth == 7


def test_only_what_is_sure_to_iterate_counts_as_an_optimizer():
    assert not PATH.optimizer
    assert Recipe("gradient descent", "gradient descent", "iterative optimizer", {}, TASK, 0, 3).optimizer
    assert not Recipe("gradient descent", "gradient descent", "uncertain", {}, TASK, 0, 3).optimizer


def test_unknown_kinds_truths_and_tasks_are_refused_with_what_is_known():
    with pytest.raises(ValueError, match=r"a recipe for 'perceptron'; expected one of .*ridge path"):
        Recipe(**{**PATH.__dict__, "kind": "perceptron"})
    with pytest.raises(ValueError, match="truth is 'maybe'; expected one of ignores context"):
        Recipe(**{**PATH.__dict__, "truth": "maybe"})
    with pytest.raises(ValueError, match=r"task 'os'; expected one of .*Regression"):
        Recipe.from_json(PATH.to_json().replace('"Regression"', '"os"'))
