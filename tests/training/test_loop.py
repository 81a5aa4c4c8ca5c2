"""The training loop: killed and resumed is bit for bit uninterrupted."""

import copy
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from cutaway.training.checkpoint import steps
from cutaway.training.loop import Recipe, TrainingDivergedError, held_out_loss, train
from cutaway.training.transformer import Shape, Transformer
from cutaway.training.windows import Windows

SHAPE = Shape(vocab=11, context=16, width=16, layers=1, heads=2, d_head=8, hidden=32)
TOKENS = torch.arange(600) % 7 + 2  # 2 3 4 5 6 7 8 2 3 …
RECIPE = Recipe(steps=12, batch=4, context=8, windows=Windows(bos=0, boundary=2))


class KilledError(Exception):
    """Stands for the process's end."""


class KillAfter:
    """A progress that ends the run when this many steps are done."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def start(self, total, what):
        pass

    def advance(self, n):
        self.left -= n
        if self.left == 0:
            raise KilledError

    def note(self, text):
        pass

    def finish(self):
        pass


class Nothing:
    """A pressure that asks for nothing."""

    def loss(self, network, step):
        return None

    def after_step(self, network, step):
        pass

    def report(self):
        return {}


class Shrink:
    """A pressure with all three parts: a penalty with noise in it, a projection, and a report."""

    def __init__(self) -> None:
        self.projected = 0

    def loss(self, network, step):
        return 1e-2 * (network.unembed.weight * torch.randn(())).square().sum()

    def after_step(self, network, step):
        self.projected += 1
        with torch.no_grad():
            network.unembed.weight[0] = 0

    def report(self):
        return {"projected": self.projected}


class Log:
    """Keeps what a progress was told."""

    def __init__(self, killed_after: int = 0) -> None:
        self.told, self.killed_after = [], killed_after

    def start(self, total, what):
        self.told.append(("start", total))

    def advance(self, n):
        self.told.append(("advance", n))
        if len(self.told) == self.killed_after + 1:
            raise KilledError

    def note(self, text):
        self.told.append(("note", text))

    def finish(self):
        self.told.append(("finish",))


def same(a: nn.Module, b: nn.Module) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_training_learns_what_always_follows_and_leaves_the_given_network_as_it_was():
    network = Transformer(SHAPE)
    before = copy.deepcopy(network)
    trained = train(network, TOKENS, replace(RECIPE, steps=150, lr=1e-2))
    assert held_out_loss(trained.network, TOKENS, 8) < 0.05 < held_out_loss(network, TOKENS, 8)
    assert same(network, before)
    assert trained.tokens == 150 * 4 * 8


@pytest.mark.parametrize("killed_at", [1, 5, 7, 11])
def test_a_killed_run_resumes_to_the_bit_identical_network(tmp_path: Path, killed_at: int):
    whole = train(Transformer(SHAPE), TOKENS, RECIPE)
    with pytest.raises(KilledError):
        train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, progress=KillAfter(killed_at), every=3)
    assert [path.name for path in steps(tmp_path)] == ([f"step-{killed_at // 3 * 3:07d}"] if killed_at >= 3 else [])
    torch.randn(100)  # the state of the global generator does not matter
    resumed = train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, every=3)
    assert same(resumed.network, whole.network)
    assert resumed.losses == whole.losses


def test_a_finished_run_is_read_and_not_trained_again(tmp_path: Path):
    first = train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path)
    again = train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, progress=KillAfter(1))
    assert same(first.network, again.network)
    assert again.losses == first.losses


def test_a_half_written_checkpoint_is_ignored_and_removed(tmp_path: Path):
    (tmp_path / ".step-0000009-1").mkdir()
    whole = train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path)
    assert same(whole.network, train(Transformer(SHAPE), TOKENS, RECIPE).network)
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000012"]


def test_only_safetensors_and_json_are_written(tmp_path: Path):
    train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path)
    names = {path.name for path in steps(tmp_path)[0].iterdir()}
    assert names == {"weights.safetensors", "moments.safetensors", "state.json"}
    json.loads((steps(tmp_path)[0] / "state.json").read_text())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"recipe": replace(RECIPE, lr=1e-4)}, "recipe"),
        ({"tokens": TOKENS + 1}, "tokens"),
        ({"network": Transformer(SHAPE, seed=1)}, "network"),
        ({"pressure": Nothing()}, "pressure"),
        ({"tokens": TOKENS + 1, "recipe": replace(RECIPE, seed=1)}, "recipe and tokens"),
    ],
)
def test_another_run_in_the_same_folder_is_refused_by_what_differs(tmp_path: Path, change, named):
    run = {"network": Transformer(SHAPE), "tokens": TOKENS, "recipe": RECIPE, "folder": tmp_path}
    train(**run)
    with pytest.raises(ValueError, match=f"another {named}, so"):
        train(**(run | change))


def test_two_runs_with_one_seed_are_equal_and_with_two_seeds_differ():
    first, second = (train(Transformer(SHAPE), TOKENS, RECIPE).network for _ in range(2))
    other = train(Transformer(SHAPE), TOKENS, replace(RECIPE, seed=1)).network
    assert same(first, second)
    assert not same(first, other)


def test_the_global_generator_is_as_it_was():
    torch.manual_seed(3)
    expected = torch.randn(4)
    torch.manual_seed(3)
    train(Transformer(SHAPE), TOKENS, RECIPE)
    assert torch.equal(torch.randn(4), expected)


class Explode:
    """A pressure that makes the loss infinite at one step."""

    def __init__(self, at: int) -> None:
        self.at = at

    def loss(self, network, step):
        return torch.tensor(float("inf")) if step == self.at else None

    def after_step(self, network, step):
        pass

    def report(self):
        return {}


def test_an_infinite_loss_stops_with_the_step_named_and_the_last_checkpoint_kept(tmp_path: Path):
    with pytest.raises(TrainingDivergedError, match=r"step 7: loss inf.*stays in .*smaller learning rate"):
        train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, Explode(7), every=3)
    assert [path.name for path in steps(tmp_path)] == ["step-0000006"]
    resumed = train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, Explode(-1))
    assert same(resumed.network, train(Transformer(SHAPE), TOKENS, RECIPE).network)


def test_a_network_with_nan_weights_is_refused_at_the_first_step():
    network = Transformer(SHAPE)
    with torch.no_grad():
        network.embed.weight[3] = float("nan")
    with pytest.raises(TrainingDivergedError, match="step 0: loss nan"):
        train(network, TOKENS, RECIPE)


def test_a_pressure_is_asked_at_each_step_and_resumes_bit_identically(tmp_path: Path):
    whole = train(Transformer(SHAPE), TOKENS, RECIPE, pressure=Shrink())
    assert whole.report == {"projected": 12}
    assert whole.network.unembed.weight[0].abs().max() == 0
    assert not same(whole.network, train(Transformer(SHAPE), TOKENS, RECIPE).network)
    with pytest.raises(KilledError):
        train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, Shrink(), KillAfter(8), every=5)
    resumed = train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, Shrink())
    assert same(resumed.network, whole.network)
    assert resumed.report == {"projected": 7}


def test_no_pressure_equals_a_pressure_that_does_nothing():
    nothing = train(Transformer(SHAPE), TOKENS, RECIPE, pressure=Nothing())
    assert same(nothing.network, train(Transformer(SHAPE), TOKENS, RECIPE).network)


def test_progress_counts_the_steps_that_are_left_and_ends_also_on_error(tmp_path: Path):
    log = Log(killed_after=8)
    with pytest.raises(KilledError):
        train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, progress=log, every=5)
    assert log.told == [("start", 12), *[("advance", 1)] * 8, ("finish",)]
    log = Log()
    train(Transformer(SHAPE), TOKENS, RECIPE, tmp_path, progress=log, every=5)
    assert log.told == [("start", 7), *[("advance", 1)] * 7, ("finish",)]


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_learning_rate_rises_to_its_top_and_falls_towards_zero(schedule):
    rates = [replace(RECIPE, steps=100, warmup=0.1, schedule=schedule).rate(step) for step in range(100)]
    top = rates.index(max(rates))
    assert rates[:10] == pytest.approx([RECIPE.lr * (step + 1) / 10 for step in range(10)])
    assert max(rates) == pytest.approx(RECIPE.lr)
    assert top in (9, 10)
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert 0 < rates[-1] < 0.02 * RECIPE.lr


@pytest.mark.parametrize(
    "change",
    [{"steps": 0}, {"batch": 0}, {"lr": 0.0}, {"clip": -1.0}, {"warmup": 1.0}],
)
def test_a_recipe_that_cannot_be_followed_is_refused(change):
    with pytest.raises(ValueError, match=f"Recipe.{next(iter(change))} is"):
        replace(RECIPE, **change)


def test_an_unknown_schedule_is_refused_with_the_known_ones_named():
    with pytest.raises((ValueError, TypeError), match=r"linear.*cosine"):  # TypeError: by beartype
        replace(RECIPE, schedule="constant")


@pytest.mark.parametrize(
    ("tokens", "recipe", "message"),
    [
        (TOKENS[:8], RECIPE, "expected more than one window of 9"),
        (TOKENS, replace(RECIPE, context=17), "at most 16 positions"),
        (TOKENS + 5, RECIPE, "vocabulary has 11 ids"),
    ],
)
def test_tokens_that_the_network_cannot_read_are_refused_before_training(tokens, recipe, message):
    with pytest.raises(ValueError, match=message):
        train(Transformer(SHAPE), tokens, recipe)


def test_the_held_out_loss_of_a_network_that_knows_nothing_is_the_log_of_the_vocabulary():
    network = Transformer(SHAPE)
    nn.init.zeros_(network.unembed.weight)
    assert held_out_loss(network, TOKENS, 16, batch=5) == pytest.approx(torch.log(torch.tensor(11.0)).item(), abs=1e-5)


def test_the_held_out_loss_does_not_depend_on_the_batch():
    network = Transformer(SHAPE)
    assert held_out_loss(network, TOKENS, 8, batch=7) == pytest.approx(held_out_loss(network, TOKENS, 8), abs=1e-5)
