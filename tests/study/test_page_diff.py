"""The page of differences: every verdict with its proof, whatever the names hold; and differences as a run folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
from tests.concepts.differing import difference, differences, hostile, same
from tests.study.browser import dom
from tests.study.test_page import HOSTILE, LOADED, Seen, after, made

import cutaway as cw
from cutaway.runs import Table, open_run


def test_the_page_of_differences_loads_nothing_and_is_small(tmp_path: Path):
    html = made(differences(), tmp_path)
    assert not [(tag, a) for tag, a in Seen(html).elements if LOADED & a.keys()]
    assert len(html.encode()) < 100_000


def test_every_verdict_stands_with_its_reason_and_its_proof(tmp_path: Path):
    text = Seen(made(differences(), tmp_path)).text
    for one in differences():
        for said in (one.concept, one.verdict, one.why, one.definition):
            assert said in text, said
    for said in (
        "z.1[head=0] → z.1[head=2]",
        "98% [89%, 100%] of 48",
        "✓ from 90%",
        "✗ at most 5%",
        "by difference of weights",
    ):
        assert said in text, said
    assert "not sparing: 40% [30%, 50%] of 100 answers to 'recall' change" in text and "own.lies, own.spread" in text


def test_where_nothing_differs_the_page_says_nothing(tmp_path: Path):
    none = replace(differences(), found=(same(),), parts=Table({}), matrices=Table({}))
    assert "<h1>Nothing</h1>" in made(none, tmp_path)
    assert "nothing: of 1 concepts 1 could be compared, and none differs" in Seen(made(none, tmp_path)).text


def test_names_and_words_cannot_break_out(tmp_path: Path):
    seen = Seen(made(hostile(HOSTILE), tmp_path))
    assert "img" not in {tag for tag, _ in seen.elements}
    assert seen.text.count(HOSTILE) >= 10
    assert [tag for tag, _ in seen.elements].count("script") == 2


def test_in_a_browser_the_differences_sort_and_filter(tmp_path: Path):
    made(differences(), tmp_path)
    assert dom(tmp_path / "page.html")[1] == []
    do = "const f = document.getElementById('filter'); f.value = 'spread'; f.dispatchEvent(new Event('input'));"
    assert "1 of 4" in after(tmp_path / "page.html", do)


def test_differences_come_back_equal_and_changed_ones_do_not(tmp_path: Path):
    cw.save(differences(), tmp_path / "run")
    assert cw.load(tmp_path / "run") == differences()
    assert cw.load(tmp_path / "run") != differences(difference(concept="own.more"))


def test_the_lines_are_parquet_and_the_run_says_what_it_is_of(tmp_path: Path):
    cw.save(differences(), tmp_path / "run")
    found = duckdb.sql(f"SELECT concept FROM '{tmp_path}/run/verdicts.parquet' WHERE verdict = 'located'").fetchall()
    assert found == [("own.lies",)]
    info = open_run(tmp_path / "run", verify=True).info
    assert (info["kind"], info["seed"], info["arguments"]["networks"]) == ("differences", 3, ["one", "other"])
    assert info["arguments"]["named"] == ["own.lies", "own.spread"]


def test_differences_cite_what_they_rest_on():
    assert {"prakash2024finetuning", "agresti2005simple", "huang2024ravel"} <= set(
        cw.cite(differences()).replace("{", ",").split(",")
    )
    assert "huang2024ravel" not in cw.cite(replace(differences(), found=(same(),)))
