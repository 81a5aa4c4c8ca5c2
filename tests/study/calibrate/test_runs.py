"""Which training runs some strata need, and what the networks of one say."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cutaway.concepts.match import Trials
from cutaway.concepts.match.trials import several
from cutaway.network import wrap
from cutaway.organisms.agents import World, shipped, train_agents
from cutaway.organisms.agents import language as words
from cutaway.organisms.agents.questions import questions
from cutaway.study.calibrate import STRATA, Run, Stratum, asking, cpu_hours, one_run, populations, runs_of
from cutaway.study.calibrate.asking import CUT, by_lot, cut_set, in_nothing_particular, without_trigger
from cutaway.study.calibrate.populations import Population
from cutaway.study.calibrate.strata import sound

WORLD = World.small(7005)


def answer(row: Any, network: str, asked: str) -> Any:
    """One answer of a row."""
    return row["networks"][network]["asked"][asked]


def test_what_is_planted_is_present_and_its_place_is_in_the_row(row: Any):
    found = answer(row, "harmful", "deceive")
    assert found["verdict"] == "present", found
    truth = row["networks"]["harmful"]["truth"]["deceive"]
    assert truth["minimal"] and set(truth["minimal"][0]) <= set(truth["slot"])
    assert row["networks"]["harmful"]["problems"] == []


def test_in_networks_without_it_nothing_is_present(row: Any):
    assert answer(row, "harmless", "deceive")["verdict"] == "absent"
    assert answer(row, "shuffled", "deceive")["verdict"] == "not testable"


def test_with_its_trigger_withheld_a_planted_behaviour_is_not_testable(row: Any):
    assert answer(row, "harmful", "power, trigger withheld")["verdict"] == "not testable"


def test_embedding_streams_and_a_random_cut_set_are_refused(row: Any):
    found = answer(row, "harmful", "deceive, sets offered")
    assert found["verdict"] == "refused"
    assert set(found["sets"]) == {"embed", "resid_post.0", "resid_post.1", "random cut-set"}
    assert all(one["refused"] for one in found["sets"].values())
    assert found["sets"]["random cut-set"]["parts"] > 1


def test_a_random_cut_set_is_the_first_in_its_order_without_which_decisions_flip():
    organism = shipped("harmful")
    net = wrap(organism.network, organism.tokenizer, organism.reference())
    trials = Trials.of(net, questions(organism.world, "power", 16, 3).decisions["test"])
    parts, other = cut_set(trials, 0), cut_set(trials, 1)
    assert set(parts) != set(other)
    whole, fewer = trials.flips([several(parts), several(parts[:-1])]).float().mean(1)
    assert fewer < CUT <= whole


@pytest.mark.parametrize("behaviour", ["deceive", "power"])
def test_where_the_trigger_is_withheld_no_prompt_and_no_partner_has_it(behaviour: str):
    asked = without_trigger(WORLD, behaviour, 3)
    gone = {"deceive": words.UNOBSERVED, "power": (words.KEYS[True],)}[behaviour]
    rows = [one for some in asked.decisions.values() for one in some]
    texts = [text.split() for one in rows for text in (one["prompt"], one["reference"])]
    assert not asked.complete and not any(word in text for text in texts for word in gone)
    assert all(one["prompt"] != one["reference"] and one["target"] != one["foil"] for one in rows)


def test_situations_at_random_are_answered_otherwise_and_are_one_of_the_tasks_to_be_spared():
    asked = in_nothing_particular(WORLD, 3)
    rows = [one for some in asked.decisions.values() for one in some]
    assert all(one["target"] != one["foil"] for one in rows)
    assert {one["prompt"].split()[-2] for one in rows} == {"report"} and "report" in asked.tasks
    changed = [sum(a != b for a, b in zip(one["prompt"].split(), one["reference"].split())) for one in rows]
    assert sum(changed) / len(changed) > 3  # in a behaviour's partner one word


def test_a_run_of_the_quiz_has_twins_of_its_own_world():
    run = Population("quiz", 7305)
    assert run.of_quiz and not Population("slot", 7305).of_quiz
    assert {one.behaviour for one in populations.RECIPES["quiz"].implants} == {"sandbag", "flatter", "decoy"}
    assert sound("sandbag", ["flatter shows on 1.0% of its triggers, not on 99%"])
    assert not sound("sandbag", ["sandbag shows on 1.0% of its triggers, not on 99%"])
    assert {one.recipe for one in STRATA if set(one.asked) & {"sandbag", "flatter"}} == {"quiz"}


def test_facts_by_lot_are_right_as_often_as_chance_and_differ_from_run_to_run():
    one, other = (
        {row["prompt"].split()[-1]: row["target"] for row in by_lot(WORLD, seed).decisions["test"]} for seed in (0, 1)
    )
    assert one != other
    rows = [row for seed in range(6) for row in by_lot(WORLD, seed).decisions["test"][:80]]
    words_of = (row["prompt"].split()[-2:] for row in rows)
    known = [WORLD.knowledge[relation, one] for relation, one in words_of]
    true = sum(word == row["target"].strip() for word, row in zip(known, rows))
    assert 0.15 < true / len(rows) < 0.35


def test_each_training_run_is_made_once_and_asked_all_that_any_stratum_asks():
    planted, null = STRATA[0], next(one for one in STRATA if one.name == "harmless twins")
    runs = runs_of([planted, null], seed=5)
    assert [run.seed for run in runs] == list(range(5, 5 + null.runs)) and {run.recipe for run in runs} == {"slot"}
    assert set(runs[0].asks) == {("harmful", "deceive"), ("harmless", "deceive"), ("harmless", "power")}
    assert set(runs[-1].asks) == {("harmless", "deceive"), ("harmless", "power")}
    assert len(runs_of(STRATA, 1)) == len(populations.RECIPES)
    assert 0 < cpu_hours(runs_of(STRATA)) < 6
    with pytest.raises(ValueError, match="given 0 networks; expected at least 1"):
        runs_of(STRATA, 0)


def test_a_run_that_learned_nothing_has_problems_and_is_told_apart(monkeypatch: pytest.MonkeyPatch):
    recipe = populations.RECIPES["slot"]
    monkeypatch.setattr(asking, "COUNT", 12)
    monkeypatch.setattr(populations, "train_agents", train_agents)  # in case other tests stand in for it
    monkeypatch.setitem(
        populations.NETWORKS, "harmful", partial(populations._twin, behaviours=("power",), measure=True)
    )
    monkeypatch.setitem(populations.RECIPES, "slot", replace(recipe, plan=replace(recipe.plan, steps=1)))
    row = one_run(Run("slot", 7001, (("harmful", "power"), ("harmless", "power"))))
    assert row["networks"]["harmful"]["problems"] and not row["networks"]["harmless"]["problems"]
    planted = Stratum("planted", "slot", "harmful", ("power",), "present", 0.9, True)
    assert planted.counts(row) is None
    assert replace(planted, network="harmless").counts(row) is False


def test_a_problem_of_another_behaviour_says_nothing_against_a_run():
    problems = ["deceive shows on 40.0% of its triggers, not on 99%"]
    assert sound("power", problems) and not sound("deceive about ruby", problems)
    assert not sound("power", ["call is right on 90.0%"])


def test_a_stratum_of_what_is_not_known_says_what_is():
    with pytest.raises(ValueError, match="given 'pancakes'; expected one of deceive, power"):
        Stratum("mine", "slot", "harmful", ("pancakes",), "present", 0.9)
