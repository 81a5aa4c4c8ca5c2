"""Every file of examples/ runs, asks one question and answers it; the README's picture and excerpt are theirs."""

import ast
import io
import re
import runpy
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


class Ran(NamedTuple):
    """What an example printed, and the folder that it ran in."""

    said: str
    folder: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ran]:
    """Runs an example of this name in an empty folder, once."""

    @cache
    def run(name: str) -> Ran:
        folder, said = tmp_path_factory.mktemp(name), io.StringIO()
        with chdir(folder), redirect_stdout(said):
            runpy.run_path(str(ROOT / f"examples/{name}.py"), run_name="__main__")
        return Ran(said.getvalue(), folder)

    return run


SLOW = ("closing_circuit",)  # minutes; the README traces edges of the same network in every run of the tests


@pytest.mark.parametrize(
    "name", [pytest.param(file.stem, marks=[pytest.mark.slow] * (file.stem in SLOW)) for file in EXAMPLES]
)
def test_an_example_runs_in_an_empty_folder_and_says_something(name: str, ran: Callable[[str], Ran]) -> None:
    assert ran(name).said.strip()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_asks_a_question_and_goes_in_cells(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "?" in (ast.get_docstring(ast.parse(text)) or "")
    assert len(re.findall(r"^# %% .+[.?]", text, re.MULTILINE)) >= 2


def test_what_is_known_of_an_organism_is_what_its_trace_names(ran: Callable[[str], Ran]) -> None:
    said = ran("known_answer").said
    known, named = (re.findall(rf"^  {word}: (.+)$", said, re.MULTILINE) for word in ("known", "named"))
    assert len(known) == 4
    assert known == named
    assert re.search(r"^untrained: \d+ used, 0 selective$", said, re.MULTILINE)


def test_the_readmes_excerpt_and_picture_are_what_the_example_gives(ran: Callable[[str], Ran]) -> None:
    again = "run examples/closing_quote.py; copy its lines to README.md and study/quote.svg to docs/picture.svg"
    excerpt = (ROOT / "README.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    strongest = parts_in(excerpt)
    assert len(strongest) >= 4
    assert strongest == parts_in(ran("closing_quote").said)[: len(strongest)], again
    picture, fresh = ROOT / "docs/picture.svg", ran("closing_quote").folder / "study/quote.svg"
    assert words(picture.read_text(encoding="utf-8")) == words(fresh.read_text(encoding="utf-8")), again


def parts_in(printed: str) -> list[str]:
    """The parts of a printed trace, strongest first."""
    return re.findall(r"^(\w+\.\d\S*) +(?:head|mlp) ", printed, re.MULTILINE)


def words(picture: str) -> list[str]:
    """The text of a picture without its figures, whose last digits may differ between machines."""
    return re.findall(r">([A-Za-z][^<]*)<", re.sub(r"[-−+]?\d+\.\d+", "", picture))
