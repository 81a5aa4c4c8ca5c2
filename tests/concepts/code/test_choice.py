"""What is taken of a corpus: no text on two sides, none in two files, room by split, and tokens matched."""

from __future__ import annotations

import pytest

from cutaway.concepts.code.candidates import Candidate, Couple, Offer
from cutaway.concepts.code.choice import Choice, TooFew


def some(group: str, *texts: str) -> list[Candidate]:
    """Candidates of one file, each ending in its last word."""
    return [Candidate(text, text.split()[-1], group) for text in texts]


def texts(chosen: list[Candidate]) -> list[str]:
    return [one.text for one in chosen]


def test_a_text_that_stands_for_both_sides_is_on_neither():
    offers = [
        Offer(some("one", "(x = a", "(x = b"), some("one", "(x = c")),
        Offer(some("two", "(x = d"), some("two", "(x = a", "(x = e")),
    ]
    choice = Choice.of(offers, 20)
    positives = choice.some(lambda each: each.positives)
    assert sorted(texts(positives)) == ["(x = b", "(x = d"]
    assert sorted(texts(choice.like(positives, lambda each: each.negatives))) == ["(x = c", "(x = e"]


def test_a_text_in_two_files_belongs_to_the_first_alone():
    offers = [Offer(some("one", "(x = a")), Offer(some("two", "(x = a", "(x = b"))]
    choice = Choice.of(offers, 20)
    assert [(one.text, one.group) for one in choice.some(lambda each: each.positives)] == [
        ("(x = a", "one"),
        ("(x = b", "two"),
    ]


def test_files_are_taken_in_turn_and_each_split_has_room_of_its_own():
    offers = [Offer(some(name, *(f"({name} = {number}" for number in range(40)))) for name in "abcde"]
    choice = Choice.of(offers, 20)
    chosen = choice.some(lambda each: each.positives)
    assert [choice.splits[name] for name in "abcde"] == ["train", "val", "test", "train", "train"]
    assert [sum(one.group == name for one in chosen) for name in "abcde"] == [4, 4, 4, 4, 4]
    assert texts(chosen)[:5] == ["(a = 0", "(b = 0", "(c = 0", "(d = 0", "(e = 0"]


def test_negatives_end_as_often_in_a_token_as_positives_do_before_others_fill_up():
    offers = [Offer(some("one", "(f x", "(g x"), some("one", *(f"({n} y" for n in range(20)), "(h x", "(i x", "(j x"))]
    choice = Choice.of(offers, 20)
    found = choice.like(choice.some(lambda each: each.positives), lambda each: each.negatives)
    assert texts(found)[:2] == ["(h x", "(i x"] and {one.token for one in found[2:]} == {"y"}


def test_too_few_rows_say_how_many_there_are_by_split_and_how_many_are_needed():
    choice = Choice.of([Offer(some(name, f"({name} = 1")) for name in "abc"], 20)
    with pytest.raises(
        TooFew, match=r"3 rows \(1 train, 1 val, 1 test\); expected at least 16 \(8 train, 4 val, 4 test\)"
    ):
        choice.enough(choice.some(lambda each: each.positives))
    with pytest.raises(TooFew, match="0 decisions"):
        choice.decisions()


def test_couples_become_decisions_in_twos_in_the_split_of_their_file():
    couples = [[Couple(f"if {name}{n}", f"return {name}{n}", ":", "\n", name) for n in range(9)] for name in "abc"]
    table = Choice.of([Offer(couples=some) for some in couples], 20).decisions()
    assert [table["split"].count(split) for split in ("train", "val", "test")] == [12, 4, 4]
    assert {(row["target"], row["foil"]) for row in table} == {(":", "\n"), ("\n", ":")}


def test_a_prompt_may_be_a_row_of_its_own_file_and_not_of_another():
    couples = [Couple(text, f"{text})", "a", "b", "two") for text in ("(x = a", "(y = b")]
    for owner, said in (("one", "2 decisions"), ("two", "4 decisions")):
        choice = Choice.of([Offer(some(owner, "(x = a")), Offer(some("more", "(z = a")), Offer(couples=couples)], 20)
        assert len(choice.some(lambda each: each.positives)) == 2
        with pytest.raises(TooFew, match=said):
            choice.decisions()
