"""The verdict on networks of known truth, and what it says where there is nothing."""

import pytest

from cutaway.mesa.controls import KernelSmoother, LeakyRidgePath, RandomNetwork, RidgeAtOnce, Sham, TaskLookup
from cutaway.mesa.optimizers import GradientDescent, NewtonSchulz
from cutaway.mesa.screen import screen
from cutaway.mesa.subject import TooShallow
from cutaway.mesa.tasks import Regression

TASK = Regression(4, 12)


def label(network, seed: int = 7001) -> str:
    return screen(network, TASK, seed).verdict.label


@pytest.mark.parametrize("kind", [GradientDescent(0.3), NewtonSchulz(0.3)])
def test_a_compiled_optimizer_is_found_in_any_basis_and_its_family_is_in_the_class(kind):
    found = screen(kind.compiled(4, 6).rotated(7001, 40), TASK, 7001)
    assert found.verdict.label == "iterative optimizer"
    assert {GradientDescent: "gradient descent", NewtonSchulz: "newton-schulz"}[type(kind)] in found.verdict.alike
    assert len(found.table()) == len(found.battery.readings) and found.limits in str(found)


def test_an_optimizer_is_one_on_a_pool_of_tasks_too():
    network = GradientDescent(0.3).compiled(4, 6).rotated(7001, 40)
    assert screen(network, Regression(4, 12, pool=8), 7001).verdict.label == "iterative optimizer"


def test_a_leaky_ridge_path_is_none():
    assert {label(LeakyRidgePath(keep=keep).compiled(4, 6)) for keep in (0.3, 0.6)} <= {
        "stateless re-solver",
        "undetermined",
    }


def test_a_sham_has_the_label_of_what_it_fades_in():
    solver = RidgeAtOnce().compiled(4, 2)
    assert {label(Sham(solver, 6)), label(Sham(solver, 6, "geometric"))} == {label(solver)} == {"one-shot solver"}


@pytest.mark.parametrize(
    ("kind", "expected"), [(KernelSmoother(), "one-shot smoother"), (TaskLookup(), "finite-task lookup")]
)
def test_a_sham_of_a_smoother_or_of_a_lookup_is_still_one(kind, expected):
    task, once = Regression(4, 12, pool=16), kind.compiled(4, 2)
    for network in (Sham(once, 6), Sham(once, 6, "geometric")):
        assert screen(network, task, 7001).verdict.label == expected


def test_one_layer_is_too_shallow():
    with pytest.raises(TooShallow, match="needs ≥ 2 steps"):
        screen(GradientDescent().compiled(4, 1), TASK)


@pytest.mark.slow
def test_of_a_hundred_random_networks_none_is_called_an_optimizer():
    labels = [label(RandomNetwork(seed=seed, gain=1 + seed % 3).compiled(4, 6), seed) for seed in range(7000, 7100)]
    assert labels.count("iterative optimizer") == 0
