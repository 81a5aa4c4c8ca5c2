"""What is written of a program so far, and what may be written next: its tokens, the names in scope and their types."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from cutaway.dial.tiny_python.vocabulary import LINES, NAMES

T = TypeVar("T")
SPARE = 5
"""Names kept for the blocks inside a statement."""


@dataclass(frozen=True)
class Function:
    """The types of a function's parameters and of what it returns."""

    parameters: tuple[str, ...]
    result: str


@dataclass(frozen=True)
class Class:
    """The types of a class's attributes, in the order that `__init__` takes them, and of what its methods return."""

    attributes: dict[str, str]
    methods: dict[str, str]


@dataclass
class Writer:
    """A program being written.

    `names` are the variables in scope and their types ("int", "str", "list", "set", "dict", "file", "any" or a class). A
    name keeps its type while it is in scope. `depth` is how deep brackets nest inside a value, `blocks` how deep blocks do,
    `apostrophes` how often a comment's verb has one.
    """

    rng: Random
    depth: int = 3
    blocks: int = 3
    comments: float = 0.08
    apostrophes: float = 0.1
    level: int = 0
    out: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random: Callable[[], float] = self.rng.random
        self.put: Callable[[str], None] = self.out.append

    def write(self, *tokens: str) -> None:
        """Several tokens."""
        self.out.extend(tokens)

    def line(self) -> None:
        """The start of a line at the present level."""
        self.put(LINES[self.level])

    def chance(self, probability: float) -> bool:
        """True as often as `probability` says."""
        return self.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, all equally likely."""
        return options[int(self.random() * len(options))]

    def fresh(self, count: int = 1) -> list[str]:
        """So many different names that are not in scope."""
        if len(self.names) + count > len(NAMES):
            raise ValueError(f"{count} new names were asked for; {len(self.names)} of the {len(NAMES)} are in scope")
        found: list[str] = []
        while len(found) < count:
            name = self.pick(NAMES)
            if name not in self.names and name not in found:
                found.append(name)
        return found

    @property
    def crowded(self) -> bool:
        """Whether so many names are in scope that a statement should make no new one."""
        return len(self.names) > len(NAMES) - SPARE

    def of(self, *kinds: str) -> list[str]:
        """The names in scope of these types."""
        return [name for name, kind in self.names.items() if kind in kinds]

    @contextmanager
    def scope(self, names: dict[str, str] | None = None) -> Generator[None]:
        """One level further in, with the names outside and these, or, given `names` only, with `names` alone."""
        outside = self.names
        self.names = dict(outside) if names is None else names
        self.level += 1
        yield
        self.level -= 1
        self.names = outside
