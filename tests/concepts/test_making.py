"""The library can be made again from raw tables: crossing, choosing, and the words of decisions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cutaway.concepts import library
from cutaway.concepts.making.knowledge import capitals
from cutaway.concepts.making.raw import balanced, load_raw, paired
from cutaway.concepts.making.relation import article, fill
from cutaway.concepts.making.written import agreement_decisions
from cutaway.runs import Table, save_parquet


def raw_rows(count: int = 30) -> list[dict]:
    """Raw rows of one concept: pairs, one pair that lacks a row, one text twice, one escaped letter."""
    rows = [
        {"text": f"Room {i} is {'good' if label else 'bad'}", "label": label, "pair_id": f"p{i}"}
        for i in range(count)
        for label in (0, 1)
    ]
    rows += [
        {"text": "Room x is good", "label": 1, "pair_id": "px"},
        {"text": "Bogot\\u00e1 is good", "label": 1, "pair_id": ""},
    ]
    rows += [{"text": "Bogotá is good!", "label": 1, "pair_id": ""}]
    return [{**row, "concept": "own.rooms", "row": f"{i:04}"} for i, row in enumerate(rows)]


@pytest.fixture
def raw_folder(tmp_path: Path) -> Path:
    save_parquet(Table.of(raw_rows()), tmp_path / "own.parquet")
    return tmp_path


def test_a_text_is_taken_once_and_escaped_letters_are_written_out(raw_folder: Path) -> None:
    texts = [row["text"] for row in load_raw(raw_folder).rows("own.rooms")]
    assert sum(text.startswith("Bogotá") for text in texts) == 1
    assert len(texts) == 62


def test_only_whole_pairs_are_taken_and_labels_may_be_turned(raw_folder: Path) -> None:
    rows = load_raw(raw_folder).rows("own.rooms")
    chosen = paired(rows, 12)
    assert Counter(chosen["pair"]).most_common()[-1][1] == 2
    assert len(chosen) == 24
    assert "px" not in paired(rows, 99)["pair"]
    turned = paired(rows, 12, swap=True)
    assert turned["text"] == chosen["text"]
    assert turned["label"] == [1 - label for label in chosen["label"]]


def test_labels_are_balanced_and_the_order_of_the_file_does_not_matter(raw_folder: Path) -> None:
    rows = load_raw(raw_folder).rows("own.rooms")
    assert Counter(balanced(rows, 20)["label"]) == {0: 20, 1: 20}
    assert balanced(rows, 20) == balanced(rows[::-1], 20)


def test_capitals_are_crossed_and_are_what_is_shipped() -> None:
    relation = capitals()
    couples = relation.couples()
    rows = relation.rows(relation.statement, couples)
    facts = dict(relation.facts)
    for row in rows:
        country, city = row["text"].removeprefix("The capital city of ").removesuffix(".").split(" is ")
        assert (facts[country] == city) == (row["label"] == 1)
    assert sorted(set(rows["text"])) == sorted(set(library()["knowledge.capital_city"].rows["text"]))


def test_every_written_decision_has_one_edit_in_its_reference() -> None:
    for paradigm, decisions in agreement_decisions().items():
        assert len(decisions) >= 24, paradigm
        for row in decisions:
            words = list(zip(row["prompt"].split(), row["reference"].split(), strict=True))
            assert sum(one != two for one, two in words) == 1, row


def test_articles_fit_and_sentences_begin_with_a_capital() -> None:
    assert [article(word) for word in ("oven", "Apple", "pear")] == ["an", "an", "a"]
    assert fill("{s} works as {a} {o}.", "de Gaulle", "actor") == "de Gaulle works as an actor."
    assert fill("the {s} is {a} {o}.", "owl", "bird") == "The owl is a bird."
