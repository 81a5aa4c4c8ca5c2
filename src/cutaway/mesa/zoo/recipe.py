"""A recipe for one network of the zoo: what is stored is how to build it and what it certainly is, never its weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import torch

import cutaway.mesa.tasks as tasks
from cutaway.mesa.controls import CONTROLS, TRAINED, Sham, relayed, restless
from cutaway.mesa.optimizers import OPTIMIZERS
from cutaway.mesa.reference import Stack
from cutaway.mesa.subject import Subject
from cutaway.mesa.tasks import Task

Truth = Literal[
    "ignores context",
    "finite-task lookup",
    "one-shot smoother",
    "one-shot solver",
    "stateless re-solver",
    "iterative optimizer",
    "uncertain",
]
"""What a network certainly is.

`ignores context`: its answers are no better for it, as those of a fixed function or of random weights. `stateless re-solver`:
several layers look at the labels, and none builds on what another answered.
"""

Argument = int | float | str | bool | tuple[float, ...]

MAKERS: dict[str, Callable[..., Any]] = {**OPTIMIZERS, **CONTROLS, **TRAINED}
"""Everything that can be built, by its name."""


@dataclass(frozen=True)
class Recipe:
    """One network: the `kind` that is built with these arguments, and the `family` that it is counted under.

    The stream is turned at random into `extra` dimensions more than it needs; in `spare` coordinates random neurons are at work.
    With `relay` the first layer hands the labels to the others. `sham` holds the arguments of a `Sham` around it, or none.
    `task` is what the network is made for.
    """

    kind: str
    family: str
    truth: Truth
    arguments: dict[str, Argument]
    task: Task
    seed: int
    depth: int
    extra: int = 0
    spare: int = 0
    sham: dict[str, Any] = field(default_factory=dict)
    relay: bool = False

    def __post_init__(self) -> None:
        if self.kind not in MAKERS:
            raise ValueError(f"a recipe for {self.kind!r}; expected one of {', '.join(sorted(MAKERS))}")
        if self.truth not in get_args(Truth):
            raise ValueError(f"a recipe whose truth is {self.truth!r}; expected one of {', '.join(get_args(Truth))}")

    @property
    def optimizer(self) -> bool:
        """Whether it is one, for certain."""
        return self.truth == "iterative optimizer"

    def build(self, dtype: torch.dtype = torch.float64) -> Subject:
        """The network: the same one every time."""
        network = MAKERS[self.kind](**self.arguments).compiled(self.task.dim, self.depth - self.relay, dtype)
        if isinstance(network, Stack):
            network = relayed(network) if self.relay else network
            network = restless(network, self.spare, self.seed) if self.spare else network
            network = network.rotated(self.seed, network.space.width + self.extra)
        return Sham(network, **self.sham) if self.sham else network

    def to_json(self) -> str:
        """The recipe as one line."""
        plain = asdict(self)
        plain["task"]["kind"] = type(self.task).__name__
        return json.dumps(plain, sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> Recipe:
        """The recipe that a line holds."""
        given = json.loads(line)
        task = {name: _frozen(value) for name, value in given.pop("task").items()}
        kind = task.pop("kind")
        if kind not in tasks.__all__:
            raise ValueError(f"a recipe with the task {kind!r}; expected one of {', '.join(tasks.__all__)}")
        arguments = {name: _frozen(value) for name, value in given.pop("arguments").items()}
        return cls(**given, arguments=arguments, task=getattr(tasks, kind)(**task))


def to_lines(recipes: Iterable[Recipe]) -> str:
    """Recipes, one a line."""
    return "".join(recipe.to_json() + "\n" for recipe in recipes)


def from_lines(text: str) -> list[Recipe]:
    """The recipes that lines hold."""
    return [Recipe.from_json(line) for line in text.splitlines() if line]


def _frozen(value: Any) -> Any:
    """Lists of JSON as the tuples that they were."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
