"""Concepts that cannot be evidence are refused, each with what was given, what is expected and what to try."""

from __future__ import annotations

import pytest
from tests.concepts.rows import concept, control_rows, decision_rows, paired_rows, plain_rows, shouted

from cutaway.concepts import Concept, ConceptError, Control, Shifted
from cutaway.runs import Table

SPLITS = ["train"] * 12 + ["val"] * 4 + ["test"] * 4


def refused(message: str, **changed: object) -> None:
    """Nothing is refused before the change, and the change is, with these words."""
    concept()
    with pytest.raises(ConceptError, match=message):
        concept(**changed)


def split_rows() -> list[dict]:
    """Paired rows with splits of their own."""
    return [{**row, "split": split} for row, split in zip(paired_rows(), SPLITS + SPLITS)]


def test_rows_of_one_label_only() -> None:
    refused(r"one label only \(1\).*add rows of the other", rows=Table.of([r for r in plain_rows() if r["label"] == 1]))


def test_labels_that_are_not_0_and_1() -> None:
    refused(
        "labels .1, 2., without 0.*number them so",
        rows=Table.of([{**r, "label": r["label"] + 1} for r in plain_rows()]),
    )


@pytest.mark.parametrize("label", ["yes", None, 0.5, True, -1])
def test_a_label_that_is_no_whole_number(label: object) -> None:
    refused(
        "row 3: given the label .*whole number", rows=Table.of([*plain_rows()[:3], {"text": "x y z", "label": label}])
    )


def test_a_pair_across_splits() -> None:
    rows = split_rows()
    rows[0]["split"] = "test"
    refused("minimal pair '0' lies in test and train.*put them together", rows=Table.of(rows))


def test_a_pair_of_one_label_and_a_pair_of_one_row() -> None:
    rows = paired_rows()
    rows[20]["pair"] = "1"
    refused(r"minimal pair .* has labels \[1\].*two rows of two labels", rows=Table.of(rows))


@pytest.mark.parametrize("again", ["I like the art of room 0", "i like the art of ROOM 0!"])
def test_a_text_in_two_splits_also_when_only_case_and_punctuation_differ(again: str) -> None:
    rows = [{**row, "pair": None} for row in split_rows()]
    refused(
        "is in train and in test.*or the test measures memory",
        rows=Table.of([*rows, {"text": again, "label": 1, "split": "test"}]),
    )


def test_a_group_in_two_splits() -> None:
    rows = [{**row, "pair": None, "group": "one hall"} for row in split_rows()]
    refused("the group 'one hall' is in train and in val", rows=Table.of(rows))


def test_a_text_with_two_labels() -> None:
    refused(
        "has two labels.*one side", rows=Table.of([*plain_rows(), {"text": "I like the art of room 0", "label": 0}])
    )


def test_a_text_of_a_shifted_test_set_that_was_trained_on() -> None:
    text = next(iter(concept().texts("train", 1)))
    rows = [*shouted(), {"text": text.upper(), "label": 1}]
    refused(
        "shifted set shouted.*is in train and in test", shifted=(Shifted("shouted", "in capitals", Table.of(rows)),)
    )


@pytest.mark.parametrize("span", [[0, 99], [3, 3], [-1, 2], [1], [0.0, 2.0], "ab"])
def test_spans_outside_the_text(span: object) -> None:
    rows = plain_rows()
    rows[5]["spans"] = [[0, 4], span]
    refused("row 5: given the span .* in a text of 24 characters.*not bytes or tokens", rows=Table.of(rows))


def test_spans_inside_the_text_are_kept() -> None:
    rows = plain_rows()
    rows[5]["spans"] = [[0, 1], [20, 24]]
    assert concept(rows=Table.of(rows)).rows["spans"][5] == [[0, 1], [20, 24]]


def test_ten_rows_only_with_the_number_needed() -> None:
    message = r"label 0 has 5 rows \(.*\); expected at least 16 rows of each label \(8 train, 4 val, 4 test\), so 32 for two labels"
    refused(message, rows=Table.of(plain_rows(5)))


def test_sixteen_of_each_label_are_enough_and_fifteen_are_not() -> None:
    assert len(concept(rows=Table.of(plain_rows(16)), controls=(), decisions=None).texts("test")) == 8
    refused("label 0 has 15 rows", rows=Table.of(plain_rows(15)))


def test_no_rows_and_empty_texts() -> None:
    refused("given no rows", rows=Table({"text": [], "label": []}))
    refused("row 40: given the text", rows=Table.of([*plain_rows(), {"text": "  ", "label": 1}]))
    refused("lone surrogate", rows=Table.of([*plain_rows(), {"text": "\ud800", "label": 1}]))


def test_an_unknown_kind_offers_the_near_one() -> None:
    refused("given the kind 'behavior'.*did you mean 'behaviour'", kind="behavior")


@pytest.mark.parametrize("licence", ["MTI", "CC-BY-NC-4.0", "", "LicenseRef-", "proprietary"])
def test_an_unknown_licence(licence: str) -> None:
    refused("given the licence .*SPDX id that allows reuse", licence=licence)


def test_terms_of_ones_own_and_none_stated_are_allowed() -> None:
    assert concept(licence="LicenseRef-ours").licence == "LicenseRef-ours"
    assert Concept("own.art", "likes art", "stance", Table.of(plain_rows())).licence == "not stated"


@pytest.mark.parametrize("name", ["art", "own.", "own art.x", "../own.art", "own/art.x"])
def test_a_name_that_is_not_family_and_name(name: str) -> None:
    refused("given the name .*family.name", name=name)


def test_no_definition() -> None:
    refused("given no definition", definition=" ")


def test_an_unknown_column_offers_the_near_one() -> None:
    refused("unknown column 'grop'.*did you mean 'group'", rows=Table.of([{**row, "grop": 1} for row in plain_rows()]))


def test_a_missing_column_is_named() -> None:
    refused("given the columns text; expected text, label; add 'label'", rows=Table.of([{"text": "x"}]))


def test_an_unknown_split_offers_the_near_one() -> None:
    refused(
        "given the split 'tset'.*did you mean 'test'", rows=Table.of([{**row, "split": "tset"} for row in plain_rows()])
    )


def test_a_control_whose_factor_is_not_named() -> None:
    refused(
        "control 'food' names no factor.*the one thing", controls=(Control("food", "  ", Table.of(control_rows())),)
    )


def test_a_control_in_which_the_concept_holds() -> None:
    refused("is also a positive of the concept", controls=(Control("food", "object", Table.of(plain_rows())),))


def test_a_control_without_label_1_or_with_too_few() -> None:
    negatives = [row for row in control_rows() if row["label"] == 0]
    refused("control food: given labels .0., without 1", controls=(Control("food", "object", Table.of(negatives)),))
    refused("control food: label 1 has 15 rows", controls=(Control("food", "object", Table.of(control_rows(15))),))


def test_a_control_may_have_near_misses_only() -> None:
    positives = [row for row in control_rows() if row["label"] == 1]
    assert concept(controls=(Control("food", "object", Table.of(positives)),)).cap == ""


def test_two_controls_of_one_name_and_a_name_that_is_no_word() -> None:
    food = Control("food", "object", Table.of(control_rows()))
    refused("2 controls or shifted sets are called 'food'", controls=(food, food))
    refused("set name 'a food'", controls=(Control("a food", "object", Table.of(control_rows())),))
    refused("set name 'rows'", controls=(Control("rows", "object", Table.of(control_rows())),))


def test_a_control_of_an_unknown_licence() -> None:
    refused(
        "own.art, control food: given the licence",
        controls=(Control("food", "object", Table.of(control_rows()), licence="?"),),
    )


def test_a_shifted_set_that_does_not_say_what_is_changed_or_is_too_small() -> None:
    refused("does not say what is changed", shifted=(Shifted("shouted", "", Table.of(shouted())),))
    refused("expected at least 4 of each", shifted=(Shifted("shouted", "form", Table.of(shouted()[:4])),))


def test_too_few_decisions_or_all_tied_together() -> None:
    refused("given 8 decisions .*expected at least 16", decisions=Table.of(decision_rows(4)))
    chained = [{"prompt": f"Room {i}", "target": " a", "foil": " b", "reference": f"Room {i + 1}"} for i in range(40)]
    refused("prompts that share a reference count as one", decisions=Table.of(chained))


def test_an_answer_may_be_the_end_of_a_line_but_not_nothing_and_a_prompt_must_say_something() -> None:
    rows = [{**row, "foil": "\n"} for row in decision_rows()]
    assert concept(decisions=Table.of(rows)).decisions["foil"] == ["\n"] * len(rows)
    refused("decision 0: foil is None", decisions=Table.of([{**rows[0], "foil": ""}, *rows[1:]]))
    refused(r"decision 0: prompt is '\\n'", decisions=Table.of([{**rows[0], "prompt": "\n"}, *rows[1:]]))


def test_a_decision_with_nothing_to_decide() -> None:
    rows = decision_rows()
    refused(
        "decision 2: target and foil are the same",
        decisions=Table.of([*rows[:2], {**rows[2], "foil": rows[2]["target"]}, *rows[3:]]),
    )
    refused(
        "decision 0: prompt and reference are the same",
        decisions=Table.of([{**rows[0], "reference": rows[0]["prompt"]}, *rows[1:]]),
    )
    refused("decision 1: foil is None", decisions=Table.of([rows[0], {**rows[1], "foil": None}, *rows[2:]]))
    refused("given the columns .*add 'reference'", decisions=Table.of([{"prompt": "a", "target": "b", "foil": "c"}]))
