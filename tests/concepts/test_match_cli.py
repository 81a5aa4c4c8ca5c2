"""`cutaway match` as a user gives it: concepts by name, file and folder; what is printed, kept and said when it is stopped."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.concepts.liars import liars
from tests.concepts.matched import lacking
from tests.concepts.rows import concept, plain_rows

import cutaway as cw
from cutaway.cli import run
from cutaway.cli.concepts import asked_about, concepts_named
from cutaway.cli.ending import WrongUse
from cutaway.concepts import ConceptError, asking, library, write_concept

NETWORK, QUICK = "organism:code", ["--twins", "0"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a bare table, and a folder of two concepts."""
    monkeypatch.chdir(tmp_path)
    with Path("art.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((row["text"], row["label"]) for row in plain_rows())])
    for name in ("own.first", "own.second"):
        write_concept(concept(name=name), tmp_path / "mine" / name)
    return tmp_path


def test_the_command_prints_saves_and_draws(files: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["match", NETWORK, "--concepts", "art.csv", *QUICK, "--out", "kept", "--page", "page.html"]) == 0
    saved, said = cw.load("kept"), capsys.readouterr()
    assert str(saved) in said.out and "saved: kept" in said.out and "page: page.html" in said.out
    assert "uncalibrated here" in said.out and "forwards" in said.err
    assert "own.art" in Path("page.html").read_text(encoding="utf-8")
    assert not Path("kept.partial").exists()


def test_the_json_is_one_document_with_the_verdicts(files: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["match", NETWORK, "--concepts", "art.csv", *QUICK, "--seed", "3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (one,) = document["result"]["matched"]
    assert (document["verb"], document["result"]["seed"], one["concept"]) == ("match", 3, "own.art")
    assert one["verdict"] in ("absent", "topic only", "not testable") and one["read"]["searched"] > 0
    assert isinstance(one["examples"][0]["strengths"][0], float)


def test_a_stopped_match_says_where_it_is_kept_and_goes_on(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    calls: list[str] = []

    def counted(net, about, kinds, seed):
        calls.append(about.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return lacking()

    monkeypatch.setattr(asking, "match", counted)
    words = ["match", NETWORK, "--concepts", "mine", *QUICK, "--out", "kept"]
    assert run(words) == 130
    assert "kept in kept.partial, the same command goes on" in capsys.readouterr().err
    assert list(Path("kept.partial/readings").rglob("*.safetensors")) and not Path("kept").exists()
    assert run(words) == 0
    assert calls == ["own.first", "own.second", "own.second"] and not Path("kept.partial").exists()


def test_concepts_are_names_files_folders_and_the_whole_library(files: Path, monkeypatch: pytest.MonkeyPatch):
    def named(*words: str) -> list[str]:
        return [one.name for one in concepts_named(words)]

    assert named("art.csv", "truth.cities", "mine/own.first") == ["own.art", "truth.cities", "own.first"]
    assert named("mine") == ["own.first", "own.second"]
    monkeypatch.setattr("cutaway.concepts.library", lambda *folders: library(*(folders or ("mine",))))
    assert named("library") == ["own.first", "own.second"]


def test_what_is_no_concept_is_told():
    with pytest.raises(ConceptError, match=r"did you mean 'truth\.cities'"):
        concepts_named(["truth.citis"])
    with pytest.raises(WrongUse, match="--concepts was given nothing"):
        concepts_named([])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "--concepts"),
        (["--concepts", ","], 2, "--concepts was given nothing"),
        (["--concepts", "art.cvs"], 1, "given the concept 'art.cvs'"),
        (["--concepts", "art.csv", "art.csv"], 1, "two concepts of one name, 'own.art'"),
        (["--concepts", "art.csv", "--permutations", "5"], 1, "at least 19"),
        (["--concepts", "art.csv", "--twins", "-1"], 1, "expected 0 or more"),
    ],
)
def test_wrong_use_ends_in_one_sentence(files: Path, capsys: pytest.CaptureFixture[str], words, status, said):
    assert run(["match", NETWORK, *words]) == status
    ended = capsys.readouterr()
    assert ended.out == "" and said in ended.err and len(ended.err.strip().splitlines()) == 1


def test_a_concept_of_ones_own_with_decisions_is_found_in_the_network_that_has_it(
    files: Path, capsys: pytest.CaptureFixture[str]
):
    write_concept(liars(decided=True), "liars")
    assert run(["match", "organism:agents-harmful", "--concepts", "liars", *QUICK, "--by", "heads", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["result"]["matched"]
    assert one["verdict"] == "present" and one["match"]["classes"] == ["heads"]
    assert all(part.startswith("z.") for part in one["match"]["named"]["parts"])


def test_what_a_generator_asks_comes_with_its_questions_beside_other_concepts(files: Path):
    concepts, questions = asked_about(["art.csv", "organism:agents"])
    assert [one.name for one in concepts] == ["own.art", "agents.deceive", "agents.power", "agents.decoy"]
    assert list(questions) == ["agents.deceive", "agents.power", "agents.decoy"]
    assert asked_about(["art.csv"])[1] == {}
    with pytest.raises(ValueError, match="no generator 'agent'; expected one of agents, quiz, code-pair, reader"):
        asked_about(["organism:agent"])
