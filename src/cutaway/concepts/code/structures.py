"""The table of all code concepts."""

from cutaway.concepts.code.grammar_structures import CALLS, EXPRESSIONS, STATEMENTS
from cutaway.concepts.code.word_structures import LAYOUT, NAMES, TEXTS

STRUCTURES = (*TEXTS, *LAYOUT, *NAMES, *CALLS, *STATEMENTS, *EXPRESSIONS)
