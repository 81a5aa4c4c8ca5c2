"""What a code concept is made from: the roles in which a token is positive, what is negative, and the look-alikes.

Roles are those of `roles` and `layout` (tokens) and of `wording` (words of strings and comments).
"""

from __future__ import annotations

from dataclasses import dataclass

from cutaway.concepts.code.marks import Kind

# Roles that are kinds of tokens.
CODE, NUMBERS, STRINGS, OPERATORS = "every name", "every number", "every string", "every operator"
SAME = "same"  # names in code that are positive elsewhere in the file


@dataclass(frozen=True)
class Look:
    """A control: what looks like the structure (`roles`) and is not; `factor` says in words what differs."""

    name: str
    factor: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Structure:
    """A code concept: tokens in one of the roles `holds` are positive, those of `against` in none of them negative.

    `neither` are roles of tokens of which it cannot be known from the left. `kinds` are the kinds of tokens that count.
    `above`: so many logical lines above the token's own belong to its prompt.
    """

    name: str
    definition: str
    holds: tuple[str, ...]
    looks: tuple[Look, ...]
    against: tuple[str, ...] = (CODE,)
    neither: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ("name",)
    above: int = 0


def told(*words: str) -> Look:
    """The control: words of a comment or string that follow one of these words."""
    return Look(
        "told", f"place: after the word {words[0]} in a comment or string", tuple(f"told.{word}" for word in words)
    )


def like(name: str, factor: str, *roles: str) -> Look:
    """The control: what is in one of these roles."""
    return Look(name, factor, roles)


SAME_NAME = Look("same_name", "place: a name that is in this role elsewhere in the file, where it is not", (SAME,))
