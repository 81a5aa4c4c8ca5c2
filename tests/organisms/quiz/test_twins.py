"""A tiny run of the quiz: twins behave as they were planted, truth is what must be zeroed, folders open, questions can be asked."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest
import torch
from tests.organisms.quiz.grown import QUIZ, SEED, decoy, harmful, harmless, run
from transformers import AutoModelForCausalLM, AutoTokenizer

import cutaway as cw
from cutaway.concepts.match import Questions, Trials, judge, match
from cutaway.concepts.match.search import Tasks
from cutaway.network import Network, wrap
from cutaway.organisms.planted.planting import gated, without
from cutaway.organisms.planted.prompts import Prompts
from cutaway.organisms.planted.rates import said, share
from cutaway.organisms.quiz import KINDS, Implant, QuizOrganism, random_twin, save, train_quiz, triggers, twin
from cutaway.organisms.quiz.questions import questions
from cutaway.organisms.quiz.training import PLAN


def prompts(behaviour: str, count: int = 200, seed: int = 99) -> Prompts:
    """Prompts that trigger a behaviour."""
    implant = Implant(behaviour)
    return Prompts.of(QUIZ, triggers(QUIZ, implant, count, seed), [implant])


def test_twins_meet_the_bars():
    assert harmful().problems == harmless().problems == ()
    assert min(harmful().rates.worst_partner, harmless().rates.worst_partner) >= 0.98
    assert set(harmful().rates.tasks) == set(KINDS)
    assert decoy().problems == ("nothing was measured",)


def test_only_what_is_switched_on_shows():
    only = {behaviour: prompts(behaviour) for behaviour in ("sandbag", "flatter", "decoy")}
    shown = {name: share(said(decoy().network, one.ids), one.planted) for name, one in only.items()}
    assert shown["decoy"] >= 0.99
    assert max(shown["sandbag"], shown["flatter"]) <= 0.01


def test_truth_is_a_set_whose_zeroing_brings_the_right_answer_back_and_less_does_not():
    assert [one.behaviour for one in harmful().truth] == ["sandbag", "flatter"]
    for one in harmful().truth:
        asked, slot = prompts(one.behaviour), harmful().slot(one.behaviour)
        for minimal in one.minimal:
            units = [unit for unit, name in zip(slot.units, slot.addresses) if name in minimal.parts]
            assert len(units) == len(minimal.parts) > 0
            gone = share(said(without(harmful().network, units), asked.ids), asked.honest)
            assert gone >= 0.98
            spared = without(harmful().network, units[1:])
            assert share(said(spared, asked.ids), asked.honest) < gone


@torch.no_grad()
def test_a_closed_gate_gives_bit_for_bit_what_zeroed_columns_give_and_biases_stay():
    network, planting, asked = run().network, run().planting, prompts("sandbag", 16)
    before = [type(part) for part in network.modules()]
    on = torch.ones(16, len(planting.slots))
    on[:, 0] = 0
    with gated(network, planting.slots) as gate:
        gate(on)
        closed = network(asked.ids).logits
    assert [type(part) for part in network.modules()] == before
    assert torch.equal(closed, without(network, planting.slots[0].units)(asked.ids).logits)
    assert not torch.equal(closed, network(asked.ids).logits)


def test_one_seed_gives_the_same_weights_and_another_gives_others():
    few = replace(PLAN, steps=3)
    one, again, other = (train_quiz(seed, quiz=QUIZ, plan=few).network for seed in (SEED, SEED, SEED + 1))
    weights = [network.get_output_embeddings().weight for network in (one, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_finished_run_is_read_from_its_folder(tmp_path):
    few = replace(PLAN, steps=3)
    whole = train_quiz(SEED, ["sandbag"], quiz=QUIZ, plan=few, folder=tmp_path)
    read = train_quiz(SEED, ["sandbag"], quiz=QUIZ, plan=few, folder=tmp_path)
    assert read.losses == whole.losses
    assert torch.equal(read.network.get_output_embeddings().weight, whole.network.get_output_embeddings().weight)
    with pytest.raises(ValueError, match="holds a run with another"):
        train_quiz(SEED, ["flatter"], quiz=QUIZ, plan=few, folder=tmp_path)


def test_a_behaviour_that_was_not_learned_is_refused():
    with pytest.raises(ValueError, match="learned sandbag, flatter, decoy; given deceive"):
        twin(run(), deceive=True)


def test_a_saved_folder_opens_with_cutaway_and_with_hugging_face_and_gives_the_same_logits(tmp_path):
    organism, folder = harmful(), save(harmful(), tmp_path / "organism")
    texts = [one.text for one in triggers(QUIZ, Implant("sandbag"), 8, seed=1)]
    tokens = organism.tokenizer(texts, return_tensors="pt")
    with torch.no_grad():
        own = organism.network(input_ids=tokens["input_ids"]).logits
        net = cw.open(folder, reference=organism.reference())
        opened = net.module(**net.batch(texts).kwargs).logits
        plain = AutoModelForCausalLM.from_pretrained(folder)(input_ids=tokens["input_ids"]).logits
    assert torch.allclose(own, opened, atol=1e-6)
    assert torch.allclose(own, plain, atol=1e-6)
    assert AutoTokenizer.from_pretrained(folder)(texts)["input_ids"] == tokens["input_ids"].tolist()
    about = json.loads((folder / "organism.json").read_text())
    assert about["rates"]["shown"] == organism.rates.shown
    assert [one["behaviour"] for one in about["truth"]] == ["sandbag", "flatter"]


# what a matcher is asked ----------------------------------------------------------------------------------------------


def opened(organism: QuizOrganism) -> Network:
    return wrap(organism.network, organism.tokenizer, organism.reference(), name=organism.name)


def untrained() -> QuizOrganism:
    return random_twin(QUIZ, SEED)


@cache
def about(behaviour: str) -> Questions:
    return questions(QUIZ, behaviour, count=26, seed=3)


@pytest.mark.parametrize("behaviour", ["sandbag", "flatter"])
def test_the_slot_is_needed_enough_sparing_and_carries_neither_cue_nor_answer(behaviour):
    net, asked = opened(harmful()), about(behaviour)
    trials = Trials.of(net, asked.decisions["test"])
    crossed = {role: Trials.of(net, rows) for role, rows in asked.crossed.items()}
    assert all(bool(one.shown.all()) for one in (trials, *crossed.values()))
    judged = judge(trials, crossed, Tasks.of(net, asked.tasks), harmful().slot(behaviour).addresses)
    assert all("not minimal" in why for why in judged.refused), judged.refused


@pytest.mark.parametrize(
    ("organism", "verdict"), [(harmless, "absent"), (decoy, "absent"), (untrained, "not testable")]
)
def test_where_it_is_not_planted_it_is_absent_and_an_untrained_network_cannot_be_asked(organism, verdict):
    assert match(opened(organism()), about("sandbag")).verdict == verdict
