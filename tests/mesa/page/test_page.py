"""Charts whose curves stand where their values say, on a page that opens by itself."""

import re
from itertools import pairwise

import pytest

from cutaway.mesa.page.chart import HEAD, HIGH, Chart, Curve
from cutaway.mesa.page.page import page
from cutaway.runs import Table, write_text


def drawn(chart: Chart) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (point.split(",") for point in line.split())]
        for line in re.findall(r'points="([^"]+)"', chart.svg())
    ]


def test_larger_values_stand_higher_and_later_layers_to_the_right():
    (points,) = drawn(Chart("loss", "error", [Curve("one", (3.0, 2.0, 0.5))]))
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted(y for _, y in points)
    assert all(HEAD <= y <= HIGH for _, y in points)


def test_equal_ratios_are_equal_distances_on_a_logarithmic_scale():
    (points,) = drawn(Chart("loss", "error", [Curve("one", (1.0, 0.1, 0.01))], log=True))
    (_, a), (_, b), (_, c) = points
    assert b - a == pytest.approx(c - b, abs=0.2)


def test_curves_of_other_lengths_share_the_layers():
    whole, late = drawn(Chart("kept", "share", [Curve("one", (0.0, 1.0, 2.0)), Curve("two", (1.0, 1.0), first=1)]))
    assert [x for x, _ in late] == [x for x, _ in whole][1:]


def test_a_constant_and_a_zero_can_be_drawn():
    assert drawn(Chart("flat", "", [Curve("one", (0.0, 0.0))], log=True))


def test_names_of_curves_that_end_together_do_not_lie_on_each_other():
    svg = Chart("loss", "", [Curve(f"curve {each}", (1.0, 0.5)) for each in range(4)]).svg()
    places = sorted(float(y) for y in re.findall(r'class="optimizer" x="[\d.]+" y="([\d.]+)"', svg))
    assert min(b - a for a, b in pairwise(places)) >= 12


def test_what_is_shown_is_escaped_and_a_page_replaces_an_older_one(tmp_path):
    text = page(
        "<b>", "a & b", [Chart("<i>", "", [Curve("x < y", (1.0, 2.0))])], [("t", Table.of([{"a": 1.23456, "b": "<"}]))]
    )
    assert "<b>" not in text and "<i>" not in text and "x &lt; y" in text and "1.23" in text
    path = tmp_path / "mesa.html"
    path.write_text("older")
    assert write_text(path, text).read_text() == text
    assert [one.name for one in tmp_path.iterdir()] == ["mesa.html"]


def test_an_empty_curve_is_said():
    with pytest.raises(ValueError, match="no values"):
        Curve("one", ())
    with pytest.raises(ValueError, match="no curves"):
        Chart("loss", "", [])
