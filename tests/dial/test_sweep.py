"""A sweep has a row for every run, goes on where it was killed, and says which runs diverged."""

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from cutaway.dial.store import load
from cutaway.dial.sweep import Grid, Sweep, sweep, tasks_of
from cutaway.ledger import read
from cutaway.runs import Table, load_parquet

GRID = Grid(
    widths=(16,),
    pressures=("dense", "topk=1/2"),
    tokens=(4 * 64,),
    seeds=(7000,),
    batch=2,
    context=64,
    layers=1,
    examples=2,
)
SECONDS = ("cpu_s", "wall_s", "peak_memory_mb")


def but_seconds(found: Sweep) -> list[dict]:
    return [{name: cell for name, cell in row.items() if name not in SECONDS} for row in found.table]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sweep, Path]:
    """A sweep and its folder."""
    folder = tmp_path_factory.mktemp("sweep")
    return sweep(GRID, folder), folder


def test_every_run_has_a_row_with_its_network_and_its_ledger(done: tuple[Sweep, Path]) -> None:
    found, folder = done
    assert found.table["pressure"] == ["dense", "topk=1/2"] and found.table["steps"] == [2, 2]
    for row in found.table:
        stored = load(folder / row["name"])
        assert (row["loss"], row["live"]) == (stored.record.held_out, stored.record.alive[0])
        assert {entry.resource for entry in read(folder / row["name"] / "ledger.jsonl").entries} >= {"cpu_s", "wall_s"}
    dense, sparse = found.table.rows()
    assert dense["useful_gflop"] == dense["executed_gflop"] == sparse["executed_gflop"] > sparse["useful_gflop"]
    assert dense["asked"] > 20 and len(dense["task_losses"]) == dense["asked"]
    assert not list(folder.glob("*.partial"))


def test_the_table_is_kept_as_parquet(done: tuple[Sweep, Path]) -> None:
    found, folder = done
    assert load_parquet(folder / "sweep.parquet")["loss"] == found.table["loss"]


def test_a_killed_sweep_goes_on_and_a_larger_one_takes_what_is_there(
    done: tuple[Sweep, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("cutaway.dial.sweep")
    real, carried = module.carried_out, []

    def killed(plan, folder):
        if len(carried) == 1:
            raise KeyboardInterrupt
        carried.append(plan.pressure)
        return real(plan, folder)

    monkeypatch.setattr(module, "carried_out", killed)
    with pytest.raises(KeyboardInterrupt):
        sweep(GRID, tmp_path)
    carried.clear()
    resumed = sweep(GRID, tmp_path)
    assert carried == ["topk=1/2"]
    assert but_seconds(resumed) == but_seconds(done[0])
    assert sweep(replace(GRID, pressures=("topk=1/2",)), tmp_path).table.rows() == resumed.table.rows()[1:]


def test_another_target_or_other_examples_train_nothing_anew(
    done: tuple[Sweep, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, folder = done
    module, asked = importlib.import_module("cutaway.dial.sweep"), []
    real = module.task_losses

    def counted(stored, corpus, examples):
        asked.append(examples)
        return real(stored, corpus, examples)

    monkeypatch.setattr(module, "carried_out", lambda *_: pytest.fail("a network was trained anew"))
    monkeypatch.setattr(module, "task_losses", counted)
    easy = sweep(replace(GRID, target=100.0), folder)
    assert easy.table["name"] == found.table["name"] and easy.table["task_losses"] == found.table["task_losses"]
    assert easy.table["solved"] == easy.table["asked"] > found.table["solved"] and not asked
    other = sweep(replace(GRID, examples=4), folder)
    assert other.table["task_losses"] != found.table["task_losses"] and asked == [4, 4]


def test_a_run_that_diverges_is_a_row_that_says_so(tmp_path: Path) -> None:
    found = sweep(replace(GRID, pressures=("dense",), lrs=(1e20,), tokens=(8 * 64,)), tmp_path)
    (row,) = found.table
    assert row["loss"] is None and "expected finite numbers" in row["why"] and row["why"] in str(found)
    assert str(tmp_path) not in row["why"]


def test_a_plan_that_fails_stops_a_sweep_before_any_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="try least="):
        sweep(replace(GRID, pressures=("dense", "topk=1/64")), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("axis", ["widths", "pressures", "tokens", "seeds", "lrs"])
@pytest.mark.parametrize("values", [(), (1, 1)])
def test_an_axis_without_values_or_with_one_twice_is_refused(axis: str, values: tuple) -> None:
    with pytest.raises(ValueError, match=f"Grid.{axis} is .*expected one or more different"):
        replace(GRID, **{axis: values})


@pytest.mark.parametrize("wrong", [{"examples": 3}, {"examples": 0}, {"target": -0.1}, {"target": float("nan")}])
def test_what_would_fail_after_training_is_refused_before(wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        replace(GRID, **wrong)


def test_more_examples_than_a_task_has_are_refused_before_any_run(tmp_path: Path, monkeypatch) -> None:
    def few(corpus: object, count: int) -> dict:
        raise ValueError("the task gave no new prompt")

    monkeypatch.setattr("cutaway.dial.sweep.examples_of", few)
    with pytest.raises(ValueError, match="no new prompt"):
        sweep(GRID, tmp_path)
    assert not list(tmp_path.iterdir())


def test_narrow_networks_come_first() -> None:
    grid = replace(GRID, widths=(64, 16), seeds=(7000, 7001), lrs=(None, 0.1))
    assert [plan.width for plan in grid.plans()] == [16] * 8 + [64] * 8


def test_a_task_at_the_target_is_solved() -> None:
    found = tasks_of({"one": 0.15, "two": 0.151}, 0.15)
    assert (found["solved"], found["solved_tasks"], found["asked"]) == (1, ["one"], 2)


def test_a_sweep_prints_shares_and_counts() -> None:
    row = dict.fromkeys(
        ("width", "pressure", "tokens", "seed", "lr", "loss", "executed_gflop", "useful_gflop", "cpu_s", "why")
    )
    text = str(Sweep(Table.of([{**row, "name": "n", "live": 1, "of": 16, "solved": 3, "asked": 34}]), 0.2))
    assert "6.2%" in text and "3 of 34" in text and "a loss of 0.2" in text
