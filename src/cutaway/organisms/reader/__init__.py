"""A reader: a small text encoder, trained on the concept library's own texts to answer five questions about them.

tasks.py what is asked, and which texts are held out · words.py its tokenizer · training.py the network · scores.py what it can do ·
questions.py what a matcher is asked · erasing.py a subspace without which one task is not done · shipping.py the one that ships.
"""

from cutaway.organisms.reader.erasing import erasing
from cutaway.organisms.reader.questions import persona, questions, unheard
from cutaway.organisms.reader.scores import Score, scores
from cutaway.organisms.reader.shipping import card, opened, rounded, shipped
from cutaway.organisms.reader.tasks import TASKS, Asked, asked, prompt
from cutaway.organisms.reader.training import RECIPE, Trained, train_reader

__all__ = [
    "RECIPE",
    "TASKS",
    "Asked",
    "Score",
    "Trained",
    "asked",
    "card",
    "erasing",
    "opened",
    "persona",
    "prompt",
    "questions",
    "rounded",
    "scores",
    "shipped",
    "train_reader",
    "unheard",
]
