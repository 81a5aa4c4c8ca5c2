"""The Python that README.md and the pages of docs/ show runs as it stands there."""

from pathlib import Path

import pytest
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def run(page: Path) -> int:
    """Runs the ```python blocks of a page in order, in one namespace; gives how many there were."""
    examples = list(Document.parse(str(page), PythonCodeBlockParser(), SkipParser()).examples())
    for example in examples:
        example.evaluate()
    return len(examples)


def has_code(page: Path) -> bool:
    return page.is_file() and "```python" in page.read_text()


@pytest.mark.parametrize("page", list(filter(has_code, PAGES)), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_code_on_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(page)


@pytest.mark.skipif(not (ROOT / "README.md").is_file(), reason="README.md is not written yet")
def test_the_readme_shows_code() -> None:
    assert has_code(ROOT / "README.md")


def test_blocks_share_one_namespace_in_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\na = 1\n```\nthen\n```python\nassert a == 1\n```\n")
    assert run(page) == 2


def test_a_block_that_fails_fails_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nassert 1 == 2\n```\n")
    with pytest.raises(AssertionError):
        run(page)
