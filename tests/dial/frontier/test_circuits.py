"""Every network of a sweep is pruned on every task once, and what is not found has a row that says why."""

import importlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.dial.prune.planted import circuit
from tests.dial.test_sweep import GRID

from cutaway.dial.frontier.circuits import solved_by_all, swept
from cutaway.dial.frontier.frontier import frontier
from cutaway.dial.prune.prune import NotSolved, Pruned, Search, Settings
from cutaway.dial.sweep import sweep
from cutaway.runs import RunError, Table

SETTINGS = Settings(target=0.3, seed=7000, training=4, selection=4)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep of two networks."""
    folder = tmp_path_factory.mktemp("networks") / "sweep"
    sweep(GRID, folder)
    return folder


@pytest.fixture
def folder(networks: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(networks, tmp_path / "sweep")


@pytest.fixture
def pruned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that were pruned, by a pruner that knows one task."""
    found: list[str] = []

    def prune(network, task, windows, settings):
        found.append(task.name)
        if task.name == "quote_kind":
            raise NotSolved("not solved: quote_kind has loss 0.700 against target 0.3; nothing to prune; train longer")
        small = None if task.name == "def_call" else circuit()
        return Pruned(task.name, 0.05, (Search(7000, None, 1.0), Search(7001, small, 1.5)))

    module = importlib.import_module("cutaway.dial.frontier.circuits")
    monkeypatch.setattr(module, "prune", prune)
    monkeypatch.setattr(module, "counting_null", lambda network, nodes, size, seed: 7.5)
    return found


def test_every_network_is_pruned_on_every_task_once_and_more_tasks_take_what_is_there(
    folder: Path, pruned: list[str]
) -> None:
    first = frontier(folder, ("for_while",), SETTINGS)
    assert pruned == ["for_while"] * 2
    again = frontier(folder, ("for_while", "quote_kind", "def_call"), SETTINGS)
    assert pruned == ["for_while"] * 2 + ["quote_kind", "def_call"] * 2
    rows = {(row["name"], row["task"]): row for row in again.circuits}
    assert set(rows) == {(name, task) for name in again.sweep["name"] for task in again.tasks}
    assert [rows[row["name"], "for_while"] for row in again.sweep] == first.circuits.rows()
    frontier(folder, ("for_while",), replace(SETTINGS, target=0.4))
    assert pruned[-2:] == ["for_while"] * 2 and len(pruned) == 8


def test_what_is_found_is_counted_and_what_is_not_is_told(folder: Path, pruned: list[str]) -> None:
    rows = frontier(folder, ("for_while", "quote_kind", "def_call"), SETTINGS).circuits.rows()[:3]
    assert [row["why"] for row in rows] == [
        None,
        "not solved: quote_kind has loss 0.700 against target 0.3",
        "no circuit in 2 searches",
    ]
    assert (rows[0]["edges"], rows[0]["nodes"], rows[0]["null"]) == (*circuit().size, 7.5)
    assert (rows[0]["searches"], rows[0]["failed"], rows[0]["cpu_s"]) == (2, 1, 2.5)
    assert rows[1]["edges"] is rows[2]["edges"] is None


def test_a_network_that_was_trained_anew_is_pruned_anew(folder: Path, pruned: list[str]) -> None:
    sweep_ = frontier(folder, ("for_while",), SETTINGS).sweep
    one, other = (folder / name for name in sweep_["name"])
    shutil.rmtree(one)
    shutil.copytree(other, one)
    frontier(folder, ("for_while",), SETTINGS)
    assert len(pruned) == 3


def test_by_default_the_tasks_are_those_that_every_network_solves() -> None:
    rows = [
        {"why": None, "tasks": ["a", "b", "c"], "task_losses": [0.1, 0.1, 0.2]},
        {"why": None, "tasks": ["a", "b"], "task_losses": [0.15, 0.16]},
        {"why": "diverged", "tasks": [], "task_losses": []},
    ]
    assert solved_by_all(Table.of(rows), 0.15) == ("a",)
    assert solved_by_all(Table.of(rows), 0.2) == ("a", "b")


def test_prompts_that_do_not_fit_are_told(tmp_path: Path, pruned: list[str]) -> None:
    sweep(replace(GRID, context=8, pressures=("dense",)), tmp_path)
    (row,) = frontier(tmp_path, ("for_while",), SETTINGS).circuits
    assert "the network takes 8" in row["why"] and not pruned


def test_a_wrong_task_a_task_twice_and_a_folder_without_a_sweep_are_refused_before_any_search(
    folder: Path, pruned: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="did you mean quote_kind"):
        frontier(folder, ("for_while", "quote_knd"), SETTINGS)
    with pytest.raises(ValueError, match="expected each once"):
        frontier(folder, ("for_while", "for_while"), SETTINGS)
    with pytest.raises(RunError, match=r"holds no sweep.parquet; expected the folder of a finished sweep"):
        swept(tmp_path / "nowhere")
    assert not pruned
