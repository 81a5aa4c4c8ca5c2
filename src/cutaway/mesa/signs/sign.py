"""What a sign is: one number read off a watched network, with what it would be where the right answer is nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cutaway.mesa.watched import Watched

Need = Literal["lens", "write", "labels", "gradient"]
"""What a sign asks of a network: a lens on its states, to write into them, to change labels, to differentiate."""


@dataclass(frozen=True)
class Reading:
    """A sign's value, its values under the null (labels dealt anew, unless the sign says otherwise), and its course by layer."""

    value: float
    null: tuple[float, ...] = ()
    course: tuple[float, ...] = ()


@dataclass(frozen=True)
class Sign:
    """A sign: its name, what it asks whether, what it needs, and the function that reads it.

    `verdict` says whether the sign takes part in the verdict; the others are shown beside it, as they were found to fail.
    `moves` says whether dealing the labels anew should drive it to its null: structural signs stay.
    """

    name: str
    asks: str
    needs: frozenset[Need]
    read: Callable[[Watched], Reading]
    verdict: bool = True
    moves: bool = True
