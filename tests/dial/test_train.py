"""Training under pressure: no pressure is the plain loop, and a killed run resumes to the identical network."""

import copy
from dataclasses import dataclass, replace

import pytest
import torch
from tests.dial.small import RECIPE, SHAPE, TOKENS, KillAfter, KilledError, network, same

from cutaway.dial.pressure import (
    ActivationTopK,
    AttentionTopK,
    Distil,
    Locality,
    Pressure,
    Proximal,
    Ramp,
    Regrowth,
    TopK,
    live,
)
from cutaway.dial.train import train
from cutaway.training.checkpoint import steps
from cutaway.training.loop import TrainingDivergedError
from cutaway.training.loop import train as plain

TEACHER = network(7009).eval()
OFF = [
    (),
    (TopK(1.0),),
    (Regrowth(1.0),),
    (Proximal(0.0),),
    (ActivationTopK(),),
    (AttentionTopK(),),
    (Locality(weight=0.0),),
    (Distil(TEACHER, 0.0),),
    (TopK(1.0), Proximal(0.0), ActivationTopK(), AttentionTopK(), Locality(weight=0.0), Distil(TEACHER, 0.0)),
]
ON = [
    (TopK(0.25, ramp=Ramp(0.1, 0.9)),),
    (Regrowth(0.25, every=2),),
    (Proximal(1.0),),
    (ActivationTopK(Ramp(0.0, 1.0)),),
    (AttentionTopK(Ramp(0.0, 1.0)),),
    (Locality(weight=1e-2),),
    (Distil(TEACHER),),
    (Regrowth(0.25, every=2), Locality(weight=1e-2), ActivationTopK(Ramp(0.0, 1.0)), Proximal(0.1), Distil(TEACHER)),
]
SMALLER = replace(SHAPE, keep=0.25, attend=2)


def named(pressures: tuple[Pressure, ...]) -> str:
    return " and ".join(type(pressure).__name__ for pressure in pressures) or "none"


@pytest.mark.parametrize("pressures", OFF, ids=named)
def test_pressure_zero_trains_bit_for_bit_what_the_plain_loop_trains(pressures):
    pressed, free = train(network(), TOKENS, RECIPE, pressures), plain(network(), TOKENS, RECIPE)
    assert same(pressed.network, free.network)
    assert pressed.losses == free.losses


@pytest.mark.parametrize("pressures", ON, ids=named)
def test_a_killed_run_resumes_to_the_identical_network(tmp_path, pressures):
    whole = train(network(shape=SMALLER), TOKENS, RECIPE, pressures)
    assert not same(whole.network, train(network(shape=SMALLER), TOKENS, RECIPE).network)
    with pytest.raises(KilledError):
        train(network(shape=SMALLER), TOKENS, RECIPE, pressures, tmp_path, KillAfter(8), every=5)
    assert [path.name for path in steps(tmp_path)] == ["step-0000005"]
    torch.randn(100)  # the state of the global generator does not matter
    resumed = train(network(shape=SMALLER), TOKENS, RECIPE, pressures, tmp_path, every=5)
    assert same(resumed.network, whole.network)
    assert resumed.losses == whole.losses
    assert resumed.report == whole.report
    again = train(network(shape=SMALLER), TOKENS, RECIPE, pressures, tmp_path, KillAfter(1))
    assert same(again.network, whole.network)
    assert again.report == whole.report


def test_a_run_with_other_pressures_is_not_resumed(tmp_path):
    train(network(), TOKENS, RECIPE, (Locality(weight=1e-2), Distil(TEACHER)), tmp_path)
    for other in ((Locality(weight=1e-3), Distil(TEACHER)), (Locality(weight=1e-2), Distil(network(7008).eval()))):
        with pytest.raises(ValueError, match="another pressures, so"):
            train(network(), TOKENS, RECIPE, other, tmp_path)


def test_a_run_of_which_another_share_of_channels_survives_is_not_resumed(tmp_path):
    kept = replace(SMALLER, keep=0.5)
    train(network(shape=kept), TOKENS, RECIPE, folder=tmp_path)
    with pytest.raises(ValueError, match="another shape, so"):
        train(network(shape=replace(kept, keep=0.25)), TOKENS, RECIPE, folder=tmp_path)


def test_the_given_network_and_the_global_generator_are_as_they_were():
    net = network()
    before = copy.deepcopy(net)
    torch.manual_seed(3)
    expected = torch.randn(4)
    torch.manual_seed(3)
    trained = train(net, TOKENS, RECIPE, (Regrowth(0.25),))
    assert torch.equal(torch.randn(4), expected)
    assert same(net, before)
    assert trained.network.state_dict().keys() == net.state_dict().keys()  # supports are beside it, not in it


def test_a_dense_network_can_be_annealed_and_distilled_from():
    dense = train(network(), TOKENS, replace(RECIPE, steps=30)).network
    pressures = (TopK(0.25), Distil(dense))
    annealed = train(dense, TOKENS, replace(RECIPE, steps=30), pressures)
    fresh = train(network(), TOKENS, replace(RECIPE, steps=30), pressures)
    assert annealed.losses[0] < 0.5 * fresh.losses[0]
    assert live(annealed.network)["up"]["live"] == 96 < live(dense)["up"]["live"]


def test_pressures_combine_and_the_last_projection_holds():
    pressures = (Proximal(0.5), TopK(0.25), Locality(weight=1e-2), Distil(TEACHER))
    trained = train(network(), TOKENS, RECIPE, pressures)
    assert set(trained.report) == {"Proximal", "TopK", "Locality", "Distil"}
    assert trained.report["TopK"]["live"]["up"]["live"] <= 96


@dataclass(frozen=True)
class Slower(Pressure):
    """Halves the learning rate."""

    def rate(self, step):
        return 0.5


@dataclass(frozen=True)
class Slow(Slower):
    """The same again."""


def test_factors_on_the_learning_rate_multiply():
    pressed = train(network(), TOKENS, RECIPE, (Slower(), Slow()))
    assert same(pressed.network, plain(network(), TOKENS, replace(RECIPE, lr=RECIPE.lr / 4)).network)


@dataclass(frozen=True)
class Explode(Pressure):
    """Makes the loss infinite, or one gradient NaN, at one step."""

    at: int = 7
    gradient: bool = False

    def loss(self, network, logits, batch, step):
        return torch.tensor(float("inf")) if step.number == self.at and not self.gradient else None

    def before_step(self, network, supports, optimiser, step):
        if step.number == self.at and self.gradient:
            network.blocks[0].mlp.up.weight.grad[0, 0] = float("nan")


@pytest.mark.parametrize(
    ("explode", "message"),
    [
        (Explode(), r"step 7: loss inf.*checkpoint of step 6 stays in .*smaller learning rate"),
        (
            Explode(gradient=True),
            r"step 7: .*not finite in blocks.0.mlp.up.weight and 0 more; .*of step 6 stays in ",
        ),
    ],
)
def test_a_loss_or_gradient_that_is_no_number_stops_with_its_place_and_keeps_the_last_state(tmp_path, explode, message):
    with pytest.raises(TrainingDivergedError, match=message):
        train(network(), TOKENS, RECIPE, (TopK(0.25), explode), tmp_path, every=3)
    assert [path.name for path in steps(tmp_path)] == ["step-0000006"]


@pytest.mark.parametrize(("given", "said"), [(True, "no checkpoint yet in "), (False, "nothing was kept")])
def test_what_stops_before_the_first_checkpoint_does_not_speak_of_one(tmp_path, given, said):
    with pytest.raises(TrainingDivergedError, match=said):
        train(network(), TOKENS, RECIPE, (Explode(at=2),), tmp_path if given else None, every=3)


def test_what_cannot_be_trained_is_refused_before_the_first_step():
    with pytest.raises(ValueError, match="expected more than one window"):
        train(network(), TOKENS[:8], RECIPE)
    with pytest.raises(ValueError, match="both decide"):
        train(network(), TOKENS, RECIPE, (TopK(), Regrowth()))
