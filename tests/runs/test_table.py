"""A table holds columns of equal length, and shows text without letting it out of its cell."""

import json
import re

import numpy as np
import pytest
import torch

from cutaway.runs import Table

ROWS = [
    {"site": "z.0", "effect": 0.512345, "state": "used"},
    {"site": "z.1", "effect": None, "state": "undecided"},
    {"site": "z.2", "effect": -12345.678, "state": "used"},
]


def test_rows_come_back_as_they_went_in():
    assert Table.of(ROWS).rows() == ROWS


def test_a_row_that_lacks_a_column_has_none_there():
    assert Table.of([{"a": 1}, {"b": 2}]).rows() == [{"a": 1, "b": None}, {"a": None, "b": 2}]


def test_columns_of_unequal_length_are_refused_with_their_lengths():
    with pytest.raises(ValueError, match="'a': 1, 'b': 2"):
        Table({"a": [1], "b": [1, 2]})


def test_an_unknown_column_names_those_there_are():
    with pytest.raises(KeyError, match="site, effect, state"):
        Table.of(ROWS)["strength"]


def test_an_empty_table_keeps_its_column_names():
    table = Table.of([], columns=["site", "effect"])
    assert (len(table), table.rows(), list(table.columns)) == (0, [], ["site", "effect"])
    assert table.where(lambda row: True).columns == {"site": [], "effect": []}
    assert "site" in str(table)


def test_tensors_and_arrays_become_plain_python():
    table = Table.of([{"t": torch.tensor(2.5), "n": np.float32(0.5), "l": np.array([1, 2]), "p": (np.int64(1), 2)}])
    assert table.rows() == [{"t": 2.5, "n": 0.5, "l": [1, 2], "p": [1, 2]}]
    assert [type(cell) for cell in table.rows()[0].values()] == [float, float, list, list]


def test_changing_what_was_given_does_not_change_the_table():
    cells = [1, 2]
    table = Table({"a": cells})
    cells.append(3)
    assert table["a"] == [1, 2]


def test_where_keeps_the_rows_that_match():
    assert Table.of(ROWS).where(lambda row: row["state"] == "used")["site"] == ["z.0", "z.2"]


@pytest.mark.parametrize(("descending", "expected"), [(False, ["z.2", "z.0", "z.1"]), (True, ["z.0", "z.2", "z.1"])])
def test_sorting_puts_the_unknown_last_either_way(descending, expected):
    assert Table.of(ROWS).sort("effect", descending=descending)["site"] == expected


def test_sorting_puts_nan_last_and_keeps_ties_in_order():
    table = Table({"x": [float("nan"), 1.0, 0.0, 1.0], "i": [0, 1, 2, 3]})
    assert table.sort("x", descending=True)["i"] == [1, 3, 2, 0]


def test_head_takes_the_first_rows_and_refuses_a_negative_number():
    assert Table.of(ROWS).head(2)["site"] == ["z.0", "z.1"]
    assert len(Table.of(ROWS).head(99)) == 3
    with pytest.raises(ValueError, match="-1"):
        Table.of(ROWS).head(-1)


def test_with_column_adds_or_replaces_and_leaves_the_original():
    table = Table.of(ROWS)
    assert table.with_column("rank", [1, 2, 3])["rank"] == [1, 2, 3]
    assert list(table.with_column("effect", [0, 0, 0]).columns) == ["site", "effect", "state"]
    assert "rank" not in table and table["effect"][0] == 0.512345
    with pytest.raises(ValueError, match="lengths"):
        table.with_column("rank", [1])


def test_text_shows_three_figures_and_a_dash_for_none():
    text = str(Table.of(ROWS))
    assert "0.512 " in text and "0.5123" not in text
    assert "-12300" in text
    assert "–" in text.splitlines()[3] and "None" not in text


def test_text_has_no_colour_codes_even_from_a_cell():
    text = str(Table.of([{"prompt": "\x1b[31mred\n[bold]x[/bold]"}]))
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text
    assert len(text.splitlines()) == 3


def test_a_long_table_says_how_many_rows_it_does_not_show():
    text = str(Table({"i": list(range(1000))}))
    assert text.endswith("… 940 more rows") and "59" in text and "\n 60" not in text


@pytest.mark.parametrize("column", ["<script>alert(1)</script>", "plain"])
def test_html_escapes_cells_and_column_names(column):
    page = Table({column: ["<script>alert('x')</script> & \"y\"", ["<b>"]]})._repr_html_()
    assert "<script" not in page and "<b>" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;y&quot;" in page


def test_markdown_has_one_line_a_row_whatever_is_in_a_cell():
    text = Table({"a|b": ["x | y\nz", "<script>"], "n": [1.23456, None]}).to_markdown()
    lines = text.splitlines()
    assert [len(re.findall(r"\|", line)) for line in lines] == [3, 3, 3, 3]
    assert lines[1] == "| --- | ---: |"
    assert "<script>" not in text and "| 1.23 |" in lines[2]


def test_json_is_strict():
    table = Table({"x": [1.5, float("nan"), float("inf")], "l": [[1.0, float("nan")], [], None], "s": ["é", "", '"']})
    expected = [
        {"x": 1.5, "l": [1.0, None], "s": "é"},
        {"x": None, "l": [], "s": ""},
        {"x": None, "l": None, "s": '"'},
    ]
    assert json.loads(table.to_json(), parse_constant=pytest.fail) == expected
