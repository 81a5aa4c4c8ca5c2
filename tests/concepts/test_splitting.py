"""Splits that are dealt: nothing that belongs together is torn apart, every label gets enough, order decides nothing."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cutaway.concepts.splitting import MINIMUM, SPLITS, Placed, deal, plain_text

ties = st.lists(st.integers(0, 12), min_size=1, max_size=3, unique=True)
items = st.lists(st.builds(Placed, st.sampled_from([0, 1, 2]), ties.map(tuple)), max_size=60)


@given(items)
def test_what_shares_a_tie_is_in_one_split(placed: list[Placed]) -> None:
    splits = deal(placed)
    assert set(splits) <= set(SPLITS)
    of_tie: dict[object, str] = {}
    for item, split in zip(placed, splits):
        assert all(of_tie.setdefault(tie, split) == split for tie in item.ties)


@given(items, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(placed: list[Placed], random) -> None:
    order = list(range(len(placed)))
    random.shuffle(order)
    again = deal([placed[index] for index in order])
    splits = deal(placed)
    assert again == [splits[index] for index in order]


@given(st.integers(16, 60), st.integers(16, 60))
def test_rows_on_their_own_are_dealt_in_the_shares_promised_and_never_too_few(ones: int, zeros: int) -> None:
    placed = [Placed(1, (f"one {i}",)) for i in range(ones)] + [Placed(0, (f"zero {i}",)) for i in range(zeros)]
    splits = deal(placed)
    for side, total in ((1, ones), (0, zeros)):
        count = Counter(split for item, split in zip(placed, splits) if item.side == side)
        assert all(count[split] >= least for split, least in MINIMUM.items())
        assert count["val"] == count["test"] == max(4, total // 5)


@given(items, st.data())
def test_a_split_that_is_given_is_kept_and_taken_over_by_what_is_tied_to_it(placed: list[Placed], data) -> None:
    if not placed:
        return
    index = data.draw(st.integers(0, len(placed) - 1))
    fixed = Placed(placed[index].side, placed[index].ties, "val")
    splits = deal([*placed[:index], fixed, *placed[index + 1 :]])
    assert splits[index] == "val"
    assert all(split == "val" for item, split in zip(placed, splits) if set(item.ties) & set(fixed.ties))


def test_case_punctuation_and_spacing_make_no_other_text() -> None:
    assert plain_text("The  Salmon is a fish!") == plain_text("the salmon is a fish.")
    assert plain_text("ﬁsh") == plain_text("fish")
    assert plain_text("The salmon is a fish.") != plain_text("The salmon is no fish.")
    assert plain_text("'") != plain_text('"')


def test_in_code_punctuation_makes_another_text() -> None:
    assert plain_text("x = 'abc") != plain_text('x = "abc')
    assert plain_text("if x: y += 1") != plain_text("if x: y -= 1")
    assert plain_text(" x = f(y) ") == plain_text("x = f(y)")
