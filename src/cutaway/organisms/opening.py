"""Organisms by name, opened as networks; and the sample of text and code that networks without a reference get."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import cache

from cutaway.network import Network, OpenError, wrap
from cutaway.organisms.compiled import Organism, named, names, words


def organism_names() -> tuple[str, ...]:
    """Every name that "organism:NAME" takes; a compiled one also as NAME/SEED."""
    return ("code", *names())


def open_organism(name: str) -> Network:
    """The organism of this name as a network. Raises `OpenError` with near names."""
    if name == "code":
        from cutaway.organisms.code_model import load_code_model

        model = load_code_model()
        return wrap(model.network, model.tokenizer, model.reference, name="code model", source="organism:code")
    if name.partition("/")[0] not in names():
        near = get_close_matches(name, organism_names(), n=3, cutoff=0.3)
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise OpenError(f"there is no organism {name!r}; {meant}There are {', '.join(organism_names())}")
    try:
        return replace(open_compiled(named(name)), source=f"organism:{name}")
    except ValueError as error:
        raise OpenError(str(error)) from None


def open_compiled(organism: Organism) -> Network:
    """A compiled organism as a network that reads its words; its reference are its own other inputs."""
    return wrap(organism.network, words(organism), organism.reference.tolist(), name=organism.name)


@cache
def sample_texts() -> tuple[str, ...]:
    """The shipped sample of code and English text: the reference of text networks that bring none."""
    from cutaway.organisms.code_reference import load_reference

    sample = load_reference()
    return (*sample.code, *sample.english)
