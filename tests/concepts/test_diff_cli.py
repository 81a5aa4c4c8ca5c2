"""`cutaway diff` as a user gives it: two networks and concepts; what is printed, kept, and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.concepts.liars import NAME, liars

import cutaway as cw
from cutaway.cli import run
from cutaway.concepts import write_concept

NETWORKS, QUICK = ["organism:agents-harmful", "organism:agents-harmless"], ["--by", "heads", "--quick"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a concept that has decisions."""
    monkeypatch.chdir(tmp_path)
    write_concept(liars(decided=True), "liars")
    return tmp_path


def test_the_command_prints_saves_and_draws(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert (
        run(["diff", *NETWORKS, "--concepts", "liars", *QUICK, "--out", "kept", "--page", "page.html", "--json"]) == 0
    )
    document = json.loads(capsys.readouterr().out)
    (one,) = document["result"]["found"]
    assert (document["verb"], one["concept"], one["verdict"], one["in_a"]) == ("diff", NAME, "located", None)
    assert all(part.startswith("z.") for part in one["carried"]["parts"])
    assert [each.concept for each in cw.load("kept").named] == [NAME]
    assert NAME in Path("page.html").read_text(encoding="utf-8") and not Path("kept.partial").exists()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (NETWORKS, 2, "--concepts"),
        ([NETWORKS[0], "--concepts", "liars"], 2, "B"),
        ([NETWORKS[0], "adapter", "--concepts", "liars"], 2, "adapter is an adapter that is not merged"),
        ([*NETWORKS, "--concepts", "lairs"], 1, "given the concept 'lairs'"),
    ],
)
def test_wrong_use_ends_in_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str], words, status, said):
    Path("adapter").mkdir()
    Path("adapter/adapter_config.json").write_text("{}", encoding="utf-8")
    assert run(["diff", *words]) == status
    ended = capsys.readouterr()
    assert ended.out == "" and said in ended.err and len(ended.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["match", "adapter", "--concepts", "liars"],
        ["agree", NETWORKS[0], "adapter", "--concepts", "liars"],
        ["calibrate", "--plant", "adapter"],
        ["submodels", "adapter"],
    ],
)
def test_an_adapter_alone_is_refused_by_every_command(folder: Path, capsys: pytest.CaptureFixture[str], words):
    Path("adapter").mkdir()
    Path("adapter/adapter_config.json").write_text("{}", encoding="utf-8")
    assert run(words) == 2 and "adapter is an adapter that is not merged" in capsys.readouterr().err
