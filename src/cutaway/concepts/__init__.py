"""What a sub-model could be about: concepts as labelled texts with controls, pairs and decisions; library/ holds those shipped."""

from cutaway.concepts.concept import NO_CONTROL, NO_DECISION, Concept, Control, Shifted
from cutaway.concepts.library import SHIPPED, Library, UnknownConcept, concept_names, library
from cutaway.concepts.reading import read_concept, write_concept
from cutaway.concepts.rules import KINDS, LICENCES, ConceptError
from cutaway.concepts.splitting import MINIMUM, SPLITS

__all__ = [
    "KINDS",
    "LICENCES",
    "MINIMUM",
    "NO_CONTROL",
    "NO_DECISION",
    "SHIPPED",
    "SPLITS",
    "Concept",
    "ConceptError",
    "Control",
    "Library",
    "Shifted",
    "UnknownConcept",
    "concept_names",
    "library",
    "read_concept",
    "write_concept",
]
