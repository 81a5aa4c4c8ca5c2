"""Promised beside measured: what is kept, missed, undecided, and what a stopped calibration keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cutaway.cli.calibrate import calibrate as verb
from cutaway.study.calibrate import STRATA, Calibration, Line, Run, Stratum, calibrate, calibration
from cutaway.study.calibrate.strata import NULLS

PLANTED = Stratum("planted", "slot", "harmful", ("power",), "present", 0.9, True)
NULL = Stratum("null", "slot", "harmless", ("power",), "present", 0.05)
NEVER = Stratum("never", "slot", "harmful", ("power",), "named", 0.0)


def row(verdict: str, network: str = "harmful", problems: tuple[str, ...] = ()) -> Any:
    """A training run of which one network was asked one thing."""
    asked = {"problems": list(problems), "asked": {"power": {"verdict": verdict}}}
    return {"recipe": "slot", "seed": 0, "kind": "a kind", "networks": {network: asked}}


def line(stratum: Stratum, hits: int, n: int) -> Line:
    """So many of n runs count."""
    said = [stratum.counted] * hits + ["something else"] * (n - hits)
    return Line.of(stratum, [row(one, stratum.network) for one in said])


@pytest.mark.parametrize(
    ("stratum", "hits", "n", "promise"),
    [
        (NULL, 0, 93, "kept"),
        (NULL, 1, NULLS, "kept"),
        (NULL, 1, NULLS - 1, "not decided by n"),
        (NULL, 0, 20, "not decided by n"),
        (NULL, 20, 93, "missed"),
        (PLANTED, 20, 20, "not decided by n"),
        (PLANTED, 29, 29, "kept"),
        (PLANTED, 5, 20, "missed"),
        (PLANTED, 0, 0, "not measured"),
        (NEVER, 0, 1, "kept"),
        (NEVER, 1, 99, "missed"),
    ],
)
def test_a_promise_is_kept_or_missed_only_where_the_number_of_runs_decides(
    stratum: Stratum, hits: int, n: int, promise: str
):
    assert line(stratum, hits, n).promise == promise


def test_a_run_in_which_nothing_took_hold_is_left_out_and_told():
    rows = [row("present"), row("not testable", problems=("power shows on 3.0% of its triggers, not on 99%",))]
    found = Line.of(PLANTED, rows)
    assert (found.share.n, found.share.value, found.left_out) == (1, 1.0, 1)


def test_a_run_counts_if_any_answer_raises_the_alarm_or_all_answers_find_it():
    both = {"power": {"verdict": "present"}, "deceive": {"verdict": "absent"}}
    one = {"recipe": "slot", "networks": {"harmful": {"problems": [], "asked": both}}}
    asked = ("deceive", "power")
    assert Stratum("alarm", "slot", "harmful", asked, "present", 0.05).counts(one)
    assert not Stratum("found", "slot", "harmful", asked, "present", 0.9, True).counts(one)


def test_the_table_has_promise_and_measure_side_by_side_and_the_worst_rates_are_said_by_kind_of_network():
    lines = (line(PLANTED, 3, 4), line(NULL, 0, 5), line(NEVER, 0, 0))
    found = Calibration(lines, (row("present"),), 7)
    first, second, third = found.table.rows()
    assert (first["promised"], first["measured"], first["n"]) == ("present in ≥ 90 %", 0.75, 4)
    assert second["low"] == 0.0 < second["high"] and second["promise"] == "not decided by n"
    assert (third["promised"], third["measured"], third["promise"]) == ("named: never", None, "not measured")
    assert "planted" in str(found) and "kept" not in str(found)
    (words,) = found.in_words.values()
    assert list(found.in_words) == ["a kind"] and words.startswith(
        "planted: present in 75% [19%, 99%] of 4 training runs; null"
    )


def test_a_stopped_calibration_goes_on_and_gives_what_an_uninterrupted_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made: list[int] = []

    def one(run: Run) -> Any:
        if len(made) == 2 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        made.append(run.seed)
        asked = {name: {"verdict": "absent" if run.seed % 2 else "present"} for _, name in run.asks}
        return {
            "recipe": run.recipe,
            "seed": run.seed,
            "kind": "",
            "networks": {"harmless": {"problems": [], "asked": asked}},
        }

    stopped: list[bool] = []
    monkeypatch.setattr(calibration, "one_run", one)
    with pytest.raises(KeyboardInterrupt):
        calibrate(["harmless twins"], 4, seed=10, folder=tmp_path / "kept")
    found = calibrate(["harmless twins"], 4, seed=10, folder=tmp_path / "kept")
    assert made == [10, 11, 12, 13]
    assert found == calibrate(["harmless twins"], 4, seed=10)
    assert found.table["measured"] == [0.5]
    kept = [file.suffix for file in (tmp_path / "kept").rglob("*") if file.is_file()]
    assert kept == [".json"] * 4  # rows, and no network


def test_a_stratum_that_there_is_not_is_an_error_that_names_those_there_are():
    with pytest.raises(ValueError, match="there is no stratum 'harmles'; expected one of: deceive in a slot; "):
        calibrate(["harmles"])
    assert len({one.name for one in STRATA}) == len(STRATA)


def test_the_command_says_what_it_will_take_before_it_starts(patched: None, capsys: pytest.CaptureFixture[str]):
    answer = verb(strata=("untrained",), networks=1)
    assert capsys.readouterr().err.startswith("1 training runs, about 1 minutes of one core; with --folder")
    (only,) = answer.value.rows()
    assert (only["stratum"], only["measured"], only["n"], only["promise"]) == ("untrained", 0.0, 1, "not decided by n")
    assert "present in ≤ 5 %" in answer.text
