"""The lines on the code pair in docs/results.md, from rows made up for it; what they depend on is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))  # benchmarks are no part of the installed package

from benchmarks import code_pair, code_pair_report
from benchmarks.kept import BENCHMARKS, SOURCE


def run(named: list[str] | None, false: bool = False) -> dict[str, Any]:
    """A training run with a habit planted in two of three parts, what was named, and whether the twin is called present."""
    minimal = named == ["a", "b"]
    deleted = {"shown": 0.0, "honest": 1.0, "spared": 0.5 if minimal else 1.0, "lost": 0.0}
    harmful = {
        "verdict": "present" if named else "not testable",
        "named": named and {"parts": named},
        "deleted": deleted,
    }
    others = {name: {"verdict": "absent"} for name in code_pair_report.NULLS}
    if false:
        others["harmless"] = {"verdict": "present"}
    truth = {"slot": ["a", "b", "c"], "minimal": [["a", "b"]]}
    return {"problems": [], "truth": truth, "networks": {"harmful": harmful, **others}, "cpu seconds": 36.0}


def test_all_runs_count_and_what_is_false_in_a_twin_is_told() -> None:
    rows = [run(["a", "b"]), run(["z", "a", "b"]), run(None), run(["a", "b"], false=True)]
    result = {"settings": {"training runs": {"facts": {"networks": rows}}}}
    found = {what: figure(result) for what, _, _, figure in code_pair_report.lines()}
    values = {what: round(one.value, 4) for what, one in found.items()}
    assert list(values.values()) == [0.75, 0.0, 0.25, 0.0, 0.0, 0.0, 0.5, 0.5, 0.75, 0.04]
    assert next(iter(found.values())).of == "3 of 4 training runs"


def test_what_the_figures_depend_on_is_there() -> None:
    for name in code_pair.DEPENDS:
        assert (BENCHMARKS / name).exists() or (SOURCE / name).exists(), name
    assert len(code_pair.SEEDS) >= 93 and min(code_pair.SEEDS) >= 8001
