"""READ: how much better a network can be read for a concept than a random twin or a bag of words; topic or absent, no more."""

from cutaway.concepts.read.auroc import auroc
from cutaway.concepts.read.fitting import fitting
from cutaway.concepts.read.harvest import Reader, Readings, reader
from cutaway.concepts.read.plan import ReadPlan, planned
from cutaway.concepts.read.question import Passage, Question, question
from cutaway.concepts.read.score import Read, Reads, read, read_all
from cutaway.concepts.read.search import Candidate, Outcome, search
from cutaway.concepts.read.twin import bag_of_words, random_twin

__all__ = [
    "Candidate",
    "Outcome",
    "Passage",
    "Question",
    "Read",
    "ReadPlan",
    "Reader",
    "Readings",
    "Reads",
    "auroc",
    "bag_of_words",
    "fitting",
    "planned",
    "question",
    "random_twin",
    "read",
    "read_all",
    "reader",
    "search",
]
