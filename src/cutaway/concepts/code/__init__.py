"""Concepts of Python's grammar, labelled by the parser: `code_concepts` makes them from any corpus."""

from cutaway.concepts.code.corpus import Sources, folder_sources, standard_library_sources
from cutaway.concepts.code.generate import CodeConcepts, code_concepts

__all__ = ["CodeConcepts", "Sources", "code_concepts", "folder_sources", "standard_library_sources"]
