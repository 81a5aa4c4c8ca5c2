"""Plants looked for blind: what is found and what is claimed falsely, the curve, what it predicts, and the command."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

import cutaway as cw
from cutaway.cli import run
from cutaway.study.plants import Plant, Sensitivity, calibrate_on, one_plant, plants_of
from grown import blobs


def row(kind: str, strength: float, found: bool, louder: float = 0.5, false: bool = False) -> dict:
    """A plant as it is counted."""
    figures = {"shown": 0.8, "louder": louder, "divergence": 0.001, "whole": found}
    return {"kind": kind, "strength": strength, "seed": 0, "took": True, "found": found, "false": false, **figures}


def rows(strength: float, hits: int, n: int, louder: float = 0.5) -> list[dict]:
    return [row("rank-one", strength, i < hits, louder) for i in range(n)]


def test_a_strong_plant_is_found_where_it_is() -> None:
    found = one_plant(blobs(), Plant("rank-one", 4.0, 7001))
    assert found["verdict"] == "present" and found["found"] and found["whole"] and not found["false"]


def test_a_plant_without_strength_is_not_named() -> None:
    found = one_plant(blobs(), Plant("rank-one", 0.0, 7001))
    assert found["verdict"] == "absent" and not found["found"] and not found["false"]


def test_a_name_for_a_decoy_is_a_false_claim_and_for_the_plant_beside_it_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from types import SimpleNamespace

    from cutaway.organisms.grafted import graft
    from cutaway.study.plants import plants

    grown = graft(blobs(), "decoy", 4.0, 7001)
    monkeypatch.setattr(plants, "graft", lambda *_: grown)
    for named, expected in ((grown.beside, (False, True)), (grown.planted, (True, False))):
        said = SimpleNamespace(named=SimpleNamespace(parts=named), refused=(), verdict="present", why="")
        monkeypatch.setattr(plants, "match", lambda *_, said=said, **__: said)
        found = plants.one_plant(blobs(), Plant("decoy", 4.0, 7001))
        assert (found["found"], found["false"]) == expected


def test_no_two_plants_have_one_seed() -> None:
    seeds = [one.seed for one in plants_of(6, seed=7001)]
    assert len(set(seeds)) == len(seeds) == 6 * (3 * 5 + 2)


def test_what_is_predicted_holds_about_as_often_as_is_said() -> None:
    from numpy.random import default_rng

    draw, held = default_rng(7001), 0
    for _ in range(150):
        rate = draw.beta(0.5, 0.5)
        known = Sensitivity.of("n", rows(1.0, draw.binomial(8, rate), 8), 0)
        low, high = known.predicted({("rank-one", 1.0): 60})
        held += low <= draw.binomial(60, rate) <= high
    assert 0.9 <= held / 150 <= 1


def test_a_prediction_from_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no plant 'backup' of strength 1\.0 took"):
        Sensitivity.of("n", rows(1.0, 3, 8), 0).predicted({("backup", 1.0): 60})


def test_the_smallest_effect_seen_is_below_all_that_are_seen() -> None:
    known = Sensitivity.of("n", rows(1.0, 1, 10) + rows(2.0, 10, 10) + rows(4.0, 10, 10), 0)
    smallest = known.smallest["rank-one"]
    assert smallest is not None and smallest.strength == 2.0
    assert Sensitivity.of("n", rows(1.0, 10, 10) + rows(2.0, 1, 10), 0).smallest["rank-one"] is None


def test_only_plants_that_can_give_a_false_claim_count_for_the_share_of_them() -> None:
    some = [row("rank-one", 4.0, True), row("rank-one", 0.0, False, false=True), row("decoy", 4.0, True)]
    known = Sensitivity.of("n", some, 0)
    assert (known.false.n, known.false.value) == (2, 0.5)
    assert all(len(line) <= 100 for line in str(known).splitlines())


def test_plants_louder_than_the_network_are_called_saturated() -> None:
    quiet, both, loud = (
        Sensitivity.of("n", some, 0)
        for some in (rows(1.0, 5, 6), rows(1.0, 5, 6) + rows(4.0, 6, 6, 3.0), rows(4.0, 6, 6, 3.0))
    )
    assert "saturated" not in str(quiet)
    assert "saturated at strength 4: these plants are louder than the network's own answers\n" in str(both)
    assert "nothing is known of weaker ones: give smaller strengths" in " ".join(str(loud).split())


def test_the_command_prints_its_budget_the_curve_and_the_page_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(import_module("cutaway.cli.calibrate"), "opened", lambda *_: blobs())
    verb = import_module("cutaway.study.plants.calibrate_on")
    monkeypatch.setattr(verb, "one_plant", lambda net, plant: row(plant.kind, plant.strength, plant.strength > 0))
    words = [
        "calibrate",
        "--plant",
        "blobs",
        "--each",
        "1",
        "--strengths",
        "0,2",
        "--seed",
        "7001",
        "--folder",
        str(tmp_path / "rows"),
    ]
    assert run([*words, "--page", str(tmp_path / "plants.html")]) == 0
    said = capsys.readouterr()
    assert "8 plants in blobs, about" in said.err and "false claims: " in said.out
    page = (tmp_path / "plants.html").read_text()
    assert page.count("<polyline") == 3 and "Recall against strength" in page
    monkeypatch.setattr(verb, "one_plant", None)  # all of them are kept
    assert run([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["result"]) == 8 and any(note.startswith("false claims") for note in document["notes"])


def test_the_command_refuses_both_sorts_of_calibration_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["calibrate", "--plant", "organism:code", "--networks", "2"]) == 2
    assert run(["calibrate", "--each", "2"]) == 2
    assert run(["calibrate", "--plant", "organism:modular", "--each", "1", "--strengths", "weak"]) == 2
    assert "expected numbers" in capsys.readouterr().err


def test_a_network_into_which_nothing_can_be_planted_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = replace(blobs(), reference=blobs().reference[:40])
    monkeypatch.setattr(import_module("cutaway.cli.calibrate"), "opened", lambda *_: few)
    assert run(["calibrate", "--plant", "few", "--each", "1", "--strengths", "0"]) == 1
    assert "gives 40 different rows; expected 150" in capsys.readouterr().err


def test_it_is_a_verb_of_the_package() -> None:
    assert cw.calibrate_on is calibrate_on


def test_strengths_that_are_none_or_not_finite_are_refused():
    for strengths, message in (((), "given no strengths"), ((float("inf"),), "finite strength from 0 on")):
        with pytest.raises(ValueError, match=message):
            plants_of(1, strengths)
