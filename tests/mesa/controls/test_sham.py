"""A sham ends where the network ends that it fades in, and shows more of the answer at every layer."""

from itertools import pairwise

import pytest
import torch

from cutaway.mesa.controls import KernelSmoother, NearestNeighbour, RandomNetwork, RidgeAtOnce, Sham
from cutaway.mesa.subject import answers, states
from cutaway.mesa.tasks import Regression
from cutaway.mesa.watched import Watched

TASK = Regression(dim=3, points=9, queries=5)
PROMPTS = TASK.draw(4, 7005)
FADES = [("linear", False), ("geometric", False), ("linear", True), ("geometric", True)]


@pytest.mark.parametrize(("fade", "rereads"), FADES)
@pytest.mark.parametrize(
    "subject",
    [RidgeAtOnce().compiled(3, 2), KernelSmoother().compiled(3, 3).rotated(1, 12), RandomNetwork().compiled(3, 2)],
    ids=["solver", "turned smoother", "random network"],
)
def test_a_sham_ends_with_the_same_answer(subject, fade, rereads):
    sham = Sham(subject, 5, fade, 0.6, rereads)
    torch.testing.assert_close(answers(sham, PROMPTS), answers(subject, PROMPTS))


@pytest.mark.parametrize(("fade", "rereads"), FADES)
def test_the_answer_fades_in_without_a_step_back(fade, rereads):
    sham = Sham(RidgeAtOnce(layer=2).compiled(3, 2), 6, fade, 0.5, rereads)
    final = answers(sham, PROMPTS)
    shown = [float((sham.answer(state) / final).mean()) for state in states(sham, PROMPTS)]
    assert shown == pytest.approx([sham.shown(layer) for layer in range(7)])
    assert shown[0] == 0 and shown[-1] == pytest.approx(1)
    assert all(after > before for before, after in pairwise(shown))


def test_what_is_missing_falls_by_the_ratio_as_where_something_converges():
    sham = Sham(NearestNeighbour().compiled(3, 1), 40, "geometric", 0.7)
    missing = [1 - sham.shown(layer) for layer in range(8)]
    assert [after / before for before, after in pairwise(missing)] == pytest.approx([0.7] * 7, abs=1e-4)


def test_a_sham_layer_is_any_function_of_the_state_so_runs_can_be_cut_anywhere():
    sham = Sham(RidgeAtOnce().compiled(3, 2).rotated(2), 5)
    half = sham.run(sham.start(PROMPTS), 0, 2)
    torch.testing.assert_close(sham.answer(sham.run(half, 2, 5)), answers(sham, PROMPTS))


@pytest.mark.parametrize(("rereads", "heeded"), [(False, 0.0), (True, 0.6)])
def test_labels_that_change_on_the_way_are_heeded_only_where_they_are_read_again(rereads, heeded):
    sham = Sham(RidgeAtOnce().compiled(3, 2), 5, rereads=rereads)
    half, other = (sham.run(sham.start(prompts), 0, 2) for prompts in (PROMPTS, PROMPTS.relabelled(-PROMPTS.ys)))
    width = half.stream.shape[-1] // 2
    swapped = half.having(torch.cat([other.stream[..., :width], half.stream[..., width:]], -1))
    expected = (1 - 2 * heeded) * answers(sham, PROMPTS)
    torch.testing.assert_close(sham.answer(sham.run(swapped, 2, 5)), expected)


def test_a_lens_sees_the_whole_answer_after_one_layer():
    sham = Sham(RidgeAtOnce().compiled(3, 2).rotated(3), 6, "geometric")
    losses = Watched.of(sham, TASK, 7006, fit=64, held=32).losses
    assert losses[0] > 0.5 and float(losses[1]) == pytest.approx(float(losses[-1]), abs=1e-6)


def test_no_sham_without_layers_or_of_an_unknown_fade():
    with pytest.raises(ValueError, match="expected at least one layer"):
        Sham(RidgeAtOnce().compiled(3, 2), 0)
    with pytest.raises(ValueError, match="0 ≤ first ≤ last ≤ depth"):
        sham = Sham(RidgeAtOnce().compiled(3, 2), 3)
        sham.run(sham.start(PROMPTS), 0, 4)
