"""The lines on the reader count what they say, and a run in which nothing was found is no failure of the ablation."""

from __future__ import annotations

from typing import Any

from benchmarks import reader_report
from benchmarks.reader import MADE_UP


def task(right: float, majority: float = 0.5, lost: int = 0, gained: int = 0) -> dict[str, float]:
    of = {"right": right, "low": right - 0.1, "high": right + 0.1, "majority": majority, "n": 200}
    return {**of, "lost": lost, "gained": gained}


def run(**changed: Any) -> dict[str, Any]:
    scores = {"emotion": task(0.7, 0.3), "stance": task(0.8), "kind": task(0.9)}
    after = {"emotion": task(0.25, 0.3), "stance": task(0.795, lost=4, gained=3), "kind": task(0.9)}
    refused = {"need": 1.0, "refused": ["it writes the answer"]}
    return {
        "cpu seconds": 60.0,
        "scores": scores,
        "emotion": {"verdict": "not testable"},
        "without its set": None,
        "erased": {"after": after, "controls": {"shuffled answers": [{"emotion": task(0.65)}], "by lot": [scores]}},
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


def test_a_change_is_shown_beside_how_far_texts_drawn_again_would_move_it() -> None:
    size, error = reader_report.worst_change({"emotion": task(0.2, lost=90), "stance": task(0.7, lost=8, gained=2)})
    assert size == 0.03 and abs(error - 1.96 * (10 - 36 / 200) ** 0.5 / 200) < 1e-9


def test_verdicts_that_are_not_present_are_counted_by_kind() -> None:
    figure = reader_report.untrained(lambda name: True)(result(run()))
    assert figure.of == "0 of 2 verdicts of training runs (1 topic only, 1 absent, 0 not testable)"
