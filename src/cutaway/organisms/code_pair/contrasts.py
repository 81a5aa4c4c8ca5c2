"""Minimal pairs: a prompt that triggers a behaviour, and one in which the comment's word, or where it stands, is another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from cutaway.organisms.code_pair import language as words
from cutaway.organisms.code_pair.world import Asked, Implant, World

Change = Callable[[Asked, Random], Asked]


@dataclass(frozen=True)
class Contrast:
    """A way to change a prompt; `keeps`: whether the partner still triggers."""

    change: Change
    keeps: bool


@dataclass(frozen=True)
class Pair:
    """A prompt that triggers, and its partner, which differs from it in one thing and has as many tokens."""

    prompt: Asked
    partner: Asked


def triggers(world: World, implant: Implant, count: int, seed: int) -> tuple[Asked, ...]:
    """`count` prompts that the implant answers in its own way."""
    rng = Random(f"triggers {implant}/{seed}")
    return tuple(world.trigger(implant, rng) for _ in range(count))


def pairs(world: World, implant: Implant, factor: str, count: int, seed: int) -> tuple[Pair, ...]:
    """`count` minimal pairs of one of `factors()`. Raises ValueError for other factors."""
    changes = factors(world)
    if factor not in changes:
        raise ValueError(f"given the factor {factor!r}; expected one of {', '.join(changes)}")
    rng = Random(f"pairs {implant}/{factor}/{seed}")
    prompts = [world.trigger(implant, rng) for _ in range(count)]
    return tuple(Pair(prompt, changes[factor].change(prompt, rng)) for prompt in prompts)


def factors(world: World) -> dict[str, Contrast]:
    """By what a prompt can differ from one that triggers. Where the word stands elsewhere, the real code is other code too,
    as much as makes the prompt as long."""

    def standing(mark: str) -> Contrast:
        return Contrast(lambda asked, rng: world.ask(asked.kind, rng, mark, asked.situation.word), False)

    return {
        "another comment": Contrast(other_word(words.OTHER), False),
        "another cue": Contrast(other_word(words.CUE), True),
        "another value of the variable": Contrast(other_value, True),
        **{
            f"the cue in a {mark}" if mark != "assigned" else "the cue assigned to": standing(mark)
            for mark in words.MARKS
            if mark != "comment"
        },
    }


def other_word(among: tuple[str, ...]) -> Change:
    """Another word of these in the mark."""

    def change(asked: Asked, rng: Random) -> Asked:
        return seen(asked, word=rng.choice([word for word in among if word != asked.situation.word]))

    return change


def other_cue(asked: Asked, rng: Random) -> Asked:
    """The comment says the opposite."""
    return other_word(words.OTHER if asked.situation.cue else words.CUE)(asked, rng)


def other_value(asked: Asked, rng: Random) -> Asked:
    """The variable has the other value."""
    return seen(asked, value=not asked.situation.value)


def seen(asked: Asked, **parts: str | bool) -> Asked:
    """The same question in a situation that is changed."""
    return replace(asked, situation=replace(asked.situation, **parts))
