"""A frontier as tables, as text, and as a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cutaway.dial.frontier.frontier import LIKE, Compared, Frontier, Point
from cutaway.dial.frontier.picture import picture
from cutaway.dial.frontier.rows import compared_row, point_row
from cutaway.dial.frontier.sizes import MEASURES
from cutaway.dial.price import points_of, table_of
from cutaway.dial.resampling import Estimate
from cutaway.runs import Table, new_run

KIND = "frontier"
POINTS, COMPARED, PRICE, MULTIPLIERS, CIRCUITS = "points", "compared", "price", "multipliers", "circuits"


def printed(frontier: Frontier) -> str:
    """What a person reads."""
    circuits = f"circuits of {len(frontier.tasks)} tasks at a loss of {frontier.target:g}: {', '.join(frontier.tasks) or 'none'}"
    lines = [
        circuits,
        "edges, nodes: geometric means over tasks and runs; null: random connected sets of as many nodes",
    ]
    lines += ["", str(Table.of(map(point_row, frontier.points)))]
    if frontier.compared:
        head = f"dense ÷ pressed over the tasks that both have, at equal compute and at equal loss (±{LIKE:g})"
        lines += ["", head, str(Table.of(map(compared_row, frontier.compared)))]
    if frontier.prices:
        head = "compute at equal validation loss, pressed ÷ dense; trend: slope of its logarithm on log compute"
        lines += ["", head, str(table_of(frontier.prices)), *frontier.published]
    notes = [f"- {note}" for note in frontier.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def tables(frontier: Frontier) -> dict[str, Any]:
    """Everything in it, as tables and lists of sentences."""
    return {
        POINTS: Table.of(_numbers_of_point(each, frontier) for each in frontier.points),
        COMPARED: Table.of((_numbers_of_compared(each) for each in frontier.compared), ("at", "pressure")),
        PRICE: Table.of((_numbers_of_price(each) for each in frontier.prices), ("pressure", "cost")),
        MULTIPLIERS: Table.of(points_of(frontier.prices), ("pressure", "multiplier")),
        CIRCUITS: frontier.circuits,
        "tasks": list(frontier.tasks),
        "target": frontier.target,
        "published": frontier.published,
        "notes": frontier.notes,
    }


def save(frontier: Frontier, folder: Path | str, arguments: Mapping[str, Any] | None = None) -> Path:
    """Writes the five tables as parquet, the rest as `frontier.json`, the page as `frontier.html`, into a new run folder."""
    whole = tables(frontier)
    with new_run(folder, KIND, seed=frontier.seed, arguments=arguments) as run:
        for name in (POINTS, COMPARED, PRICE, MULTIPLIERS, CIRCUITS):
            run.save_table(whole.pop(name), name)
        run.write_json(KIND, whole)
        (run.path / f"{KIND}.html").write_text(picture(frontier), encoding="utf-8")
    return Path(folder)


def _numbers(name: str, value: Estimate | None) -> dict[str, float | None]:
    ends = (None, None, None) if value is None else (value.value, value.low, value.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends))


def _numbers_of_point(point: Point, frontier: Frontier) -> dict[str, Any]:
    setting = point.setting
    row = {"budget": point.budget, **{name: setting[name] for name in ("pressure", "width", "tokens", "lr")}}
    row |= {name: setting.mean(name) for name in ("executed_gflop", "useful_gflop", "cpu_s")}
    row |= {"live": setting.share, "best": point.best, **_numbers("loss", point.loss)}
    for measure in MEASURES:
        row |= _numbers(measure, point.means[measure])
    return row | {"runs": len(setting), "tasks": len(point.sizes.tasks), "of": len(frontier.tasks)}


def _numbers_of_compared(each: Compared) -> dict[str, Any]:
    row: dict[str, Any] = {"at": each.at}
    for side, point in (("", each.pressed), ("dense_", each.dense)):
        row |= {f"{side}{name}": point.setting[name] for name in ("pressure", "width", "tokens", "lr")}
        row |= {f"{side}runs": len(point.setting), f"{side}loss": point.loss.value}
    for measure in MEASURES:
        row |= _numbers(measure, each.ratios[measure])
    return row | {"tasks": len(each.tasks)}


def _numbers_of_price(price: Any) -> dict[str, Any]:
    return {
        "pressure": price.pressure,
        "cost": price.cost,
        **_numbers("multiplier", price.overall),
        **_numbers("trend", price.trend),
        "points": len(price.points),
        "extrapolated": price.extrapolated,
        "dense_runs": price.runs[0],
        "pressed_runs": price.runs[1],
        "dense_widths": price.widths[0],
        "pressed_widths": price.widths[1],
    }
