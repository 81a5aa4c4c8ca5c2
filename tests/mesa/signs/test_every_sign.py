"""Laws of every sign: rotations and the order of the context change nothing, fading in adds nothing, values are finite."""

from dataclasses import replace

import pytest
import torch
from tests.mesa.signs.seen import DEPTH, RATE, TASK, descending, descent_read, drawn, random_read, turned, watching

from cutaway.mesa.controls import Copying, FixedTask, NearestNeighbour, RidgeAtOnce, Sham
from cutaway.mesa.optimizers import ISTA, Evolution, GradientDescent
from cutaway.mesa.signs import SIGNS
from cutaway.mesa.signs.battery import Battery, battery, read
from cutaway.mesa.subject import Subject, TooShallow
from cutaway.mesa.watched import Watched

STRUCTURAL = ("retention", "statefulness", "hat symmetry", "hat commutation", "hat shape growth")


def apart(one: Battery, other: Battery) -> dict[str, float]:
    """Signs by how far their values or their courses lie apart, where more than rounding."""
    found = {}
    for name, reading in one.readings.items():
        pairs = zip((reading.value, *reading.course), (other.readings[name].value, *other.readings[name].course))
        found[name] = max(abs(left - right) for left, right in pairs)
    return {name: each for name, each in found.items() if each > 1e-6}


@pytest.mark.parametrize(("subject", "seen"), [(descending, descent_read), (drawn, random_read)])
def test_a_rotation_of_the_stream_changes_no_sign(subject, seen):
    assert not apart(seen(), read(watching(turned(subject()))))


def test_a_rotation_changes_no_sign_of_a_network_with_work_tokens():
    with_work = ISTA(RATE, 0.05).compiled(TASK.dim, DEPTH)
    assert not apart(read(watching(with_work)), read(watching(turned(with_work))))


@pytest.mark.parametrize(("subject", "seen"), [(descending, descent_read), (drawn, random_read)])
def test_the_order_of_the_context_changes_no_sign(subject, seen):
    watched = watching(subject())
    reordered = replace(watched, prompts=watched.prompts.reordered(7004), fitting=watched.fitting.reordered(7005))
    assert not apart(seen(), read(reordered))


@pytest.mark.parametrize("fade", ["linear", "geometric"])
def test_fading_a_finished_answer_in_moves_no_sign_of_the_verdict(fade):
    once = RidgeAtOnce().compiled(TASK.dim, DEPTH)
    plain, faded = read(watching(once)).values(), read(watching(Sham(once, DEPTH, fade))).values()
    for sign in SIGNS:
        if sign.verdict:
            assert faded[sign.name] == pytest.approx(plain[sign.name], abs=1e-6), sign.name
    assert plain["improving layers"] < 1.01 < 2 < descent_read().values()["improving layers"]


@pytest.mark.parametrize(
    "subject",
    [
        FixedTask().compiled(4, DEPTH),
        Copying().compiled(4, DEPTH),
        NearestNeighbour().compiled(4, DEPTH),
        replace(descending(), layers=(lambda state: state,) * DEPTH),
        replace(descending(), layers=(lambda state: state.having(0 * state.stream),) * DEPTH),
        descending(rate=1e30),
        Evolution(8).compiled(4, DEPTH),
        descending().rotated(7006),
    ],
    ids=["fixed", "copying", "nearest", "idle", "erasing", "exploding", "evolution", "rotated"],
)
def test_every_sign_is_finite(subject: Subject):
    assert set(read(watching(subject)).values()) == {sign.name for sign in SIGNS}


def test_in_float32_signs_say_the_same():
    single = read(watching(GradientDescent(RATE).compiled(TASK.dim, DEPTH, torch.float32)))
    for name, value in descent_read().values().items():
        assert single.values()[name] == pytest.approx(value, abs=0.05 if name == "beyond a leap" else 2e-3), name


def test_labels_dealt_anew_drive_what_is_learned_to_its_null_and_leave_the_structure():
    watched = Watched.of(descending(), TASK, 7010, fit=32, held=96)
    dealt, before = read(watched.dealt).values(), read(watched).values()
    assert abs(dealt["adapting"]) < 0.5 < before["adapting"]
    assert dealt["improving layers"] < 0.5 < 2 < before["improving layers"]
    assert abs(dealt["late objective"]) < 0.3 < 0.7 < before["late objective"]
    for name in STRUCTURAL:
        assert dealt[name] == pytest.approx(before[name], abs=1e-6), name


def test_against_the_labels_as_they_were_answers_to_labels_dealt_anew_have_no_form():
    readings = descent_read().readings
    assert readings["degree growth"].null == (0.0,) and readings["degree growth"].value > 1
    assert readings["spectral form"].null[0] < 0.2 < 0.999 < readings["spectral form"].value
    assert readings["margin over nulls"].null[0] < 0.1 < readings["margin over nulls"].value


def test_a_network_of_one_layer_is_too_shallow():
    shallow = replace(descending(), layers=descending().layers[:1])
    with pytest.raises(TooShallow, match="too shallow for a verdict: needs ≥ 2 steps"):
        battery(shallow, TASK, 7001)


def test_two_layers_are_enough():
    assert read(watching(replace(descending(), layers=descending().layers[:2]))).values()["degree growth"] == 1


def test_answers_that_are_not_finite_are_told():
    broken = replace(descending(), read=descending().read * float("nan"))
    with pytest.raises(ValueError, match="answers of the network are NaN or infinite"):
        read(watching(broken))


def test_the_cost_counts_layers_of_problems():
    costs = descent_read().costs
    assert costs["loop a layer"].layers == 16 * (DEPTH + sum(range(DEPTH)))
    assert descent_read().cost.layers == sum(cost.layers for cost in costs.values())
