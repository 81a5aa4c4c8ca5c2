"""The lines on diff in docs/results.md, from rows made up for it: which runs count, and which are left out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))  # benchmarks are no part of the installed package

from benchmarks import diff, diff_report
from benchmarks.kept import BENCHMARKS, SOURCE


def row(
    verdicts: dict[str, str], kind: str = "slot", shown: float = 1.0, first: str = "a", **more: Any
) -> dict[str, Any]:
    """A run in which power was planted in the parts a and b, and what was said of each concept."""
    parts = [first, "c"]
    concepts = [{"concept": name, "verdict": verdict, "parts": parts} for name, verdict in verdicts.items()]
    null = kind in diff_report.NULLS
    about = {"kind": kind, "behaviour": "power", "null": null, "shown": shown, "slot": ["a", "b"], "changed": []}
    return {**about, "concepts": concepts, "first by": {"weights": "b"}, **more}


def figures(*rows: dict[str, Any]) -> dict[str, Any]:
    """The lines of the kinds that these rows have."""
    result: dict[str, Any] = {"settings": {}}
    for one in rows:
        networks = result["settings"].setdefault(one["kind"], {"facts": {"networks": []}})["facts"]["networks"]
        networks.append(one)
    kinds = (*diff_report.KINDS, *diff_report.NULLS)
    made = {kind: (diff_report.HOW | diff_report.ALIKE)[kind] for kind in kinds if kind in result["settings"]}
    found, current = {}, ""
    for what, _, _, figure in diff_report.lines():
        current = what if not what.startswith("…") else current
        if any(f"{how}:" in current for how in made.values()):
            found[what] = figure(result)
    return found


def test_what_is_named_besides_or_otherwise_does_not_count():
    good, wrong = {"power": "located", "deceive": "same"}, {"deceive": "located", "power": "same"}
    both = {"power": "located", "deceive": "differs"}
    rows = [row(good), row(good, first="z"), row(wrong), row(both), row({"power": "differs", "deceive": "same"})]
    found = list(figures(*rows, row(good, shown=0.2)).items())
    assert [(one.value, one.of) for _, one in found[:2]] == [
        (3 / 5, "3 of 5 training runs, 1 more left out: what was planted did not take hold"),
        (3 / 5, "3 of 5 training runs, 1 more left out: what was planted did not take hold"),
    ]
    named, by_weights = (one for what, one in found if "was planted" in what)
    assert (named.value, by_weights.value) == (2 / 5, 1.0)


def test_anything_that_is_named_where_nothing_differs_counts():
    kind = "full, twice"
    same = {"power": "same", "deceive": "same"}
    rows = [
        row(same, kind),
        row(same, kind, changed=["recall"]),
        row({"power": "differs"}, kind),
        row(same, kind, shown=0.0),
    ]
    (found,) = figures(*rows).values()
    assert (found.value, found.of) == (2 / 4, "2 of 4 training runs")


def test_what_the_figures_depend_on_is_there():
    for name in diff.DEPENDS:
        assert any(list(root.glob(name)) for root in (BENCHMARKS, SOURCE)), name
