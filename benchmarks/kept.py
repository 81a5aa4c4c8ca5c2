"""What a benchmark has measured so far, on disk: a killed run goes on, a finished one is not done again.

A result belongs to the code that it was made with. Where the packages that it depends on have changed since, it is stale
and measured anew.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parent
RESULTS = BENCHMARKS / "results"
SOURCE = BENCHMARKS.parent / "src" / "cutaway"


class Kept:
    """`results/NAME.json`: for each setting its `facts` (measured once) and its `seconds` (one figure a repetition).

    `depends` are the packages of cutaway and the files of this folder that the figures are about.
    """

    def __init__(self, name: str, depends: tuple[str, ...], fresh: bool = False) -> None:
        self.path = RESULTS / f"{name}.json"
        self.code = code_of(depends)
        known = read(self.path)
        if fresh or known is None or known["code"] != self.code:
            known = {"benchmark": name, "code": self.code, "circumstances": circumstances(), "settings": {}}
        self.known = known

    def setting(self, name: str) -> dict[str, Any]:
        """What is known of one setting; change it, then `write`."""
        return self.known["settings"].setdefault(name, {"facts": {}, "seconds": {}})

    def write(self) -> None:
        """To disk, by rename."""
        RESULTS.mkdir(exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.tmp-{os.getpid()}")
        beside.write_text(json.dumps(self.known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(beside, self.path)


def read(path: Path) -> dict[str, Any] | None:
    """A result file; None if there is none, or none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def stale(result: dict[str, Any], depends: tuple[str, ...]) -> bool:
    """Whether the code that a result is about has changed since."""
    return result["code"] != code_of(depends)


def code_of(depends: tuple[str, ...]) -> str:
    """A short hash of packages of cutaway (`network`, or `decisions/*.py` without its folders) and files of this
    folder (`sweep.py`), without their prose."""
    found = hashlib.sha256()
    for name in sorted(depends):
        here = [BENCHMARKS / name, SOURCE / name]
        files = [file for file in here if file.is_file()] or sorted(
            SOURCE.glob(name if "*" in name else f"{name}/**/*.py")
        )
        for file in files:
            found.update(file.name.encode() + meaning(file.read_text(encoding="utf-8")).encode())
    return found.hexdigest()[:16]


def meaning(source: str) -> str:
    """What Python code does: the same whatever its comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
    return ast.dump(tree)


def circumstances() -> dict[str, Any]:
    """What the figures depend on, without naming the machine."""
    import torch

    found: dict[str, Any] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "device": "cpu",
        "dtype": "float32",
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }
    try:
        import transformers

        found["transformers"] = transformers.__version__
    except ImportError:
        pass
    return found
