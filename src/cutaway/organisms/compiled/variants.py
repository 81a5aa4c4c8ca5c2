"""Variants of any program in which single knock-outs mislead: redundant, backup and cancelling parts.

What holds of a group is meant under a counterfactual's values, a donor's, the mean and zero alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from cutaway.organisms.compiled.compiling import build, program_named
from cutaway.organisms.compiled.distractors import rewritten, writer
from cutaway.organisms.compiled.guarding import guarded
from cutaway.organisms.compiled.organism import Group, GroupKind, Organism
from cutaway.organisms.compiled.program import Part, Program
from cutaway.organisms.compiled.writing import SHARP, Head


def compile_variant(
    program: str, seed: int, kind: GroupKind, inert: int = 4, decoys: int = 2, noise: int = 2
) -> Organism:
    """A network that runs `program` with a group of parts of this kind, which it names in `groups`.

    "redundant" and "backup" put the program behind a guard: its answer counts only where the first token allows it, and
    the group sees that token. "cancelling" puts two parts beside the program that write its answer and take it back.
    >>> from cutaway.organisms.compiled.variants import compile_variant
    >>> [group.kind for group in compile_variant("quote", 0, "backup").groups]
    ['backup']
    """
    if kind not in _VARIANTS:
        raise ValueError(f"no kind of group {kind!r}; expected one of {', '.join(_VARIANTS)}")
    rng = Random(f"{program}/{kind}/{seed}")
    source = _VARIANTS[kind](program_named(program, rng))
    named = replace(source, name=f"{kind} {source.name}", groups=(Group(kind, ("first", "second")),))
    return build(named, rng, seed, inert, decoys, noise)


def redundant(inner: Program) -> Program:
    """Two heads see the guard; what reads them is open if either says so."""
    source = guarded(inner)
    return source.program(Part("first", source.watch), Part("second", source.watch))


def backup(inner: Program) -> Program:
    """A second head would see the guard as well, but looks away from it where the first says yes.

    Where the first says nothing, or no, the second looks. Its query is `one` − 2 `guard`: a mean of the guard does not
    turn it round. At the row's first place there is nothing else to look at; no decision is read there.
    """
    source = guarded(inner)
    L, watch = source.layout, source.watch
    query = SHARP * (L.read("one") - 2 * L.read("guard"))
    again = Head(query, watch.key, watch.value_from, L.write("second"))
    return source.program(Part("first", watch), Part("second", again, after=("first",), dormant=True))


def cancelling(inner: Program) -> Program:
    """Two parts that do half of what the last part does, one with the opposite sign."""
    model = [part for part in inner.parts if part.final][-1]
    half = writer(model.what) / 2
    first, second = (
        Part(name, rewritten(model.what, sign * half), model.after, final=True)
        for name, sign in (("first", 1), ("second", -1))
    )
    return replace(inner, parts=(*inner.parts, first, second))


_VARIANTS: dict[str, Callable[[Program], Program]] = {
    "redundant": redundant,
    "backup": backup,
    "cancelling": cancelling,
}
KINDS: tuple[str, ...] = tuple(_VARIANTS)
