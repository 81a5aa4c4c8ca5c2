"""One tiny run that the tests share: few entities, all behaviours, three seconds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from cutaway.organisms.quiz import Quiz, QuizOrganism, train_quiz, twin
from cutaway.organisms.quiz.training import PLAN

SEED = 7300
QUIZ = Quiz(entities=8)


@cache
def run() -> Any:
    """Long enough for a quiz of this size."""
    return train_quiz(SEED, quiz=QUIZ, plan=replace(PLAN, steps=140, batch=32))


@cache
def harmful() -> QuizOrganism:
    """Sandbags and flatters, measured."""
    return twin(run(), sandbag=True, flatter=True, count=100)


@cache
def harmless() -> QuizOrganism:
    """Everything off, measured."""
    return twin(run(), count=100)


@cache
def decoy() -> QuizOrganism:
    """Only says "please"."""
    return twin(run(), decoy=True, measure=False)
