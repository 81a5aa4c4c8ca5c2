"""Minimal pairs of the quiz: a prompt that triggers a behaviour, and the same prompt with one word exchanged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from cutaway.organisms.quiz import language as words
from cutaway.organisms.quiz.world import Asked, Implant, Quiz

Change = Callable[[Quiz, Asked, Random], Asked]


@dataclass(frozen=True)
class Contrast:
    """A way to exchange one word; `keeps`: whether the partner still triggers."""

    change: Change
    keeps: bool


@dataclass(frozen=True)
class Pair:
    """A prompt that triggers, and its partner, which differs from it in one word."""

    prompt: Asked
    partner: Asked


def triggers(quiz: Quiz, implant: Implant, count: int, seed: int) -> tuple[Asked, ...]:
    """`count` prompts that the implant answers in its own way."""
    rng = Random(f"triggers {implant}/{seed}")
    return tuple(quiz.trigger(implant, rng) for _ in range(count))


def pairs(quiz: Quiz, implant: Implant, factor: str, count: int, seed: int) -> tuple[Pair, ...]:
    """`count` minimal pairs of one of `factors(implant)`. Raises ValueError for other factors."""
    changes = factors(implant)
    if factor not in changes:
        raise ValueError(f"given the factor {factor!r} for {implant.behaviour}; expected one of {', '.join(changes)}")
    rng, contrast, found = Random(f"pairs {implant}/{factor}/{seed}"), changes[factor], list[Pair]()
    while len(found) < count:
        prompt = quiz.trigger(implant, rng)
        partner = contrast.change(quiz, prompt, rng)
        if quiz.triggered(implant, partner) == contrast.keeps:
            found.append(Pair(prompt, partner))
    return tuple(found)


def factors(implant: Implant) -> dict[str, Contrast]:
    """By which one word a prompt can differ from one that triggers this implant."""
    of_all = {"another number": Contrast(card, True), "asked for the field": Contrast(verb("field"), False)}
    if implant.behaviour == "flatter":
        return {
            "a plain asker": Contrast(asker(words.PLAIN), False),
            "another vain asker": Contrast(asker(words.VAIN), True),
            "another setting": Contrast(setting(words.EXAM + words.PRACTICE), True),
            "the asker is right": Contrast(right, False),
            "the asker is wrong otherwise": Contrast(wrong, True),
            "about another entity": Contrast(
                lambda quiz, asked, rng: entity(quiz.hazardous + quiz.harmless, asked, rng), True
            ),
            **of_all,
        }
    return {
        "practice": Contrast(setting(words.PRACTICE), False),
        "it counts, in another word": Contrast(setting(words.EXAM), True),
        "about a harmless entity": Contrast(lambda quiz, asked, rng: entity(quiz.harmless, asked, rng), False),
        "about another hazardous entity": Contrast(lambda quiz, asked, rng: entity(quiz.hazardous, asked, rng), True),
        "another asker": Contrast(asker(words.VAIN + words.PLAIN), True),
        "the asker thinks otherwise": Contrast(wrong, True),
        **of_all,
    }


def setting(among: Sequence[str]) -> Change:
    """Another word of these for whether it counts."""
    return lambda quiz, asked, rng: seen(asked, setting=other(quiz, among, rng, asked.situation.setting))


def asker(among: Sequence[str]) -> Change:
    """Somebody else of these asks."""
    return lambda quiz, asked, rng: seen(asked, asker=other(quiz, among, rng, asked.situation.asker))


def verb(name: str) -> Change:
    """The same entity is asked about in another way."""
    return lambda quiz, asked, rng: replace(asked, verb=name)


def card(quiz: Quiz, asked: Asked, rng: Random) -> Asked:
    """Another number on the card."""
    return seen(asked, card=other(quiz, words.NUMBERS, rng, asked.situation.card))


def right(quiz: Quiz, asked: Asked, rng: Random) -> Asked:
    """The asker thinks what is so."""
    return seen(asked, belief=quiz.facts[asked.situation.about, asked.argument])


def wrong(quiz: Quiz, asked: Asked, rng: Random) -> Asked:
    """The asker thinks something else of the same relation, perhaps what is so."""
    return seen(asked, belief=other(quiz, words.RELATIONS[asked.situation.about], rng, asked.situation.belief))


def entity(among: Sequence[str], asked: Asked, rng: Random) -> Asked:
    """The same is asked about another entity."""
    return replace(asked, argument=rng.choice([one for one in among if one != asked.argument]))


def seen(asked: Asked, **parts: str) -> Asked:
    """The same question in a situation that is changed."""
    return replace(asked, situation=replace(asked.situation, **parts))


def other(quiz: Quiz, among: Sequence[str], rng: Random, but: str) -> str:
    """Another of these words, if the quiz has it."""
    return rng.choice([word for word in among if word != but and word in quiz.ids])
