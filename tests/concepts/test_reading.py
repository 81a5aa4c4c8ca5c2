"""Concepts on disk: a folder comes back as it was, a bare table is enough, and what is wrong with a file is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.concepts.rows import concept, plain_rows

from cutaway.concepts import ConceptError, read_concept, write_concept
from cutaway.concepts.files import LARGEST
from cutaway.runs import RunError, Table, load_parquet, save_parquet


def bare(path: Path, rows: list[dict]) -> Path:
    """Two columns, in the format that the name says."""
    if path.suffix == ".parquet":
        save_parquet(Table.of(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    else:
        between = "," if path.suffix == ".csv" else "\t"
        path.write_text(
            "\n".join([f"text{between}label", *(f'"{r["text"]}"{between}{r["label"]}' for r in rows)]), encoding="utf-8"
        )
    return path


def written(tmp_path: Path, toml: str | None = None, **changed: object) -> Path:
    """A concept's folder; `toml` replaces its concept.toml."""
    folder = tmp_path / "art"
    write_concept(concept(**changed), folder)
    if toml is not None:
        (folder / "concept.toml").write_text(toml, encoding="utf-8")
    return folder


def test_a_concept_comes_back_as_it_was_written(tmp_path: Path) -> None:
    assert read_concept(written(tmp_path)) == concept()


def test_words_that_need_escapes_come_back(tmp_path: Path) -> None:
    odd = 'says "no" \\ to\nart\t\x7f\x01 é 藝 # = [x]'
    rows = [*plain_rows(), {"text": odd, "label": 1, "spans": [[0, 4]], "group": "[a] = 1"}]
    made = concept(definition=odd, rows=Table.of(rows))
    write_concept(made, tmp_path / "odd")
    assert read_concept(tmp_path / "odd") == made


def test_nothing_is_overwritten_and_nothing_half_written_stays(tmp_path: Path) -> None:
    folder = written(tmp_path)
    with pytest.raises(RunError):
        write_concept(concept(), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["art"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_a_bare_table_of_two_columns_is_a_concept_that_says_what_it_lacks(tmp_path: Path, suffix: str) -> None:
    made = read_concept(bare(tmp_path / f"likes art.{suffix}", plain_rows()))
    assert made.name == "own.likes-art"
    assert made.licence == "not stated"
    assert sorted(made.rows["text"]) == sorted(row["text"] for row in plain_rows())
    assert made.cap == "topic only (no control given); can be read, never used (no decisions given)"


def test_a_bare_table_may_be_named_with_its_family(tmp_path: Path) -> None:
    assert read_concept(bare(tmp_path / "ethics.art.csv", plain_rows())).name == "ethics.art"


def test_texts_with_commas_quotes_lines_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    texts = ['a, "b"\nand\u2028c', *(row["text"] for row in plain_rows())]
    lines = [
        "text,label,spans",
        '"a, ""b""\nand\u2028c",1,"[[0, 1]]"',
        *(f"{r['text']},{r['label']}," for r in plain_rows()),
    ]
    (tmp_path / "art.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    made = read_concept(tmp_path / "art.csv")
    assert made.rows["text"] == texts
    assert made.rows["spans"][:2] == [[[0, 1]], None]


def test_rows_of_a_folder_may_be_a_csv_file(tmp_path: Path) -> None:
    folder = written(tmp_path, controls=(), shifted=(), decisions=None, rows=Table.of(plain_rows()))
    rows = load_parquet(folder / "rows.parquet")
    (folder / "rows.parquet").unlink()
    lines = [f"{row['text']},{row['label']},{row['split']}" for row in rows]
    (folder / "rows.csv").write_text("\n".join(["text,label,split", *lines]))
    assert read_concept(folder) == concept(controls=(), shifted=(), decisions=None, rows=Table.of(plain_rows()))


def refused(path: Path, message: str) -> None:
    with pytest.raises(ConceptError, match=message):
        read_concept(path)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "art.csv").write_bytes("text,label\ncafé,1".encode("latin1"))
    refused(tmp_path / "art.csv", "byte 14 is not UTF-8.*iconv -f LATIN1 -t UTF-8 art.csv")


def test_a_file_of_100_mb_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_reading(path: Path) -> bytes:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(Path, "read_bytes", no_reading)
    for suffix in ("csv", "jsonl", "parquet"):
        with (tmp_path / f"art.{suffix}").open("wb") as file:
            file.truncate(100_000_000)
        refused(tmp_path / f"art.{suffix}", f"given 100 MB; expected at most {LARGEST // 10**6} MB.*give a sample")


def test_ten_rows_of_a_bare_table(tmp_path: Path) -> None:
    refused(bare(tmp_path / "art.csv", plain_rows(5)), "label 0 has 5 rows .* so 32 for two labels")


def test_files_that_are_missing_or_of_another_kind(tmp_path: Path) -> None:
    refused(tmp_path / "nothing.csv", "no such file")
    refused(tmp_path, "has no concept.toml")
    (tmp_path / "art.pkl").write_bytes(b"x")
    refused(tmp_path / "art.pkl", "given a .pkl file; expected one of .csv, .tsv, .jsonl, .parquet")
    (tmp_path / "art.parquet").write_bytes(b"text,label")
    refused(tmp_path / "art.parquet", "not a readable parquet file.*write it again")


def test_a_table_with_broken_lines(tmp_path: Path) -> None:
    path = tmp_path / "art.csv"
    path.write_text("text,label\nI like art, and food,1\n")
    refused(path, "line 2: given 3 cells for 2 columns.*quotes")
    path.write_text('text,label\n"I like art,1\n')
    refused(path, "expected quoted cells")
    path.write_text("text,label\nI like art,yes\n")
    refused(path, "line 2: given 'yes' as label; expected a whole number")
    path.write_text("text,label,label\nI like art,1,1\n")
    refused(path, "expected each once")
    path.write_text("")
    refused(path, "given the columns none")
    path = tmp_path / "art.jsonl"
    path.write_text('{"text": "I like art", "label": 1}\n{"text"')
    refused(path, "line 2: not JSON")
    path.write_text("[1]")
    refused(path, "line 1: given list; expected an object")


def test_an_unknown_column_in_a_file_offers_the_near_one(tmp_path: Path) -> None:
    refused(
        bare(tmp_path / "art.jsonl", [{**row, "lable": 1} for row in plain_rows()]),
        "unknown column 'lable'.*mean 'label'",
    )


HEAD = 'name = "own.art"\ndefinition = "likes art"\nkind = "stance"\nlicence = "MIT"\n'


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("name = own.art", "not TOML"),
        (HEAD.replace('licence = "MIT"\n', ""), "lacks licence"),
        (HEAD.replace("licence", "license"), "unknown key 'license'.*did you mean 'licence'"),
        (HEAD.replace("MIT", "MTI"), "given the licence 'MTI'.*did you mean 'MIT'"),
        (HEAD.replace("stance", "stances"), "given the kind 'stances'.*did you mean 'stance'"),
        (HEAD.replace('"MIT"', "7"), "licence is 7; expected text"),
        (HEAD, "rows of the set 'food', which concept.toml does not name"),
        (HEAD + "[controls.food]\nfactr = 'x'", "unknown key 'factr' in .controls.food.*did you mean 'factor'"),
        (HEAD + "[controls.food]\n[shifted.shouted]\nchange = 'form'", "control 'food' names no factor"),
        (HEAD + "controls = ['food']", "controls is no table of tables"),
        (
            HEAD + "[controls.food]\nfactor = 'x'\n[shifted.shouted]\nchange = 'x'\n[controls.drink]\nfactor = 'x'",
            "'drink'; expected rows",
        ),
    ],
)
def test_a_concept_toml_that_is_wrong(tmp_path: Path, toml: str, message: str) -> None:
    refused(written(tmp_path, toml), message)


def test_a_folder_without_rows_or_with_two_files_of_them(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "rows.csv").write_text("text,label\n")
    refused(folder, "has rows.csv and rows.parquet; expected one")
    (folder / "rows.csv").unlink()
    (folder / "rows.parquet").unlink()
    refused(folder, "has no rows")


def test_decisions_with_an_unknown_column(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "decisions.parquet").unlink()
    (folder / "decisions.csv").write_text("prompt,target,foil,refrence\na,b,c,d\n")
    refused(folder, "unknown column 'refrence'.*did you mean 'reference'")
