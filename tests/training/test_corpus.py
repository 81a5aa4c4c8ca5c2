"""The corpus: deterministic, split by file, held-out files apart."""

from pathlib import Path

import pytest

from cutaway.training.corpus import corpus, held_out, readable, source_files, standard_library


def plant(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return plant(tmp_path, {f"package/m{i}.py": f"x = {i}\n" for i in range(200)})


def test_the_running_python_brings_a_corpus_of_millions_of_characters_with_few_held_out():
    library = standard_library()
    train, validation = sum(map(len, library.train)), sum(map(len, library.validation))
    assert train > 4e6
    assert 0.01 < len(library.validation) / len(library.train + library.validation) < 0.08
    assert validation > 5e4


def test_two_readings_give_the_same_corpus(sources: Path):
    assert standard_library(sources) == standard_library(sources)


def test_no_text_is_on_both_sides_even_if_a_file_occurs_twice(sources: Path):
    twice = plant(sources, {f"copy/m{i}.py": f"x = {i}\n" for i in range(200)})
    library = standard_library(twice)
    assert not set(library.train) & set(library.validation)
    assert len(library.train) + len(library.validation) == 200


def test_a_new_file_moves_no_other_file_to_the_other_side(sources: Path):
    before = standard_library(sources)
    after = standard_library(plant(sources, {"another.py": "y = 1\n"}))
    assert set(before.train) <= set(after.train)
    assert set(before.validation) <= set(after.validation)


def test_the_hash_changes_with_any_character(sources: Path):
    before = standard_library(sources).hash
    plant(sources, {"package/m7.py": "x = 7 \n"})
    assert standard_library(sources).hash != before


def test_tests_site_packages_tables_and_build_settings_are_left_out(tmp_path: Path):
    skipped = ["test/a.py", "json/tests/a.py", "idlelib/a.py", "lib2to3/a.py", "site-packages/a.py", "encodings/a.py"]
    skipped += ["_sysconfigdata__linux.py", "config-3.11/a.py"]
    plant(tmp_path, dict.fromkeys([*skipped, "kept.py", "json/kept.py"], "x = 1\n"))
    assert [path.relative_to(tmp_path).as_posix() for path in source_files(tmp_path)] == ["json/kept.py", "kept.py"]


def test_a_file_that_is_not_utf8_or_does_not_compile_is_left_out(tmp_path: Path):
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    plant(tmp_path, {"broken.py": "def f(:\n", "null.py": "x = 1\0\n", "empty.py": "\n", "good.py": "x = 1\n"})
    assert [path.name for path in source_files(tmp_path) if readable(path)] == ["good.py"]


def test_a_file_with_an_odd_escape_is_kept_without_a_warning(tmp_path: Path):
    plant(tmp_path, {"odd.py": "x = '\\d'\n"})
    assert readable(tmp_path / "odd.py") == "x = '\\d'\n"


def test_line_ends_are_newlines(tmp_path: Path):
    (tmp_path / "windows.py").write_bytes(b"x = 1\r\ny = 2\r\n")
    assert readable(tmp_path / "windows.py") == "x = 1\ny = 2\n"


def test_a_folder_without_sources_is_refused_by_name(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no Python sources under"):
        standard_library(tmp_path)


def test_a_corpus_with_nothing_held_out_is_refused():
    texts = [text for text in map(str, range(50)) if not held_out(text)]
    with pytest.raises(ValueError, match="both sides"):
        corpus(texts)
