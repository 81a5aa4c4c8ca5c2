"""Inputs are cut into disjoint parts that are read alone, and a row without all of its parts is left out."""

from __future__ import annotations

import pytest

from cutaway.concepts import Concept
from cutaway.concepts.natural import parted
from cutaway.concepts.natural.parts import runs
from cutaway.concepts.read import Passage
from cutaway.runs import Table


def rows(count: int = 20, **more: object) -> list[dict[str, object]]:
    """Texts of four words, half of label 1."""
    return [{"text": f"one two{i} three four", "label": i % 2, **more} for i in range(2 * count)]


def concept(given: list[dict[str, object]]) -> Concept:
    """A concept of these rows."""
    return Concept("own.parts", "nothing", "topic", Table.of(given))


def test_runs_of_words_put_together_are_the_text() -> None:
    for parts in range(1, 8):
        found = runs(Passage("a rose is a rose, is it?"), parts)
        assert len(found) == parts and " ".join(found) == "a rose is a rose, is it?"
    assert runs(Passage("a rose"), 3) == []


def test_texts_are_cut_in_halves_unless_said_otherwise() -> None:
    cut = parted(concept(rows()))
    assert [passages[0].text for passages in cut.passages] == ["one two0", "three four"]
    assert len(parted(concept(rows()), 4).passages) == 4
    assert not any(passage.spans for passages in cut.passages for passage in passages)


def test_only_what_the_spans_cover_is_cut() -> None:
    cut = parted(concept(rows(spans=[[0, 8]])))
    assert [passages[0].text for passages in cut.passages] == ["one", "two0"]


def test_two_spans_a_row_are_the_parts() -> None:
    cut = parted(concept(rows(spans=[[4, 8], [0, 3]])))
    assert cut.how == "2 spans" and [passages[0].text for passages in cut.passages] == ["one", "two0"]


def test_overlapping_spans_are_no_parts() -> None:
    assert parted(concept(rows(spans=[[0, 6], [4, 8]]))).how == "2 runs of words"
    with pytest.raises(ValueError, match="0 rows with 2 spans"):
        parted(concept(rows(spans=[[0, 6], [4, 8]])), "spans")


def test_documents_of_one_group_and_label_are_the_parts_of_one_input() -> None:
    given = [{**row, "group": str(i // 4)} for i, row in enumerate(rows(60))]
    cut = parted(concept(given), "documents")
    assert len(cut.asked.sets) == 60 and cut.how == "2 documents of a group"
    for row, (first, second) in enumerate(zip(*cut.passages)):
        numbers = [int(one.text.split()[1].removeprefix("two")) for one in (first, second)]
        assert numbers[0] // 4 == numbers[1] // 4 and numbers[0] != numbers[1]
        assert all(number % 2 == 1 - int(cut.asked.sets[row]) for number in numbers)


def test_rows_with_too_few_words_are_left_out_and_counted() -> None:
    short = [{"text": f"word{i}", "label": i % 2} for i in range(10)]
    cut = parted(concept([*rows(30), *short]))
    assert cut.left_out == 10 and len(cut.asked.sets) == len(cut.passages[0]) == 60


def test_what_cannot_be_cut_is_refused_with_the_set_that_lacks_rows() -> None:
    with pytest.raises(ValueError, match="given 0 rows with 5 runs of words in positives, train; expected at least 8"):
        parted(concept(rows()), 5)
    for wrong in (1, 0, "sentences"):
        with pytest.raises(ValueError, match="expected a number from 2 on"):
            parted(concept(rows()), wrong)  # ty: ignore[invalid-argument-type]
