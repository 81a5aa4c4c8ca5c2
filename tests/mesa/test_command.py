"""`cutaway mesa` as a user gives it."""

from pathlib import Path

import pytest
from tests.command import Command

from cutaway.mesa import budget
from cutaway.mesa.budget import Budget, Row
from cutaway.mesa.kinds import named as kinds_named
from cutaway.mesa.tasks import Regression
from cutaway.mesa.zoo import from_lines
from cutaway.runs import open_run


def test_a_zoo_is_drawn_written_and_screened_from_its_file(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "zoo.jsonl"
    size = ("--optimizers", "1", "--controls", "7", "--seed", "7001")
    drawn = command("mesa", "zoo", *size, "--to", str(path), "--json").document["result"]
    recipes = from_lines(path.read_text())
    assert [row["family"] for row in drawn] == [recipe.family for recipe in recipes] and len(recipes) == 8
    place = next(place for place, recipe in enumerate(recipes) if recipe.truth == "one-shot solver")
    assert "truth: one-shot solver" in command("mesa", "screen", str(path), "--place", str(place)).out
    again, beyond = command("mesa", "zoo", "--to", str(path)), command("mesa", "screen", str(path), "--place", "8")
    assert again.status and "is there already" in again.err
    assert beyond.status and "0 to 7" in beyond.err


def test_a_kind_is_screened_and_drawn_beside_an_optimizer_and_a_look_alike(command: Command, tmp_path: Path) -> None:
    page = tmp_path / "mesa.html"
    said = command("mesa", "screen", "momentum", "--layers", "4", "--page", str(page)).out
    assert said.startswith("iterative optimizer") and "accelerated" in said
    assert "goal slot: after layer " in said
    drawn = page.read_text()
    assert "momentum: iterative optimizer" in drawn and "gradient descent" in drawn and "ridge at once" in drawn


def test_a_solution_that_is_finished_has_no_goal_slot(command: Command) -> None:
    assert "goal slot: none" in command("mesa", "screen", "ridge at once", "--layers", "3").out


def test_the_budget_says_how_much_fits_into_the_layers(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (Row("hard", "slow", 0.1, (3, 5, 4)), Row("hard", "slow", 0.01, (90, 9, 80)))
    for table in ("conditioning", "breeding"):
        monkeypatch.setattr(budget, table, lambda seeds: Budget(rows, 400))
    assert "50% of these fit into 4 layers." in command("mesa", "budget", "--layers", "4").out
    assert "100% of these fit into 96 layers." in command("mesa", "budget").out
    none = command("mesa", "budget", "--layers", "0")
    assert none.status and "expected 1 or more" in none.err


def test_one_layer_is_too_shallow_and_a_wrong_name_is_told_the_kinds(command: Command) -> None:
    shallow, unknown = command("mesa", "screen", "momentum", "--layers", "1"), command("mesa", "screen", "newton")
    assert shallow.status and "too shallow for a verdict: needs ≥ 2 steps" in shallow.err
    assert unknown.status and "newton-schulz" in unknown.err
    assert "mesa kinds" in command("mesa", "screen", "nonsense").err


def test_kinds_are_listed_and_found_in_any_spelling(command: Command) -> None:
    listed = command("mesa", "kinds", "--json").document["result"]
    assert {"gradient descent", "ridge path"} <= {row["kind"] for row in listed}
    document = command("mesa", "screen", "Gradient_Descent", "--layers", "3", "--json", "--out", "kept").document[
        "result"
    ]
    assert document["label"] == document["truth"] == "iterative optimizer"
    assert {"because", "alike", "limits", "signs", "goal slot"} <= set(document)
    assert open_run("kept").read_json("screened")["label"] == "iterative optimizer"


def test_what_is_made_for_a_pool_is_screened_on_it_and_planners_are_refused(command: Command) -> None:
    assert "finite-task lookup" in command("mesa", "screen", "annealed lookup").out.splitlines()[0]
    assert kinds_named("ridge path", 0).task == Regression(4, 12)
    refused = command("mesa", "screen", "breadth-first")
    assert refused.status and "labelled points" in refused.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["nowhere.jsonl"], "is not there"),
        (["organism:code"], "cutaway mesa report"),
        (["momentum", "--place", "2"], "which is no file"),
        (["momentum", "--layers", "0"], "expected 1 or more"),
        (["annealed lookup", "--layers", "3"], "leave sizes out"),
        (["momentum", "--device", "cuda"], "run on the cpu"),
        (["lines.jsonl"], "line 1 is no recipe"),
        (["lines.jsonl", "--dim", "3"], "leave them out"),
    ],
)
def test_what_cannot_be_screened_is_told_what_can(command: Command, given: list[str], said: str) -> None:
    Path("lines.jsonl").write_text('{"a": 1}\n')
    ended = command("mesa", "screen", *given)
    assert ended.status and said in ended.err
