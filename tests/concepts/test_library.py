"""The shipped concepts keep every promise made of them, and are read only when asked for."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from tests.concepts.rows import concept, plain_rows

from cutaway.concepts import (
    LICENCES,
    SHIPPED,
    Concept,
    ConceptError,
    UnknownConcept,
    concept_names,
    library,
    read_concept,
    write_concept,
)
from cutaway.concepts import reading as reading_module
from cutaway.concepts.making.library import fingerprint
from cutaway.concepts.splitting import plain_text


@pytest.fixture(scope="module")
def shipped() -> dict[str, Concept]:
    """All of them, read once: reading checks every rule."""
    return dict(library())


def test_thirty_have_controls_and_ten_have_decisions(shipped: dict[str, Concept]) -> None:
    assert sum(bool(one.controls) for one in shipped.values()) >= 30
    decided = [one for one in shipped.values() if one.decisions is not None]
    assert len(decided) >= 10
    assert all(len(one.decisions) >= 24 for one in decided)
    assert sum(one.cap == "" for one in shipped.values()) >= 10


def test_twenty_eight_have_minimal_pairs_and_some_have_shifted_sets(shipped: dict[str, Concept]) -> None:
    assert sum(len(one.pairs) > 0 for one in shipped.values()) >= 28
    assert sum(bool(one.shifted) for one in shipped.values()) >= 8


def test_every_kind_is_there(shipped: dict[str, Concept]) -> None:
    assert {one.kind for one in shipped.values()} == {"topic", "stance", "behaviour", "knowledge", "syntax"}


def test_personas_have_unrelated_stances_as_controls(shipped: dict[str, Concept]) -> None:
    for name, one in shipped.items():
        if one.kind == "stance":
            assert len(one.controls) >= 2, name
            assert all(control.factor.startswith("stance: ") for control in one.controls)
            assert all(name.split(".")[1] != control.name for control in one.controls)


def test_no_text_is_on_both_sides_or_in_two_splits(shipped: dict[str, Concept]) -> None:
    for name, one in shipped.items():
        places: dict[str, set[tuple[int, str]]] = {}
        for row in one.rows:
            places.setdefault(plain_text(row["text"]), set()).add((row["label"], row["split"]))
        assert all(len(found) == 1 for found in places.values()), name


def test_pairs_and_groups_are_in_one_split(shipped: dict[str, Concept]) -> None:
    for name, one in shipped.items():
        for column in ("pair", "group"):
            found: dict[str, set[str]] = {}
            for row in one.rows:
                if row[column] is not None:
                    found.setdefault(row[column], set()).add(row["split"])
            assert all(len(splits) == 1 for splits in found.values()), (name, column)


def test_labels_are_balanced_and_at_most_400_rows_are_shipped_of_a_concept(shipped: dict[str, Concept]) -> None:
    for name, one in shipped.items():
        count = Counter(one.rows["label"])
        assert len(one.rows) <= 400, name
        assert set(count) == {0, 1}
        assert abs(count[0] - count[1]) <= 0.02 * len(one.rows), name


def test_every_licence_is_a_known_one_and_every_source_is_named(shipped: dict[str, Concept]) -> None:
    for name, one in shipped.items():
        assert set(one.licences) <= set(LICENCES), name
        assert re.match(r"[\w-]+/[\w-]+@[0-9a-f]{12}: |written for cutaway$", one.source), name


def test_the_references_of_decisions_are_as_long_as_their_prompts_in_most(shipped: dict[str, Concept]) -> None:
    for name, one in shipped.items():
        if one.decisions is not None:
            equal = [len(row["prompt"].split()) == len(row["reference"].split()) for row in one.decisions]
            assert sum(equal) >= (0.5 if name == "truth.facts" else 1) * len(equal), name


def test_the_reference_of_a_decision_is_decided_the_other_way(shipped: dict[str, Concept]) -> None:
    for name, one in shipped.items():
        answers = {row["prompt"]: (row["target"], row["foil"]) for row in one.decisions or ()}
        for row in one.decisions or ():
            assert answers[row["reference"]] == (row["foil"], row["target"]), (name, row)


def test_single_words_do_not_tell_true_from_false_in_crossed_relations(shipped: dict[str, Concept]) -> None:
    for name, one in shipped.items():
        if name.startswith("knowledge.") or name in ("truth.cities", "truth.animal_class", "truth.sp_en_trans"):
            words = {
                label: Counter(w for split in SPLITS for t in one.texts(split, label) for w in t.split())
                for label in (0, 1)
            }
            assert words[0] == words[1], name


SPLITS = ("train", "val", "test")


def test_what_must_never_be_present_is_there_and_can_be_asked_for_in_full(shipped: dict[str, Concept]) -> None:
    assert shipped["control.made_up_facts"].cap == ""


def test_harmful_instructions_are_not_shipped() -> None:
    assert not [name for name in concept_names() if name.startswith("instruction")]


def test_spans_mark_the_thing_named(shipped: dict[str, Concept]) -> None:
    for row in shipped["entity.city.in_europe"].rows:
        ((start, end),) = row["spans"]
        assert row["text"][start:end] == row["group"]


def test_the_library_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) <= 1_500_000


def test_the_files_are_those_that_the_readme_names() -> None:
    readme = (SHIPPED / "README.md").read_text()
    assert fingerprint(SHIPPED) in readme
    assert all(f"| {name} |" in readme for name in concept_names())


def test_names_are_known_before_any_table_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    monkeypatch.setattr(reading_module, "read_table", lambda path: reads.append(path))
    found = library(SHIPPED)
    assert len(found) == len(concept_names()) >= 30
    assert "truth.cities" in found
    assert not reads


def test_a_concept_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = library(SHIPPED)
    first = found["emotion.fear"]
    monkeypatch.setattr(reading_module, "read_table", None)
    assert found["emotion.fear"] is first


def test_an_unknown_name_offers_near_ones_and_is_a_key_error() -> None:
    with pytest.raises(UnknownConcept, match=r"expected one of .*did you mean 'truth.cities'") as caught:
        library()["truth.city"]
    assert isinstance(caught.value, KeyError)
    assert not str(caught.value).startswith(('"', "'"))
    assert library().get("truth.city") is None


def test_families_are_found_by_name() -> None:
    assert library().family("power") == tuple(name for name in concept_names() if name.startswith("power."))
    with pytest.raises(UnknownConcept, match="did you mean 'grammar'"):
        library().family("gramar")


def test_folders_of_ones_own_hold_folders_and_bare_tables(tmp_path: Path) -> None:
    write_concept(concept(), tmp_path / "any name")
    lines = [f"{row['text']},{row['label']}" for row in plain_rows()]
    (tmp_path / "food.csv").write_text("\n".join(["text,label", *lines]))
    (tmp_path / "notes.txt").write_text("not a concept")
    mine = library(tmp_path)
    assert list(mine) == ["own.art", "own.food"]
    assert mine["own.art"] == concept()
    assert set(library(SHIPPED, tmp_path)) == {*concept_names(), *mine}


def test_two_concepts_of_one_name(tmp_path: Path) -> None:
    write_concept(concept(), tmp_path / "one")
    write_concept(concept(), tmp_path / "two")
    with pytest.raises(ConceptError, match=r"a second concept called 'own.art', beside .*one; expected one; rename"):
        library(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConceptError, match="no such folder"):
        library(tmp_path / "nothing")


def test_a_shipped_concept_is_an_ordinary_folder(tmp_path: Path) -> None:
    made = read_concept(SHIPPED / "truth.cities")
    write_concept(made, tmp_path / "again")
    assert read_concept(tmp_path / "again") == made
