"""The lens for label differences reads what a layer's stream will come to mean, whatever its size and basis."""

import pytest
import torch

from cutaway.mesa.language import LabelLens
from cutaway.mesa.language.streams import Streams

DRAWN = torch.Generator().manual_seed(7001)
FINAL = torch.randn(440, 3, generator=DRAWN) @ torch.randn(3, 24, generator=DRAWN)
TURN = torch.linalg.qr(torch.randn(24, 24, generator=DRAWN)).Q
NOISE = torch.randn(440, 24, generator=DRAWN)
LABELS = torch.randn(440, 24, generator=DRAWN)
ANSWERS = (FINAL * LABELS).sum(1).double()


def fitted(*layers):
    streams = torch.stack(layers)
    return LabelLens.fitted(Streams(streams[:, :40], FINAL[:40]), LABELS[:40]), streams[:, 40:]


def test_an_answer_that_fades_in_is_read_as_finished_from_the_first_layer_on():
    lens, held = fitted(0.01 * FINAL, 0.3 * FINAL, FINAL)
    torch.testing.assert_close(lens.read(held, LABELS[40:]), ANSWERS[40:].expand(3, -1), rtol=1e-4, atol=1e-4)


def test_an_answer_in_another_basis_is_read():
    lens, held = fitted(FINAL @ TURN, FINAL)
    torch.testing.assert_close(lens.read(held, LABELS[40:])[0], ANSWERS[40:], rtol=0.01, atol=0.01)
    assert lens.explained[0] > 0.999


def test_a_layer_that_holds_nothing_of_the_answer_explains_nothing():
    lens, held = fitted(torch.zeros_like(FINAL), NOISE, FINAL)
    assert lens.explained[0] == 0
    assert lens.explained[1] < 0.1
    assert lens.read(held, LABELS[40:])[0].abs().max() == 0


def test_the_penalty_is_chosen_on_pairs_that_were_left_out():
    lens, held = fitted(FINAL @ TURN + 2 * NOISE, FINAL)
    error = (lens.read(held, LABELS[40:])[0] - ANSWERS[40:]).square().mean() / ANSWERS[40:].square().mean()
    assert abs(float(1 - error) - lens.explained[0]) < 0.15
    assert 0.2 < lens.explained[0] < 0.99


def test_a_stream_of_another_width_than_the_unembedding_reads_is_refused():
    with pytest.raises(ValueError, match="24 channels and the unembedding reads 3"):
        LabelLens.fitted(Streams(FINAL[None], FINAL[:, :3]), LABELS[:, :3])
