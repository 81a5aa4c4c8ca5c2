"""The shipped concepts, and folders of one's own: a mapping from name to concept that reads a concept when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cutaway.concepts.concept import Concept
from cutaway.concepts.files import SUFFIXES
from cutaway.concepts.reading import TOML, name_of, read_concept
from cutaway.concepts.rules import ConceptError, near

SHIPPED = Path(__file__).parent / "library"


class UnknownConcept(ConceptError, KeyError):
    """No concept of this name; the message offers near ones."""

    __str__ = ValueError.__str__  # KeyError would print the message in quotes


@dataclass(frozen=True)
class Library(Mapping[str, Concept]):
    """Concepts by name, in alphabetical order; each is read from disk when it is first asked for, and then kept.

    >>> concept = library()["knowledge.capital_city"]
    >>> concept.kind
    'knowledge'
    """

    places: Mapping[str, Path]
    read: dict[str, Concept] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, name: str) -> Concept:
        """The concept of this name. Raises UnknownConcept, or ConceptError if its files are broken."""
        if name not in self.places:
            raise UnknownConcept(
                f"given the concept {name!r}; expected one of {len(self.places)}; {near(name, self.places)}"
            )
        if name not in self.read:
            self.read[name] = read_concept(self.places[name])
        return self.read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, name: object) -> bool:
        return name in self.places

    def family(self, family: str) -> tuple[str, ...]:
        """The names of one family: those that begin with `family.`. Raises UnknownConcept, naming the families."""
        names = tuple(name for name in self.places if name.startswith(f"{family}."))
        if not names:
            families = sorted({name.split(".")[0] for name in self.places})
            raise UnknownConcept(
                f"given the family {family!r}; expected one of {len(families)}; {near(family, families)}"
            )
        return names


def library(*folders: str | os.PathLike[str]) -> Library:
    """The shipped concepts, or those in these folders: sub-folders with a `concept.toml`, and bare tables.

    Only names are read now. To search both, give both: `library(SHIPPED, "mine")`. Raises ConceptError for a folder that is
    not there, and for two concepts of one name.
    """
    if not folders:
        return Library(_places((SHIPPED,)), _kept())
    return Library(_places(tuple(Path(folder) for folder in folders)))


def concept_names() -> tuple[str, ...]:
    """The names of the shipped concepts."""
    return tuple(library())


@cache
def _kept() -> dict[str, Concept]:
    """What was read of the shipped library, for all who ask for it."""
    return {}


def _places(folders: tuple[Path, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConceptError(f"{folder}: no such folder; expected one that holds concepts; check the path")
        for path in sorted(folder.iterdir()):
            if not ((path / TOML).is_file() or (path.is_file() and path.suffix in SUFFIXES)):
                continue
            name = name_of(path)
            if name in found:
                raise ConceptError(
                    f"{path}: a second concept called {name!r}, beside {found[name]}; expected one; rename one"
                )
            found[name] = path
    return dict(sorted(found.items()))
