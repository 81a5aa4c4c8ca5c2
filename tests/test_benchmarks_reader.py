"""The lines on the reader count what they say, and a run in which nothing was found is no failure of the ablation."""

from __future__ import annotations

from typing import Any

from benchmarks import reader_report
from benchmarks.reader import MADE_UP


def task(right: float, majority: float = 0.5) -> dict[str, float]:
    return {"right": right, "low": right - 0.1, "high": right + 0.1, "majority": majority, "n": 100}


def run(**changed: Any) -> dict[str, Any]:
    scores = {"emotion": task(0.7, 0.3), "stance": task(0.8), "kind": task(0.9)}
    after = {"emotion": task(0.25, 0.3), "stance": task(0.795), "kind": task(0.9)}
    refused = {"need": 1.0, "refused": ["it writes the answer"]}
    return {
        "cpu seconds": 60.0,
        "scores": scores,
        "emotion": {"verdict": "not testable"},
        "without its set": None,
        "erased": {"after": after, "controls": {"emotion": 0.65, "stance": 0.8, "kind": 0.9}},
        "persona": {"asked": {"verdict": "not testable"}, "directions": [refused, {"need": 0.1, "refused": []}]},
        "untrained": {MADE_UP: {"verdict": "absent"}, "truth.cities": {"verdict": "topic only"}},
        **changed,
    }


def result(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"settings": {"training runs": {"facts": {"networks": list(runs)}}}}


def measured(*runs: dict[str, Any]) -> dict[str, tuple[float, str]]:
    found, where = {}, ""
    for what, bar, _, figure in reader_report.lines():
        where = what if not what.startswith("…") else where
        if what.startswith("that set") or (what.startswith("…") and where.startswith("that set")):
            continue
        one = figure(result(*runs))
        found[f"{where}: {what}" if what.startswith("…") else what] = round(one.value, 6), bar.verdict(one)
    return found


def test_a_run_that_does_as_it_should_meets_every_bar_but_that_of_a_name() -> None:
    found = measured(run(), run())
    assert [verdict for _, verdict in found.values()].count("met") == len(found) - 1
    assert found["emotion: a set of heads and neurons has its name"][0] == 0.0
    assert found["a subspace erased: emotion above the majority"][0] == -0.05
    assert found["a subspace erased: emotion above the majority: … other tasks change by at most"][0] == 0.005


def test_what_is_named_that_is_not_there_is_counted() -> None:
    named = {MADE_UP: {"verdict": "present"}, "truth.cities": {"verdict": "topic only"}}
    persona = {"asked": {"verdict": "present"}, "directions": [{"need": 0.9, "refused": []}]}
    persona_named = "a persona that is only stance: refused the name"
    found = measured(run(), run(untrained=named, persona=persona))
    assert found["concepts that it was not trained on: present"] == (0.25, "**missed**")
    assert found["concepts that it was not trained on: present: … made-up facts: present"][0] == 0.5
    assert found[persona_named][0] == 0.5
    assert found[f"{persona_named}: … directions fitted to it, which decide it: refused"][0] == 0.5
