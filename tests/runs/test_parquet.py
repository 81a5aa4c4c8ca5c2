"""Tables survive parquet."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutaway.runs import Table, load_parquet, save_parquet

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CELLS = [
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    TEXT,
    st.lists(st.floats(allow_nan=False) | st.none(), max_size=4),
    st.lists(TEXT, max_size=4),
    st.lists(st.lists(st.integers(-9, 9), max_size=2), max_size=2),
]


@st.composite
def tables(draw):
    length = draw(st.integers(0, 5))
    names = draw(st.lists(TEXT.filter(bool), min_size=1, max_size=4, unique_by=str.lower))
    cells = [st.lists(st.none() | draw(st.sampled_from(CELLS)), min_size=length, max_size=length) for _ in names]
    return Table({name: draw(column) for name, column in zip(names, cells)})


@settings(max_examples=60, deadline=None)
@given(table=tables())
def test_any_table_comes_back_equal_and_of_the_same_types(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    save_parquet(table, path)
    back = load_parquet(path)
    assert list(back.columns.items()) == list(table.columns.items())
    assert repr(back) == repr(table)


def test_nan_and_infinity_come_back(tmp_path):
    save_parquet(Table({"x": [float("nan"), float("inf"), -0.0, None]}), tmp_path / "t.parquet")
    assert repr(load_parquet(tmp_path / "t.parquet")["x"]) == "[nan, inf, -0.0, None]"


def test_an_empty_table_comes_back_with_its_column_names(tmp_path):
    save_parquet(Table.of([], columns=["site", "effect"]), tmp_path / "t.parquet")
    assert load_parquet(tmp_path / "t.parquet").columns == {"site": [], "effect": []}


def test_names_that_mean_something_to_sql_or_a_glob_are_only_names(tmp_path):
    folder = tmp_path / "z.9[head=6]*" / "it's"
    folder.mkdir(parents=True)
    table = Table({'a"; DROP TABLE saved; --': [1], "select": ["x"]})
    save_parquet(table, folder / "nodes.parquet")
    assert load_parquet(folder / "nodes.parquet") == table
    assert os.listdir(folder) == ["nodes.parquet"]


def test_a_column_that_mixes_whole_numbers_and_floats_becomes_floats(tmp_path):
    save_parquet(Table({"x": [1, 2.5]}), tmp_path / "t.parquet")
    assert repr(load_parquet(tmp_path / "t.parquet")["x"]) == "[1.0, 2.5]"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (Table({"x": [1, "a"]}), "column 'x' holds int, str"),
        (Table({"x": [True, 1]}), "column 'x' holds bool, int"),
        (Table({"x": [{"a": 1}]}), "column 'x' holds dict"),
        (Table({"q": [1], "Q": [2]}), r"\['q', 'Q'\].*more than case"),
        (Table({"": [1]}), "not empty"),
        (Table({}), "without columns"),
        (Table({"x": [2**63]}), "does not fit parquet"),
        (Table({"x": ["\ud800"]}), "does not fit parquet"),
    ],
)
def test_what_parquet_cannot_hold_is_refused_and_leaves_no_file(table, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        save_parquet(table, tmp_path / "t.parquet")
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_not_parquet_is_an_error_that_says_so(tmp_path):
    (tmp_path / "t.parquet").write_text("hello")
    with pytest.raises(ValueError, match="not a readable parquet file"):
        load_parquet(tmp_path / "t.parquet")
    with pytest.raises(FileNotFoundError, match="no such parquet file"):
        load_parquet(tmp_path / "absent.parquet")
