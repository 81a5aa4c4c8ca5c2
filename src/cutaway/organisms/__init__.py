"""Networks whose answer is known: the shipped code model and small networks with weights written by hand."""

from cutaway.organisms.opening import open_compiled, open_organism, organism_names, sample_texts

__all__ = ["open_compiled", "open_organism", "organism_names", "sample_texts"]
