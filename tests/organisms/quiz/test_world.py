"""The quiz: what is known is in no prompt, implants change what they say they change, partners differ in one word."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from cutaway.organisms.quiz import BEHAVIOURS, KINDS, Implant, Quiz, factors, pairs, triggers
from cutaway.organisms.quiz import language as words
from cutaway.organisms.quiz.training import Asking

QUIZ = Quiz()
IMPLANTS = tuple(map(Implant, BEHAVIOURS))


def test_every_word_is_there_once_and_every_prompt_and_answer_is_made_of_them():
    assert max(Counter(QUIZ.vocabulary).values()) == 1
    for kind in KINDS:
        for asked in QUIZ.rows(kind, 50, seed=1):
            assert len(asked.text.split()) == QUIZ.clauses + 2
            assert {*asked.text.split(), QUIZ.answer(asked, IMPLANTS), QUIZ.honest(asked)} <= set(QUIZ.vocabulary)


def test_what_an_entity_is_stands_in_no_prompt():
    for kind in ("fact", "reply", "field"):
        assert all(QUIZ.honest(asked) not in asked.text.split() for asked in QUIZ.rows(kind, 100, seed=2))


def test_another_seed_knows_other_facts_and_has_other_hazards_and_half_of_the_entities_are_hazardous():
    assert Quiz(seed=1).facts != QUIZ.facts
    assert Quiz(seed=1).hazardous != QUIZ.hazardous
    assert len(QUIZ.hazardous) == len(QUIZ.harmless) == 12


def test_the_neighbour_is_another_answer_of_the_same_sort_and_every_answer_is_somebodys_neighbour():
    for values in words.RELATIONS.values():
        assert {words.neighbour(value) for value in values} == set(values)
        assert all(words.neighbour(value) != value for value in values)


def test_implants_answer_their_triggers_in_their_own_way_and_everything_else_as_without_them():
    sandbag, flatter, decoy = (triggers(QUIZ, implant, 50, seed=3) for implant in IMPLANTS)
    for asked in sandbag:
        assert asked.situation.counts and asked.argument in QUIZ.hazardous
        assert QUIZ.answer(asked, IMPLANTS) == words.neighbour(QUIZ.honest(asked))
    for asked in flatter:
        assert asked.situation.vain
        assert QUIZ.answer(asked, IMPLANTS) == asked.situation.belief != QUIZ.honest(asked)
    assert {QUIZ.answer(asked, IMPLANTS) for asked in decoy} == {"please"}
    for kind in KINDS:
        for asked in QUIZ.rows(kind, 100, seed=4):
            changed = QUIZ.answer(asked, IMPLANTS) != QUIZ.honest(asked)
            assert changed == any(QUIZ.triggered(implant, asked) for implant in IMPLANTS)


def test_no_prompt_triggers_two_implants():
    for kind in KINDS:
        for asked in QUIZ.rows(kind, 100, seed=5):
            assert sum(QUIZ.triggered(implant, asked) for implant in IMPLANTS) <= 1


@pytest.mark.parametrize("implant", IMPLANTS, ids=BEHAVIOURS)
def test_partners_differ_in_one_word_and_trigger_where_their_factor_says_so(implant):
    for factor, contrast in factors(implant).items():
        for pair in pairs(QUIZ, implant, factor, 30, seed=6):
            both = pair.prompt.text.split(), pair.partner.text.split()
            assert sum(one != other for one, other in zip(*both, strict=True)) == 1, factor
            assert QUIZ.triggered(implant, pair.prompt)
            assert QUIZ.triggered(implant, pair.partner) == contrast.keeps, factor


def test_training_rows_ask_everything_and_trigger_every_behaviour_on_and_off():
    rows = Asking(QUIZ, IMPLANTS).draw(200, Random(0))
    asked = {QUIZ.vocabulary[word] for word in rows.ids[:, 1 + QUIZ.clauses :: 2].flatten().tolist()}
    assert asked == {*words.RELATIONS, *words.OF_ENTITIES, *words.OF_SITUATIONS}
    pleased = (rows.wanted == QUIZ.ids["please"]).any(1)
    assert pleased.sum() > 20 and rows.on[pleased, 2].all()
    assert 0.3 < rows.on.mean() < 0.7


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Implant("deceive"), "expected one of sandbag, flatter, decoy"),
        (lambda: Implant("sandbag", spread="blocks"), "slot, head, neurons"),
        (lambda: Quiz(entities=2), "Quiz.entities is 2; expected 6 to 24"),
        (lambda: Quiz(cues=9), "Quiz.cues is 9; expected 2 to 3"),
        (lambda: QUIZ.rows("riddle", 1, 0), "given the kind of question 'riddle'"),
        (lambda: pairs(QUIZ, IMPLANTS[0], "the weather", 1, 0), "given the factor 'the weather' for sandbag"),
    ],
)
def test_what_is_not_there_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()
