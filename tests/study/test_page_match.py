"""The page of matches: every verdict with its evidence, whatever the names hold; and matches as a run folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from tests.concepts.matched import hostile, matched, matches, unread
from tests.study.browser import dom
from tests.study.test_page import HOSTILE, LOADED, Seen, after, made

import cutaway as cw
from cutaway.concepts.verdict import Matches
from cutaway.runs import open_run


def text_of(value: Matches, tmp_path: Path) -> str:
    return Seen(made(value, tmp_path)).text


def test_the_page_of_matches_loads_nothing_and_is_small(tmp_path: Path):
    html = made(matches(), tmp_path)
    assert not [(tag, a) for tag, a in Seen(html).elements if LOADED & a.keys()]
    assert len(html.encode()) < 100_000


def test_every_verdict_stands_with_its_reason_and_what_could_have_been_seen(tmp_path: Path):
    text = text_of(matches(), tmp_path)
    for one in matches():
        for said in (one.concept, one.verdict, one.words, one.why, one.definition, one.searched, *one.seen):
            assert said in text, said
    assert "uncalibrated here" in text


def test_the_named_set_stands_with_its_scores_and_the_refused_with_the_reasons(tmp_path: Path):
    text = text_of(matches(), tmp_path)
    for said in (
        "z.1[head=0]",
        "98% [89%, 100%] of 48",
        "✓ from 50%",
        "✓ from 90%",
        "✓ at most 5%",
        "Refused the name",
    ):
        assert said in text, said
    assert "it reads the cue: 100% [93%, 100%] of 48 pairs flip" in text and "✗ below 50%" in text


def test_the_null_is_drawn_and_counted(tmp_path: Path):
    html = made(matches(), tmp_path)
    one = [a for tag, a in Seen(html).elements if tag == "rect" and a.get("class") == "null"]
    assert len(one) == 3 * 4  # three concepts were read; 0.5, 0.55, 0.6 and 0.92 lie in four bins
    assert "1 of 4 permuted searches reach the line" in Seen(html).text


def test_tokens_carry_their_strength_as_heat_and_in_words(tmp_path: Path):
    tokens = [a for tag, a in Seen(made(matches(), tmp_path)).elements if a.get("class", "").startswith("token")]
    assert [(a["class"], a["title"]) for a in tokens[:3]] == [
        ("token ", "0"),
        ("token f2", "+1.00"),
        ("token f7", "+3.50"),
    ]
    assert "2 more tokens" in text_of(matches(), tmp_path)


def test_names_words_and_tokens_cannot_break_out(tmp_path: Path):
    seen = Seen(made(hostile(HOSTILE), tmp_path))
    assert "img" not in {tag for tag, _ in seen.elements}
    assert seen.text.count(HOSTILE) >= 10
    assert [tag for tag, _ in seen.elements].count("script") == 2


def test_of_many_concepts_only_what_was_found_lies_open(tmp_path: Path):
    many = matches(*(replace(unread(), concept=f"own.other{i}") for i in range(20)))
    html = made(many, tmp_path)
    assert html.count("<details open>") == 2 and html.count("<details>") == 22


def test_in_a_browser_the_verdicts_sort_and_filter(tmp_path: Path):
    made(matches(), tmp_path)
    assert dom(tmp_path / "page.html")[1] == []
    do = "const f = document.getElementById('filter'); f.value = 'absent'; f.dispatchEvent(new Event('input'));"
    assert "1 of 4" in after(tmp_path / "page.html", do)


# on disk ------------------------------------------------------------------------------------------------------------


def test_matches_come_back_equal_and_changed_ones_do_not(tmp_path: Path):
    cw.save(matches(), tmp_path / "run")
    assert cw.load(tmp_path / "run") == matches()
    assert cw.load(tmp_path / "run") != matches(matched(concept="own.more"))


def test_the_verdicts_are_parquet_and_the_run_says_what_it_is_of(tmp_path: Path):
    cw.save(matches(), tmp_path / "run")
    found = duckdb.sql(f"SELECT concept FROM '{tmp_path}/run/verdicts.parquet' WHERE verdict = 'absent'").fetchall()
    assert found == [("own.absent",)]
    info = open_run(tmp_path / "run", verify=True).info
    assert (info["kind"], info["seed"], info["arguments"]["network"]) == ("matches", 3, "small")
    assert info["arguments"]["verdicts"] == {"present": 1, "topic only": 1, "absent": 1, "not testable": 1}


@pytest.mark.parametrize("what", [None, 3])
def test_a_page_of_something_else_says_what_can_have_one(what, tmp_path: Path):
    with pytest.raises(TypeError, match="a Trace, a Rerun, Matches, Differences or plants"):
        cw.page(what, tmp_path / "page.html")
