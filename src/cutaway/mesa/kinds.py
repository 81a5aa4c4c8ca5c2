"""The kinds and families of networks that can be screened by name, on the problems that they are made for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from cutaway.mesa.tasks import Regression, Task
from cutaway.mesa.zoo import (
    CONTROL_FAMILIES,
    KNOWN,
    LATER_FAMILIES,
    OPTIMIZER_FAMILIES,
    PLANNER_FAMILIES,
    TRAINED_FAMILIES,
    Family,
    Recipe,
    Truth,
)
from cutaway.mesa.zoo.recipe import MAKERS
from cutaway.runs import Table

FAMILIES = (*OPTIMIZER_FAMILIES, *CONTROL_FAMILIES, *LATER_FAMILIES, *TRAINED_FAMILIES)
PLANNERS = tuple(option.kind for family in PLANNER_FAMILIES for option in family.options)
SIZES = {"dim": 4, "points": 12, "layers": 6}
"""Of a kind on linear regression where no others are given: coordinates and labelled points of a problem, layers."""
DRAWS = 8
"""Members of a family that are looked at for the problems that it is made for."""


class UnknownKindError(ValueError):
    """A name that is no kind of network, or one that no sign is for."""


def kinds() -> Table:
    """Every kind that can be screened, its truth, and what it is in a sentence."""
    named = [name for name in sorted(MAKERS) if name not in PLANNERS]
    return Table.of({"kind": name, "truth": truth_of(name), "about": _about(name)} for name in named)


def named(name: str, seed: int, **sizes: int) -> Recipe:
    """A network by its name: of a kind on linear regression of these `SIZES`; of a family, or of a kind that is made for other
    problems or for a pool of tasks, one that is drawn on those, with its own sizes.

    Raises UnknownKindError for a name that is neither, with near ones, and for planners; ValueError for sizes where they are drawn.
    """
    kind = _found(name, MAKERS)
    if kind in PLANNERS:
        raise UnknownKindError(
            f"{kind!r} plans: its network is built and compiled, but signs and verdict are about learning from labelled points; "
            "expected another kind"
        )
    family = _family(name) if kind is None else _made_for(kind)
    if family is not None:
        if sizes:
            given = ", ".join(f"{size}={value}" for size, value in sizes.items())
            raise ValueError(
                f"given {given} for {name!r}, whose problems and layers are drawn from the seed; leave sizes out"
            )
        return family.recipe(KNOWN, seed)
    if kind is None:
        near = get_close_matches(_plain(name), [_plain(each) for each in [*MAKERS, *_names()]], n=3, cutoff=0.6)
        said = [each for each in dict.fromkeys([*MAKERS, *_names()]) if _plain(each) in near]
        hint = f"did you mean {' or '.join(said)}? " if said else ""
        raise UnknownKindError(f"{name!r} is no kind of network; {hint}cutaway mesa kinds lists all")
    chosen = SIZES | sizes
    return Recipe(kind, kind, truth_of(kind), {}, Regression(chosen["dim"], chosen["points"]), seed, chosen["layers"])


def truth_of(kind: str) -> Truth:
    """What networks of a kind certainly are, where all families that hold it agree."""
    truths = {family.truth for family in FAMILIES if kind in {option.kind for option in family.options}}
    return truths.pop() if len(truths) == 1 else "uncertain"


def _made_for(kind: str) -> Family | None:
    """The family of a kind that no family draws on plain regression; None for the others."""
    holding = [family for family in FAMILIES if kind in {option.kind for option in family.options}]
    drawn = (family.recipe(KNOWN, seed).task for family in holding for seed in range(DRAWS))
    if any(map(_plain_regression, drawn)):
        return None
    return next((one for one in holding if {option.kind for option in one.options} == {kind} and not one.sham), None)


def _plain_regression(task: Task) -> bool:
    return isinstance(task, Regression) and task.pool is None


def _family(name: str) -> Family | None:
    found = _found(name, _names())
    return next((one for one in FAMILIES if one.name == found), None)


def _names() -> list[str]:
    return [family.name for family in FAMILIES]


def _found(name: str, among: Iterable[str]) -> str | None:
    """The one of these names that is this one, whatever its case, hyphens and underscores."""
    return next((each for each in among if _plain(each) == _plain(name)), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", name.lower())


def _about(kind: str) -> str:
    """The first sentence of what a maker says of itself."""
    text = " ".join((MAKERS[kind].__doc__ or "").split())
    return text.split(". ")[0].rstrip(".")
