"""A frontier compares like with like, tells what is missing, and its picture shows every setting once in each panel."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.dial.frontier.made import TASKS, frontier, pressed, priced

from cutaway.dial.frontier.frontier import LIKE, Frontier
from cutaway.dial.frontier.picture import PANELS, WIDE, picture, write
from cutaway.dial.frontier.show import printed, save, tables
from cutaway.runs import Table, load_parquet, open_run


def test_settings_are_compared_in_their_budget_and_at_their_loss_only() -> None:
    made = frontier(pressed)
    assert [(each.at, each.pressed.setting["width"]) for each in made.compared] == [
        (at, width) for width in (16, 32, 48, 64) for at in ("compute", "loss")
    ]
    for each in made.compared:
        assert each.dense.setting.dense and not each.pressed.setting.dense and each.tasks == TASKS
        assert abs(each.apart) <= LIKE and each.dense.budget == each.pressed.budget
        assert each.ratios["edges"].value == pytest.approx(20.0) == each.ratios["nodes"].value
        assert each.ratios["over_null"].value == pytest.approx(1.0)
    apart = frontier(pressed, budgets=1).sweep.rows()
    worse = [{**row, "loss": row["loss"] + 2 * LIKE * (row["pressure"] == "p")} for row in apart]
    assert [each.at for each in replace(made, sweep=Table.of(worse)).compared] == ["compute"]


def test_of_several_learning_rates_and_widths_the_lowest_loss_is_best_and_all_are_told() -> None:
    made = frontier(pressed, budgets=1, rates=(0.01, 0.1))
    rows = [{**row, "loss": row["loss"] + 0.1 * (row["lr"] == 0.1)} for row in made.sweep]
    points = replace(made, sweep=Table.of(rows)).points
    assert [(point.setting["lr"], point.best) for point in points] == [(0.01, True), (0.1, False)] * 2
    assert {each.pressed.setting["lr"] for each in replace(made, sweep=Table.of(rows)).compared} == {0.01}


def test_what_is_missing_is_told_and_ratios_say_how_many_tasks() -> None:
    def lacking(row, task):
        return None if (row["pressure"], row["seed"], task) == ("p", 1, "quote_kind") else pressed(row, task)

    made = frontier(lacking, budgets=2)
    text = printed(made)
    assert text.count("quote_kind not solved in 1 of 3 runs") == 2 and "2 of 3" in text
    assert {len(each.tasks) for each in made.compared} == {2}
    assert tables(made)["compared"]["tasks"] == [2] * 4


def test_a_run_that_diverged_and_a_sweep_that_solves_nothing_are_told() -> None:
    made = frontier(pressed, tasks=(), budgets=2)
    rows = [{**row, "tasks": ["a", "b"], "task_losses": [0.1 if row["seed"] else 0.5, 0.6]} for row in made.sweep]
    lost = {**rows[0], "name": "lost", "loss": None, "why": "step 3: loss nan"}
    text = printed(replace(made, sweep=Table.of([*rows, lost])))
    assert "lost diverged, and counts nowhere: step 3: loss nan" in text
    assert "no task is solved by every network at 0.15; most solve a (8 of 12)" in text


def test_with_one_point_on_a_curve_no_multiplier_is_printed() -> None:
    alone, several = (priced(frontier(pressed, budgets=count, noise=0.0)) for count in (1, 3))
    assert "no multiplier: the dense curve has 1" in printed(alone) and "not comparable" in printed(alone)
    assert "no multiplier" not in printed(several) and "× here, 100–1000× in Gao et al. 2025" in printed(several)
    assert alone.prices[0].overall is None and several.prices[0].overall is not None


def drawn(made: Frontier) -> ElementTree.Element:
    return ElementTree.fromstring(re.sub("^.*?(<svg.*</svg>).*$", r"\1", picture(made), flags=re.DOTALL))


def marks(svg: ElementTree.Element, tag: str, side: str) -> list[ElementTree.Element]:
    return [each for each in svg.iter(tag) if side in each.get("class", "").split()]


def test_the_picture_has_a_dot_for_every_setting_a_line_for_every_budget_and_one_for_every_equal_loss() -> None:
    made = frontier(lambda row, task: {"dense": 400, "p": 20, "q": 5}[row["pressure"]], pressures=("dense", "p", "q"))
    svg, panels = drawn(made), len(PANELS)
    told = [dot for dot in marks(svg, "circle", "dot") if dot.find("title") is not None]
    assert len(told) == 12 * panels
    curves = [each.get("d", "") for each in marks(svg, "path", "curve")]
    assert len(curves) == 4 * panels and all(curve.count("L") == 2 for curve in curves)
    assert len(marks(svg, "path", "equal")) == 8 * panels
    assert {text.text for text in marks(svg, "text", "times")[:8]} == {"÷ 20", "÷ 80"}
    assert sum("GFLOP" in (text.text or "") for text in svg.iter("text")) == 4 * panels


def test_everything_is_inside_and_what_reaches_out_is_cut_at_the_frame() -> None:
    made = frontier(lambda row, task: 10.0 ** (row["seed"] + 1), seeds=2, noise=0.5)
    svg = drawn(made)
    frames = [
        [float(box.get(side, "")) for side in ("x", "y", "width", "height")] for box in marks(svg, "rect", "frame")
    ]
    assert float(svg.get("width", "")) == WIDE and len(frames) == len(PANELS)
    ends = [number for mark in marks(svg, "path", "whisker") for number in re.findall(r"[\d.]+", mark.get("d", ""))]
    assert ends and min(map(float, ends)) >= 0 and max(map(float, ends)) <= WIDE
    for dot in marks(svg, "circle", "dot")[2:]:
        x, y = float(dot.get("cx", "")), float(dot.get("cy", ""))
        assert any(a <= x <= a + wide and b <= y <= b + high for a, b, wide, high in frames)


def test_budgets_whose_labels_would_overlap_are_written_apart() -> None:
    made = frontier(pressed, noise=0.0)
    alike = [{**row, "loss": 1.6 + 1e-5 * row["width"]} for row in made.sweep]
    labels = marks(drawn(replace(made, sweep=Table.of(alike))), "text", "budget")[:4]
    heights = sorted(float(label.get("y", "")) for label in labels)
    assert all(after - before >= 12 for before, after in pairwise(heights))


def test_a_setting_that_lacks_a_task_is_hollow() -> None:
    made = frontier(lambda row, task: None if task == "for_while" and row["pressure"] == "p" else 8.0, budgets=2)
    dots = [dot for dot in marks(drawn(made), "circle", "dot") if dot.find("title") is not None]
    hollow = [dot for dot in dots if re.search(r"\bh\d", dot.get("class", ""))]
    assert len(hollow) == 2 * len(PANELS) and all("p (width" in (dot.findtext("title") or "") for dot in hollow)


def test_the_page_loads_nothing_and_names_are_written_as_text(tmp_path: Path) -> None:
    page = picture(priced(frontier(pressed, tasks=("<b>&", "for_while"), pressures=("dense", '"><script>x'))))
    assert "<b>&" not in page and "<script" not in page
    assert "http" not in page and "url(" not in page and "@import" not in page
    empty = picture(frontier(lambda *_: None, budgets=2))
    assert empty.count("no setting has a circuit") == len(PANELS)
    with pytest.raises(IsADirectoryError, match="expected the name of a file"):
        write(frontier(pressed, budgets=2), tmp_path)


def test_a_frontier_is_saved_with_its_tables_and_its_page(tmp_path: Path) -> None:
    made = priced(frontier(pressed, budgets=3))
    folder = save(made, tmp_path / "found", {"command": []})
    assert open_run(folder, verify=True).kind == "frontier"
    points, price = load_parquet(folder / "points.parquet"), load_parquet(folder / "price.parquet")
    assert points["edges"] == [pytest.approx(400), pytest.approx(20)] * 3 and points["runs"] == [3] * 6
    assert price["multiplier"] == [pytest.approx(each.overall.value) for each in made.prices if each.overall]
    each = load_parquet(folder / "multipliers.parquet")
    assert each["multiplier"] == [point.value.value for one in made.prices for point in one.points] and len(each) > 2
    assert open_run(folder).read_json("frontier")["notes"] == made.notes
    assert (folder / "frontier.html").read_text(encoding="utf-8") == picture(made)
