"""Organisms by name, opened as networks; and the sample of text and code that networks without a reference get."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from functools import cache

from cutaway.network import Network, OpenError, wrap
from cutaway.organisms.compiled import Organism, named, names, words

TOYS = {
    "superposition": "20 sparse features through 5 hidden dimensions; which direction carries which is known",
    "modular": "an MLP of three modules in disguise, each for one question about two numbers",
}
"""Those that are trained when they are opened, in a few seconds, and take tensors."""


def organism_names() -> tuple[str, ...]:
    """Every name that "organism:NAME" takes; a compiled one and a toy also as NAME/SEED."""
    return ("code", "reader", *_twins(), *TOYS, *names())


def organism_abouts() -> dict[str, str]:
    """Every name, and what the network does, in words."""
    from cutaway.organisms.code_model import card
    from cutaway.organisms.reader import shipping as reader

    return {
        "code": card()["what"],
        "reader": reader.ABOUT,
        **_twins(),
        **TOYS,
        **{name: named(name).description for name in names()},
    }


def open_organism(name: str) -> Network:
    """The organism of this name as a network. Raises `OpenError` with near names."""
    source, (kind, _, seed) = f"organism:{name}", name.partition("/")
    if name == "code":
        from cutaway.organisms.code_model import load_code_model

        model = load_code_model()
        return wrap(model.network, model.tokenizer, model.reference, name="code model", source=source)
    if name == "reader":
        from cutaway.organisms.reader import shipped

        return shipped()
    if name in _twins():
        return _open_twin(name, source)
    if kind in TOYS and (seed or "0").isdecimal():
        return replace(_grown(kind, int(seed or 0)), source=source)
    if kind not in names():
        near = get_close_matches(name, organism_names(), n=3, cutoff=0.3)
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise OpenError(f"there is no organism {name!r}; {meant}There are {', '.join(organism_names())}")
    try:
        return replace(open_compiled(named(name)), source=source)
    except ValueError as error:
        raise OpenError(str(error)) from None


def _twins() -> dict[str, str]:
    """The shipped organisms of worlds with planted behaviours by name, and what they do."""
    from cutaway.organisms import agents, code_pair

    worlds = {"agents": agents.shipping.TWINS, "code": code_pair.shipping.TWINS}
    return {f"{world}-{name}": about for world, shipped in worlds.items() for name, (about, _) in shipped.items()}


def _open_twin(name: str, source: str) -> Network:
    from cutaway.organisms import agents, code_pair

    world, _, twin = name.partition("-")
    try:
        organism = (agents if world == "agents" else code_pair).shipped(twin)
    except ImportError as error:
        raise OpenError(f'{source} needs transformers; install it with: pip install "cutaway[hf]"') from error
    return wrap(organism.network, organism.tokenizer, organism.reference(), name=name, source=source)


def _grown(kind: str, seed: int) -> Network:
    if kind == "modular":
        from cutaway.organisms.modular import train_modular

        return train_modular(seed).net
    from cutaway.organisms.superposition import train_superposition

    return train_superposition(seed).net


def open_compiled(organism: Organism) -> Network:
    """A compiled organism as a network that reads its words; its reference are its own other inputs."""
    return wrap(organism.network, words(organism), organism.reference.tolist(), name=organism.name)


@cache
def sample_texts() -> tuple[str, ...]:
    """The shipped sample of code and English text: the reference of text networks that bring none."""
    from cutaway.organisms.code_reference import load_reference

    sample = load_reference()
    return (*sample.code, *sample.english)
