"""Chooses the limits of mesa's verdict on a zoo that nothing is reported on, and writes them beside the code that uses them.

`python benchmarks/run.py mesa_limits`, then `python -m benchmarks.mesa_limits` writes `verdict/limits.json`. The rates below are of
limits chosen without the family that is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks.circuit_judged import each_kept
from benchmarks.figures import Bar, Measured, Result, share
from benchmarks.kept import RESULTS, SOURCE, Kept, read
from cutaway.mesa.signs.battery import battery
from cutaway.mesa.verdict.evidence import Evidence
from cutaway.mesa.verdict.limits import Limits
from cutaway.mesa.verdict.verdict import decide
from cutaway.mesa.zoo import Recipe, thresholds

SEED = 7001
OPTIMIZERS, CONTROLS = 130, 444
SIGNS = (
    *(f"mesa/{name}" for name in ("controls", "optimizers", "signs", "tasks", "zoo", "verdict/evidence.py")),
    *(f"mesa/reference/{name}.py" for name in ("parts", "space", "stack", "transformer")),
    *(f"mesa/{name}.py" for name in ("alike", "counted", "forms", "hats", "least_squares", "lens", "matches")),
    *(f"mesa/{name}.py" for name in ("participation", "prompts", "retention", "subject", "watched", "writes")),
)
"""What a network's signs hang on."""
DEPENDS = (*SIGNS, "mesa_limits.py")
MINUTES = 14.0


def measure(kept: Kept, repetitions: int) -> None:
    """One row a network, each kept as it is done; nothing is repeated."""
    zoo = thresholds(SEED, OPTIMIZERS, CONTROLS)
    each_kept(kept, "zoo", lambda place: row(zoo[place]), [(place,) for place in range(len(zoo))])


def row(recipe: Recipe) -> dict[str, Any]:
    """What is read of one network."""
    found = battery(recipe.build(), recipe.task, recipe.seed)
    about = {"family": recipe.family, "truth": recipe.truth, "recipe": recipe.to_json()}
    return {
        **about,
        "evidence": asdict(Evidence.of(found)),
        "values": found.values(),
        "cpu seconds": found.cost.seconds,
    }


def known(rows: list[dict[str, Any]]) -> list[tuple[str, Evidence]]:
    """The truth and the evidence of rows."""
    return [(row["truth"], Evidence(**row["evidence"])) for row in rows]


def rows_of(result: Result) -> list[dict[str, Any]]:
    """A row a network."""
    return result["settings"]["zoo"]["facts"]["networks"]


def left_out(rows: list[dict[str, Any]]) -> list[str]:
    """The label of every network under limits that were chosen without its family."""
    families = {row["family"] for row in rows}
    limits = {name: Limits.chosen(known([row for row in rows if row["family"] != name])) for name in families}
    return [decide(evidence, limits[row["family"]]).label for row, (_, evidence) in zip(rows, known(rows), strict=True)]


def lines() -> Iterator[tuple[str, Bar, str, Any]]:
    """What is measured, its bar, the result that holds it and how the figure comes out of it."""
    what = "mesa, development zoo, limits chosen without the family: "
    yield f"{what}optimizers called one", Bar(0.95, True, "{:.1%}"), "mesa_limits", called(True)
    yield f"{what}controls called an optimizer", Bar(0.01, False, "{:.1%}"), "mesa_limits", called(False)


def called(optimizer: bool) -> Any:
    """The share of optimizers, or of controls, that are called one."""

    def figure(result: Result) -> Measured:
        rows = rows_of(result)
        labels = left_out(rows)
        asked = [
            label
            for row, label in zip(rows, labels, strict=True)
            if (row["truth"] == "iterative optimizer") == optimizer
        ]
        return share(sum(label == "iterative optimizer" for label in asked), len(asked), "networks")

    return figure


def main() -> None:
    """Writes the limits."""
    result = read(RESULTS / "mesa_limits.json")
    if result is None:
        raise SystemExit("there is no result to choose limits on; run: python benchmarks/run.py mesa_limits")
    limits = Limits.chosen(known(rows_of(result)))
    (SOURCE / "mesa" / "verdict" / "limits.json").write_text(limits.to_json(), encoding="utf-8")
    print(limits)


if __name__ == "__main__":
    main()
