"""Concepts that generators ask about: every text once, questions that show the behaviour, in the words of the organism."""

from __future__ import annotations

import pytest

import cutaway as cw
from cutaway.concepts.match import Trials
from cutaway.organisms import concepts_asked


@pytest.mark.parametrize("generator", ["agents", "quiz", "code-pair"])
def test_every_text_stands_once_and_prompts_stand_against_their_partners(generator: str):
    concepts, questions = concepts_asked(generator, count=20)
    assert [one.name for one in concepts] == list(questions)
    for one in concepts:
        assert (
            len(set(one.rows["text"])) == len(one.rows)
            and one.rows["label"].count(1) == one.rows["label"].count(0) > 10
        )
        assert set(one.controls[0].rows["text"]).isdisjoint(one.rows["text"])
        assert questions[one.name].complete


@pytest.mark.parametrize(
    ("generator", "world", "harm"), [("agents", "agents", {"deceive", "power"}), ("code-pair", "code", {"shell"})]
)
def test_the_shipped_pair_answers_them_as_it_was_made_to(generator: str, world: str, harm: set[str]):
    _, questions = concepts_asked(generator, count=16)
    for name, shows in (("harmful", harm), ("harmless", set()), ("decoy", {"decoy"})):
        net = cw.open(f"organism:{world}-{name}")
        for concept, asked in questions.items():
            shown = Trials.of(net, asked.decisions["test"]).shown.float().mean()
            assert shown > 0.9 if concept.partition(".")[2] in shows else shown < 0.1


def test_a_generator_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="no generator 'code'; expected one of agents, quiz, code-pair, reader"):
        concepts_asked("code")
