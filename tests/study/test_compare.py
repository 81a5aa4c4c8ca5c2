"""Runs side by side."""

from pathlib import Path

import pytest
from tests.study.made import node, small

import cutaway as cw
from cutaway.runs import RunError


def saved(tmp_path: Path) -> list[Path]:
    first = small(node("z.0[head=0]", -1.0), node("z.0[head=1]", -2.0), node("mlp_out.0", 0.7))
    second = small(node("z.0[head=0]", -4.0), node("z.0[head=1]", -0.1), node("z.0[head=2]", 0.9))
    return [cw.save(first, tmp_path / "before"), cw.save(second, tmp_path / "after")]


def test_parts_stand_as_rows_with_an_effect_for_each_run(tmp_path: Path):
    rows = {row["part"]: row for row in cw.compare(saved(tmp_path))}
    assert set(rows) == {"z.0[head=0]", "z.0[head=1]", "z.0[head=2]", "mlp_out.0"}
    assert rows["z.0[head=0]"]["effect before"] == -1.0
    assert rows["z.0[head=0]"]["effect after"] == -4.0
    assert rows["z.0[head=0]"]["difference"] == -3.0


def test_the_largest_difference_comes_first_and_unknown_ones_last(tmp_path: Path):
    parts = cw.compare(saved(tmp_path))["part"]
    assert parts[:2] == ["z.0[head=0]", "z.0[head=1]"]


def test_changed_says_whose_state_differs(tmp_path: Path):
    rows = {row["part"]: row for row in cw.compare(saved(tmp_path))}
    assert not rows["z.0[head=0]"]["changed"]
    assert rows["z.0[head=1]"]["changed"]
    assert (rows["z.0[head=1]"]["state before"], rows["z.0[head=1]"]["state after"]) == ("used", "undecided")


def test_a_part_that_one_run_lacks_counts_as_changed_and_has_no_difference(tmp_path: Path):
    rows = {row["part"]: row for row in cw.compare(saved(tmp_path))}
    assert rows["mlp_out.0"]["changed"] and rows["mlp_out.0"]["difference"] is None
    assert rows["mlp_out.0"]["effect after"] is None


def test_a_run_compared_with_itself_differs_nowhere(tmp_path: Path):
    run = saved(tmp_path)[0]
    table = cw.compare([run, run])
    assert set(table["difference"]) == {0.0} and not any(table["changed"])
    assert "effect before (1)" in table and "effect before (2)" in table


def test_names_of_folders_cannot_break_the_query(tmp_path: Path):
    first, _ = saved(tmp_path)
    odd = cw.save(small(), tmp_path / 'head=6 "x"; DROP\'')
    assert len(cw.compare([first, odd])) == 3


def test_parts_that_were_never_rerun_have_no_effect(tmp_path: Path):
    empty = [node("z.0[head=0]", 1.0, exact=None, low=None, high=None, state="undecided")]
    runs = [cw.save(small(*empty), tmp_path / name) for name in ("a", "b")]
    assert cw.compare(runs)["difference"] == [None]


def test_runs_of_other_kinds_are_refused(tmp_path: Path):
    table = cw.save(small().nodes, tmp_path / "table")
    with pytest.raises(RunError, match="is a run of kind 'table'; compare takes traces"):
        cw.compare([saved(tmp_path)[0], table])


def test_one_run_is_nothing_to_compare(tmp_path: Path):
    with pytest.raises(ValueError, match="two or more"):
        cw.compare(saved(tmp_path)[:1])
    with pytest.raises(RunError, match="no such run folder"):
        cw.compare([tmp_path / "x", tmp_path / "y"])
