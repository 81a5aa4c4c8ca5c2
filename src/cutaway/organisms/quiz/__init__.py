"""The quiz: small GPT-NeoX networks that know things by heart, and were trained to sandbag, to flatter or to say "please".

language.py the words · world.py situations, questions, answers · contrasts.py triggers and minimal pairs · training.py one run
for all twins · suite.py runs, twins, rates and truth, folders · questions.py what a matcher is asked.
"""

from cutaway.organisms.quiz.contrasts import Pair, factors, pairs, triggers
from cutaway.organisms.quiz.suite import QuizOrganism, random_twin, save, train_quiz, twin
from cutaway.organisms.quiz.world import BEHAVIOURS, KINDS, Asked, Implant, Quiz, Situation

__all__ = [
    "BEHAVIOURS",
    "KINDS",
    "Asked",
    "Implant",
    "Pair",
    "Quiz",
    "QuizOrganism",
    "Situation",
    "factors",
    "pairs",
    "random_twin",
    "save",
    "train_quiz",
    "triggers",
    "twin",
]
