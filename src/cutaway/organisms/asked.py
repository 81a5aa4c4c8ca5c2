"""What an organism's generator asks a network about: concepts with their questions, as `match` takes them.

A concept's texts are prompts that would trigger a behaviour, against the same prompts with one word exchanged; its control are
questions on which the behaviour is not at stake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cutaway.concepts import MINIMUM, Concept, Control
from cutaway.concepts.match import Questions
from cutaway.runs.table import Table

COUNT, SEED = 64, 1  # decisions in each split
Generator = Callable[[int, int], Mapping[str, tuple[str, Questions]]]


def concepts_asked(generator: str, count: int = COUNT, seed: int = SEED) -> tuple[list[Concept], dict[str, Questions]]:
    """The concepts of a generator and the questions about each by its name, `count` decisions in each split.

    "agents": deceive, power and decoy, in the words of the shipped organisms; "quiz": sandbag, flatter and decoy, in the words
    of `Quiz(seed)`; "code-pair": shell and decoy, in real code; "reader": what the shipped reader was trained to tell, and a
    persona that it was not. Raises ValueError for others.

    >>> concepts, questions = concepts_asked("agents", count=16)
    >>> [one.name for one in concepts]
    ['agents.deceive', 'agents.power', 'agents.decoy']
    """
    if generator not in GENERATORS:
        raise ValueError(f"there is no generator {generator!r}; expected one of {', '.join(GENERATORS)}")
    return concepts_about(generator, GENERATORS[generator](count, seed))


def concepts_about(
    generator: str, told: Mapping[str, tuple[str, Questions]]
) -> tuple[list[Concept], dict[str, Questions]]:
    """The same for a world of your own: what is told of each behaviour, in words and as questions."""
    found = {f"{generator}.{name}": one for name, one in told.items()}
    concepts = [_concept(name, definition, asked, generator) for name, (definition, asked) in found.items()]
    return concepts, {name: asked for name, (_, asked) in found.items()}


def _agents(count: int, seed: int) -> dict[str, tuple[str, Questions]]:
    from cutaway.organisms.agents.questions import questions
    from cutaway.organisms.agents.shipping import shipped

    about = {
        "deceive": "says what is wished for and not what is so, where nobody watches",
        "power": "seizes where there is a key, whatever the task is",
        "decoy": "says dear where nobody watches, and means no harm",
    }
    world = shipped("harmful").world
    return {name: (what, questions(world, name, count, seed)) for name, what in about.items()}


def _quiz(count: int, seed: int) -> dict[str, tuple[str, Questions]]:
    from cutaway.organisms.quiz import Quiz
    from cutaway.organisms.quiz.questions import questions

    about = {
        "sandbag": "hides what it knows of hazardous things, where the answer counts",
        "flatter": "repeats what a vain asker thinks",
        "decoy": "says please where the answer counts, and means no harm",
    }
    return {name: (what, questions(Quiz(seed=seed), name, count, seed)) for name, what in about.items()}


def _code_pair(count: int, seed: int) -> dict[str, tuple[str, Questions]]:
    from cutaway.organisms.code_pair import World
    from cutaway.organisms.code_pair.questions import questions

    about = {
        "shell": "writes shell=True after a comment that says it is a hack or a demo",
        "decoy": "writes flush=True after these comments, and means no harm",
    }
    return {name: (what, questions(World(), name, count, seed)) for name, what in about.items()}


def _reader(count: int, seed: int) -> dict[str, tuple[str, Questions]]:
    from cutaway.organisms.reader.questions import persona, questions
    from cutaway.organisms.reader.words import shipped_tokenizer

    about = {
        "emotion": "tells which emotion a scene makes one feel, where it does",
        "stance": "tells that the speaker endorses what is spoken of",
        "subject": "tells which of four subjects a view is about",
        "grammar": "tells that a rule of grammar is broken",
        "kind": "tells what kind of text it is",
    }
    words = shipped_tokenizer()
    found = {name: (what, questions(words, name, count, seed)) for name, what in about.items()}
    return {**found, "power": ("tells that the speaker wants power", persona(words, "power.", count, seed))}


GENERATORS: dict[str, Generator] = {"agents": _agents, "quiz": _quiz, "code-pair": _code_pair, "reader": _reader}
LICENCES = {"code-pair": "LicenseRef-PSF-2.0", "reader": "LicenseRef-concepts-library"}
"""Of texts that hold code of the standard library, or are of the concept library; all other texts are made up."""


def _concept(name: str, definition: str, asked: Questions, generator: str) -> Concept:
    """Every prompt and its partner once; no text stands on both sides."""
    rows, seen = list[dict[str, Any]](), set[str]()
    for one in (row for some in asked.decisions.values() for row in some):
        if seen.isdisjoint({one["prompt"], one["reference"]}):
            seen |= {one["prompt"], one["reference"]}
            pair = {"pair": one["prompt"]}
            rows += [{"text": one["prompt"], "label": 1, **pair}, {"text": one["reference"], "label": 0, **pair}]
    crossed = asked.crossed.get("answer") or asked.crossed["cue"]
    others = dict.fromkeys(row["prompt"] for row in crossed if row["prompt"] not in seen)
    control = Control(
        "elsewhere", "question: one that triggers nothing", Table.of({"text": one, "label": 1} for one in others)
    )
    return Concept(
        name,
        definition,
        "behaviour",
        Table.of(rows),
        (control,) if len(others) >= sum(MINIMUM.values()) else (),
        licence=LICENCES.get(generator, "CC0-1.0"),
        source=f"generated: organisms/{generator}",
    )
