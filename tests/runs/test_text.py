"""Text is whole or as it was."""

from pathlib import Path

import pytest

from cutaway.runs import write_text


def test_a_file_is_written_in_the_place_of_an_older_one_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "new" / "page.html"
    assert write_text(file, "ä") == file and write_text(file, "ö") == file
    assert file.read_text(encoding="utf-8") == "ö" and list(file.parent.iterdir()) == [file]


def test_a_write_that_fails_leaves_the_older_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = write_text(tmp_path / "page.html", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "half \ud800")
    assert file.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [file]
    with pytest.raises(IsADirectoryError, match="expected the name of a file"):
        write_text(tmp_path, "text")
