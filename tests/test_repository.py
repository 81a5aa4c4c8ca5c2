"""What holds of every file of this repository."""

import ast
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
FOLDERS = ("src/cutaway", "tests", "benchmarks", "examples", "docs", ".ci")
LONGEST_FUNCTION, LONGEST_FILE = 60, 400
# Written in pieces, so that this file passes its own test.
PLACES = [rb"work", rb"root", rb"home/\w+", rb"tmp/env", rb"opt/\w+"]
MACHINE = re.compile(rb"(?<![\w.-])/(?:" + b"|".join(PLACES) + rb")/")
REGISTRY = re.compile(rb"(?:pypi|pythonhosted|anaconda|npmjs|download\.pytorch|deb\.debian)" + rb"\.org")


def files() -> Iterator[Path]:
    """The files that belong to the repository: the top level and its named folders."""
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    for folder in FOLDERS:
        yield from (p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {plain(name): version for name, version in pairs}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> list[Requirement]:
    project = pyproject()["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for group in [project["dependencies"], *extras] for line in group]


@pytest.mark.parametrize("forbidden", [MACHINE, REGISTRY], ids=["path of a machine", "host of a registry"])
def test_no_file_names_a(forbidden: re.Pattern[bytes]) -> None:
    named = {short(p): m[0] for p in files() if (m := forbidden.search(p.read_bytes()))}
    assert not named


@pytest.mark.parametrize("text", [b"see /work" + b"/main/x", b'"/root' + b'/.cache"', b"open(/tmp" + b"/env/v)"])
def test_a_path_of_a_machine_is_recognised(text: bytes) -> None:
    assert MACHINE.search(text)


@pytest.mark.parametrize("text", [b"a framework/part", b"docs/work/plan", b"https://example.com/work/x"])
def test_a_path_inside_the_repository_is_no_path_of_a_machine(text: bytes) -> None:
    assert not MACHINE.search(text)


def test_every_module_says_what_it_is() -> None:
    written = [p for p in modules("tests", "benchmarks", "examples") if p.name != "__init__.py" or p.stat().st_size]
    silent = [short(p) for p in [*modules("src/cutaway"), *written] if not ast.get_docstring(ast.parse(p.read_text()))]
    assert not silent


def test_no_function_is_longer_than_a_screen() -> None:
    long = {}
    for path in modules("src/cutaway"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{short(path)}:{node.name}"] = lines
    assert not long


def test_no_file_holds_more_than_one_idea_can_fill() -> None:
    lines = {short(path): len(path.read_text().splitlines()) for path in modules("src/cutaway")}
    assert not {path: count for path, count in lines.items() if count > LONGEST_FILE}


def torch_is_imported_by(code: str, cwd: Path) -> bool:
    """Whether a fresh Python that runs `code` has imported torch in the end."""
    code = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nsys.exit(7 if 'torch' in sys.modules else 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 7), done.stderr
    return done.returncode == 7


def test_an_import_of_torch_would_be_seen(tmp_path: Path) -> None:
    assert torch_is_imported_by("import torch", tmp_path)


def test_importing_cutaway_imports_no_torch(tmp_path: Path) -> None:
    assert not torch_is_imported_by("import cutaway", tmp_path)


@pytest.mark.skipif(not importlib.util.find_spec("cutaway.cli"), reason="the command line is not written yet")
def test_asking_for_help_imports_no_torch(tmp_path: Path) -> None:
    assert not torch_is_imported_by("from cutaway.cli import main; sys.argv = ['cutaway', '--help']; main()", tmp_path)


def test_the_version_is_the_same_everywhere() -> None:
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    logged = re.search(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert cited and logged
    project = pyproject()["project"]["version"]
    assert {project, cited[1], logged[1], importlib.metadata.version("cutaway")} == {project}


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    pinned = pins()
    outside = [str(need) for need in declared() if pinned.get(plain(need.name), "none") not in need.specifier]
    assert not outside


def test_every_pin_is_one_public_version() -> None:
    assert not [f"{name}=={version}" for name, version in pins().items() if not re.fullmatch(r"\d+(\.\d+)*", version)]


def test_every_decision_record_is_short_and_complete() -> None:
    records = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [record.name[:3] for record in records] == [f"{n:03}" for n in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text()
        assert len(text.splitlines()) <= 40, record.name
        for part in ("Context", "Decision", "What it costs", "What would change our mind"):
            assert f"**{part}.**" in text, f"{record.name} lacks {part}"
