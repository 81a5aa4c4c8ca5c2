"""Training windows: where they begin and what they hold."""

import pytest
import torch

from cutaway.training.windows import Windows

STREAM = torch.tensor([5, 2, 6, 7, 8, 2, 9, 9, 9, 9] * 50)


def draw(windows: Windows, seed: int = 0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return windows.draw(STREAM, 400, 6)


def test_a_window_is_a_piece_of_the_stream_and_one_token_more_than_the_context():
    drawn = draw(Windows())
    assert drawn.shape == (400, 7)
    pieces = {tuple(piece.tolist()) for piece in STREAM.unfold(0, 7, 1)}
    assert {tuple(row.tolist()) for row in drawn} <= pieces


def test_the_last_window_of_a_stream_can_be_drawn():
    stream = torch.arange(8)
    torch.manual_seed(0)
    assert sorted(set(Windows().draw(stream, 50, 6)[:, 0].tolist())) == [0, 1]


def test_a_share_of_the_windows_begins_with_bos_in_place_of_a_boundary():
    drawn = draw(Windows(bos=0, boundary=2, share=0.5))
    begins = drawn[:, 0] == 0
    assert 150 < begins.sum() < 250
    assert set(drawn[begins, 1].tolist()) == {6, 9}


def test_without_a_boundary_bos_stands_anywhere():
    assert set(draw(Windows(bos=0, share=1.0))[:, 1].tolist()) == set(STREAM.tolist())


def test_the_stream_itself_is_not_written_to():
    before = STREAM.clone()
    draw(Windows(bos=0, boundary=2, share=1.0))
    assert torch.equal(STREAM, before)


def test_a_boundary_that_never_occurs_is_refused():
    with pytest.raises(ValueError, match="boundary is token 77"):
        draw(Windows(bos=0, boundary=77))


def test_a_share_outside_zero_and_one_is_refused():
    with pytest.raises(ValueError, match="share is 2"):
        Windows(share=2.0)
