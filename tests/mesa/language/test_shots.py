"""The algebra of few-shot prompts: what is changed, and what is left."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cutaway.mesa.language import Features, Layout, Shots

SHOTS = Features(shots=5, pieces=2).draw(7, 7001)


@given(st.integers(0, 4))
def test_a_flip_changes_one_label_and_flipping_twice_nothing(shot):
    flipped = SHOTS.flipped(shot)
    changed = (flipped.ids != SHOTS.ids).any(0).nonzero()[:, 0]
    assert changed.tolist() == [int(SHOTS.slots[shot])]
    assert torch.equal(flipped.ys[:, shot], -SHOTS.ys[:, shot])
    assert torch.equal(flipped.flipped(shot).ids, SHOTS.ids)


def test_a_mirror_is_every_label_flipped_and_the_truth_too():
    flipped = SHOTS
    for shot in range(SHOTS.shots):
        flipped = flipped.flipped(shot)
    assert torch.equal(SHOTS.mirrored().ids, flipped.ids)
    assert torch.equal(SHOTS.mirrored().truth, -flipped.truth)


def test_labels_dealt_anew_are_as_many_of_each_kind_and_the_truth_stays():
    dealt = SHOTS.shuffled(3)
    assert torch.equal(dealt.ys.sum(1), SHOTS.ys.sum(1))
    assert not torch.equal(dealt.ys, SHOTS.ys)
    assert torch.equal(dealt.truth, SHOTS.truth)


@given(st.lists(st.booleans(), min_size=5, max_size=5))
def test_labels_that_are_written_are_read_back(signs):
    ys = torch.tensor([1 if sign else -1 for sign in signs]).expand(7, -1)
    assert torch.equal(SHOTS.labelled(ys).ys, ys)


@given(st.integers(0, 4))
def test_a_demonstration_that_is_asked_stands_at_the_query_and_its_label_is_the_truth(shot):
    asked = SHOTS.asking(shot)
    assert torch.equal(asked.ids[:, asked.query], SHOTS.ids[:, SHOTS.items[shot]])
    assert torch.equal(asked.truth, SHOTS.ys[:, shot])
    assert torch.equal(asked.ids[:, : int(SHOTS.query[0])], SHOTS.ids[:, : int(SHOTS.query[0])])


def test_a_layout_writes_what_stands_around_inputs_and_labels():
    inputs, labels = torch.tensor([[[1, 2], [3, 4], [5, 6]]]), torch.tensor([[8, 9]])
    shots = Layout((7,), (10, 11), (12,)).written(inputs, torch.tensor([[1, -1]]), labels, torch.tensor([1]))
    assert shots.ids.tolist() == [[7, 1, 2, 10, 11, 8, 12, 3, 4, 10, 11, 9, 12, 5, 6, 10, 11]]
    assert shots.slots.tolist() == [5, 11]
    assert shots.items.tolist() == [[1, 2], [7, 8]]
    assert shots.query.tolist() == [13, 14]


def with_labels(first: int, second: int, shown: int) -> Shots:
    one = torch.ones(1, dtype=torch.long)
    ids = torch.tensor([[0, shown, 0]])
    return Shots(
        ids, torch.tensor([1]), torch.tensor([[0]]), torch.tensor([2]), torch.tensor([[first, second]]), one, one
    )


def test_labels_that_share_a_token_are_refused():
    with pytest.raises(ValueError, match="both labels of a prompt are token 5"):
        with_labels(5, 5, 5)


def test_a_slot_that_holds_no_label_is_refused():
    with pytest.raises(ValueError, match="no label of its prompt"):
        with_labels(5, 6, 7)


@pytest.mark.parametrize("asked", ["flipped", "asking"])
def test_a_demonstration_that_is_not_there_is_refused(asked):
    with pytest.raises(IndexError, match="expected 0 to 4"):
        getattr(SHOTS, asked)(5)
