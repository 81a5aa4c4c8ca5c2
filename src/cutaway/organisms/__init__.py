"""Networks whose answer is known: shipped, trained in seconds, or with weights written by hand; and what they can be asked."""

from cutaway.organisms.asked import concepts_asked
from cutaway.organisms.opening import open_compiled, open_organism, organism_names, sample_texts

__all__ = ["concepts_asked", "open_compiled", "open_organism", "organism_names", "sample_texts"]
