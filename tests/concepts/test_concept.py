"""What a concept offers: its texts, pairs and decisions by split, and what caps the verdict on it."""

from __future__ import annotations

from tests.concepts.rows import concept, paired_rows, plain_rows

from cutaway.concepts import NO_CONTROL, NO_DECISION, Concept
from cutaway.runs import Table


def test_texts_of_one_split_and_label_are_of_that_split_and_label() -> None:
    made = concept()
    rows = made.rows.rows()
    for split in ("train", "val", "test"):
        for label in (0, 1):
            wanted = [row["text"] for row in rows if (row["split"], row["label"]) == (split, label)]
            assert made.texts(split, label) == wanted
            assert wanted
        assert sorted(made.texts(split)) == sorted(made.texts(split, 0) + made.texts(split, 1))


def test_the_splits_of_rows_that_have_none_are_60_20_20_of_each_label() -> None:
    made = concept(rows=Table.of(plain_rows(50)), controls=(), decisions=None)
    assert [len(made.texts(split, label)) for label in (0, 1) for split in ("train", "val", "test")] == [30, 10, 10] * 2


def test_splits_that_are_given_are_kept() -> None:
    given = [{**row, "split": ("train", "train", "val", "test")[i % 4]} for i, row in enumerate(plain_rows(24))]
    made = concept(rows=Table.of(given), controls=(), decisions=None)
    assert made.rows["split"] == [row["split"] for row in given]


def test_what_is_missing_caps_the_verdict_in_words() -> None:
    assert concept().cap == ""
    assert concept(controls=()).cap == NO_CONTROL == "topic only (no control given)"
    assert concept(decisions=None).cap == NO_DECISION == "can be read, never used (no decisions given)"
    assert concept(controls=(), decisions=None).caps == (NO_CONTROL, NO_DECISION)


def test_a_minimal_pair_puts_what_holds_the_concept_first() -> None:
    pairs = concept(rows=Table.of(list(reversed(paired_rows())))).pairs
    assert len(pairs) == 20
    for pair in pairs:
        assert pair["with_it"] == f"I like the art of room {pair['pair']}"
        assert pair["without_it"] == f"I shun the art of room {pair['pair']}"


def test_a_decision_and_its_reference_are_in_one_split() -> None:
    made = concept()
    splits = dict(zip(made.decisions["prompt"], made.decisions["split"]))
    assert all(splits[row["reference"]] == row["split"] for row in made.decisions)
    assert {len(made.decided(split)) for split in ("train", "val", "test")} == {12, 4}


def test_what_is_of_one_group_is_in_one_split_in_rows_controls_and_decisions() -> None:
    rooms = [{**row, "group": row["text"].split()[-1]} for row in plain_rows()]
    made = concept(
        rows=Table.of(rooms), decisions=Table.of([{**row, "group": row["prompt"].split()[1]} for row in decisions()])
    )
    of_rows = dict(zip(made.rows["group"], made.rows["split"]))
    assert len(set(of_rows.values())) == 3
    assert all(of_rows[row["group"]] == row["split"] for row in made.decisions)


def decisions() -> list[dict]:
    """The decisions of a sound concept, without splits."""
    kept = ("prompt", "target", "foil", "reference")
    return [{name: row[name] for name in kept} for row in concept().decisions]


def test_a_concept_prints_itself_with_its_controls_counts_and_cap() -> None:
    text = str(concept(decisions=None))
    for expected in (
        "own.art (stance; CC0-1.0; 20 minimal pairs)",
        "object: food rather than art",
        "12 + 12",
        NO_DECISION,
    ):
        assert expected in text
    assert "food rather than art" in concept()._repr_html_()


def test_concepts_of_equal_contents_are_equal_and_can_be_keys() -> None:
    assert concept() == concept()
    assert concept() != concept(definition="the speaker likes paintings")
    assert {concept(): 1}[concept()] == 1


def test_further_classes_are_kept_beside_0_and_1() -> None:
    rows = [*plain_rows(), *({"text": f"No word of room {i}", "label": 2} for i in range(20))]
    made = Concept("own.art", "the speaker likes art", "stance", Table.of(rows))
    assert len(made.texts("test", 2)) == 4
