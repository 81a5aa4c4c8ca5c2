"""Boxes and lines in columns: nothing overlaps, what need not cross does not, and the docstrings' examples hold."""

import doctest
from importlib import import_module
from itertools import pairwise

import pytest

from cutaway.dial.reading.columns import LINE, columns


def test_lines_that_need_not_cross_do_not() -> None:
    column = {"a": 0, "b": 0, "c": 0, "x": 1, "y": 1, "z": 1}
    found = columns(column, [("a", "z"), ("b", "x"), ("c", "y")], 50.0)
    left = sorted("abc", key=lambda key: found.y[key])
    right = sorted("xyz", key=lambda key: found.y[key])
    assert [{"a": "z", "b": "x", "c": "y"}[key] for key in left] == right


def test_a_line_past_a_column_has_a_place_of_its_own_there() -> None:
    column = {"a": 0, "m": 1, "n": 1, "b": 2}
    found = columns(column, [("a", "b"), ("a", "m"), ("n", "b")], 50.0)
    (passed,) = found.ways[0]
    taken = sorted([(found.y["m"], 50.0), (found.y["n"], 50.0), (passed, LINE)])
    assert all(other - one >= (high + tall) / 2 for (one, high), (other, tall) in pairwise(taken))
    assert found.height == 2 * 50 + LINE
    assert [len(way) for way in found.ways] == [1, 0, 0]


@pytest.mark.parametrize("module", ("columns", "rule_text"))
def test_the_examples_of_the_docstrings_hold(module: str) -> None:
    done = doctest.testmod(import_module(f"cutaway.dial.reading.{module}"))
    assert done.attempted > 0 and done.failed == 0
