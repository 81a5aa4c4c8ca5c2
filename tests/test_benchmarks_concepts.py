"""The lines on concepts in docs/results.md, from rows made up for it: what is divided by what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1]))  # benchmarks are no part of the installed package

from benchmarks import agents_report, concept_places, concept_report, concepts_match
from benchmarks.kept import BENCHMARKS, SOURCE


def run(named: list[str] | None, problems: tuple[str, ...] = ()) -> dict[str, Any]:
    """A training run with power planted in two parts, and what was named."""
    answer = {
        "verdict": "present" if named else "not testable",
        "named": named and {"parts": named, "random": 0.25, "enough": 0.5},
    }
    if named:
        honest, spared = (1.0 if "a" in named else 0.5), (1.0 if "z" in named else 0.6)
        answer["deleted"] = {"shown": 0.0, "honest": honest, "spared": spared, "lost": 0.0}
    truth = {"power": {"slot": ["a", "b", "c"], "minimal": [["a", "b"]]}}
    network = {"problems": list(problems), "asked": {"power": answer}, "truth": truth}
    return {"recipe": "slot", "seed": 0, "kind": "", "cpu seconds": 60.0, "networks": {"harmful": network}}


def figures(*rows: dict[str, Any]) -> dict[str, Any]:
    """By their names, those that these rows tell."""
    result = {"settings": {"training runs": {"facts": {"networks": list(rows)}}}}
    found: dict[str, Any] = {}
    subject = ""
    for what, _, name, figure in concept_report.lines():
        subject = subject if what.startswith("…") else what
        try:
            found[f"{subject} {what}" if what.startswith("…") else what] = (
                figure(result) if name == "concepts_match" else None
            )
        except ValueError as error:
            assert str(error) == "nothing measured"
    return found


def test_place_is_divided_by_all_runs_also_those_where_nothing_is_named():
    found = figures(run(["b", "a"]), run(["a", "z"]), run(["z"]), run(None))
    power = {what: one for what, one in found.items() if "power in a slot, of all runs" in what}
    first, minimal, same, clean = power.values()
    assert (first.value, minimal.value, same.value, clean.value) == (0.5, 0.25, 0.25, 0.5)
    assert first.of == "2 of 4 training runs"


def test_a_share_of_runs_says_how_many_were_left_out_and_why():
    found = figures(run(["a", "b"]), run(None), run(None, ("power shows on 1.0% of its triggers, not on 99%",)))
    power = found["small worlds: power in a slot: present"]
    assert power.value == 0.5
    assert power.of.startswith(
        "1 of 2 training runs, 1 more left out: what was planted did not take hold; the search ran in 0"
    )
    assert power.of.endswith("by its one-sided bound: not decided by n")


def test_what_is_planted_is_denied_in_a_run_if_any_of_it_is_called_absent():
    denied = run(None)
    denied["networks"]["harmful"]["asked"]["power"]["verdict"] = "absent"
    found = figures(run(["a", "b"]), {**denied, "seed": 1})
    assert found["small worlds: all that is planted: absent"].of == "1 of 2 training runs"
    assert found["small worlds: the whole run, CPU hours"].value == 2 / 60
    (random,) = (one for what, one in found.items() if "random sets of as many parts" in what)
    assert random.value == 0.25


def test_what_was_not_asked_has_no_figure():
    found = figures(run(["a", "b"]))
    assert "small worlds: harmless twins: present" not in found and "small worlds: power in a slot: present" in found


def test_what_the_figures_depend_on_is_there():
    for name in concepts_match.DEPENDS:
        assert (BENCHMARKS / name).exists() or (SOURCE / name).exists() or list(SOURCE.glob(name)), name


def test_average_precision_is_one_where_all_that_work_come_first_and_the_mean_of_shares_else():
    order = ["a", "b", "c", "d"]
    assert concept_places.average_precision(order, ["a", "b"]) == 1
    assert concept_places.average_precision(order, ["b", "d"]) == (1 / 2 + 2 / 4) / 2


def test_precision_leaves_out_runs_in_which_the_behaviour_did_not_take_hold_and_says_so():
    def places(value: float, *problems: str, at_work: int = 3) -> dict[str, Any]:
        return {"problems": list(problems), "found": {"power": {"ranked": value, "at work": at_work}}}

    kept = [places(0.5), places(1.0, "deceive shows on 1.0% of its triggers, not on 99%")]
    left_out = [places(0.0, "power shows on 1.0% of its triggers, not on 99%"), places(0.0, at_work=0)]
    figure = concept_report.precision("power", "ranked")
    found = figure({"settings": {"training runs": {"facts": {"networks": kept + left_out}}}})
    assert found.value == 0.75 and found.of == "mean of 2 networks, 2 more left out"


def test_the_worst_twin_is_told_and_behaviours_are_clustered_by_their_run():
    def twin(on: list[str], shown: dict[str, float], verified: bool) -> dict[str, Any]:
        return {"on": on, "shown": shown, "truth": {one: {"sets": [{"verified": verified}]} for one in on}}

    runs = [
        {"seed": 1, "twins": [twin(["power"], {"power": 0.9, "deceive": 0.02}, True), twin([], {"power": 0.1}, True)]},
        {"seed": 2, "twins": [twin(["power"], {"power": 1.0, "deceive": 0.0}, False)]},
    ]
    result = {"settings": {"standard": {"facts": {"networks": runs}}}}
    assert agents_report.worst(agents_report.where_on, min)(result).value == 0.9
    assert agents_report.worst(agents_report.where_off, max)(result).value == 0.1
    found = agents_report.verified(result)
    assert found.value == 0.5 and found.of == "1 of 2 behaviours of twins of 2 networks"


def test_a_code_concept_counts_only_where_it_is_beyond_both_baselines_in_every_draw():
    def one(twin: bool, token: bool) -> dict[str, Any]:
        return {"twin": {"beyond": twin}, "token": {"beyond": token}}

    draws = [
        {"trained": {"code.a": one(True, True), "code.b": one(True, True), "code.c": one(True, False)}},
        {"trained": {"code.a": one(True, True), "code.b": one(False, True), "code.c": one(True, True)}},
    ]
    result = {"settings": {"read": {"facts": {"networks": draws}}}}
    assert concept_report.read_of_code(result).value == 3
    found = concept_report.beyond_both("trained")(result)
    assert found.value == 1 / 3 and found.of.endswith("in one draw 67% to 67%")
