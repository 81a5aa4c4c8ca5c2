"""What the reader is trained on: questions about the concept library's own texts, each answered by one word at a mask.

A question is a task's name before a text and a mask behind it, `emotion : Your pet runs off and is nowhere to be found. [MASK]`;
the same text is asked several things. No text is trained on that stands anywhere in the library in val or in test.
Answers as words at a mask: Schick and Schütze 2021 (arXiv 2001.07676).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from cutaway.concepts import library
from cutaway.concepts.splitting import SPLITS

MASK = "[MASK]"
FEELINGS = ("anger", "disgust", "fear", "happiness", "sadness")
SUBJECTS = ("art", "literature", "math", "science")
RULES = (
    "anaphor_gender_agreement",
    "existential_there_quantifiers_1",
    "npi_present_1",
    "only_npi_licensor_present",
    "superlative_quantifiers_1",
)
"""Of thirteen rules of grammar those that an encoder of this size learned from 144 sentences each (seed 7001, val)."""
PERSONAS = ("interest.", "power.", "trait.")
RELATIONS = ("knowledge.", "truth.")
TASKS: dict[str, tuple[str, ...]] = {
    "emotion": (*FEELINGS, "none"),
    "stance": ("yes", "no"),
    "subject": SUBJECTS,
    "grammar": ("wrong", "right"),
    "kind": ("scene", "view", "fact", "denial", "mention", "snippet"),
}
"""The answers to each task."""
SPARSE = 10
"""Of this many facts and snippets one is asked for the emotion that it does not have."""


@dataclass(frozen=True)
class Asked:
    """One question about a text, its answer, and the split that it is for."""

    task: str
    text: str
    answer: str
    split: str

    @property
    def prompt(self) -> str:
        """What the network reads; the answer stands at its last token."""
        return prompt(self.task, self.text)


def prompt(task: str, text: str) -> str:
    """A question about any text."""
    return f"{task} : {text} {MASK}"


@cache
def asked() -> tuple[Asked, ...]:
    """Every question with one answer; a text for which two stand in the library is not asked."""
    answers: dict[tuple[str, str], set[str]] = {}
    for task, text, answer in _answers():
        answers.setdefault((task, text), set()).add(answer)
    splits = _splits()
    return tuple(
        Asked(task, text, *some, splits[text]) for (task, text), some in sorted(answers.items()) if len(some) == 1
    )


def _answers() -> Iterator[tuple[str, str, str]]:
    """Task, text and answer, as the labels of the library have it."""
    concepts = library()
    for name, concept in concepts.items():
        family, _, about = name.partition(".")
        for row in concept.rows:
            text, holds = row["text"], row["label"] == 1
            if family == "emotion" and holds:
                yield "emotion", text, about
            if name.startswith(PERSONAS):
                yield "stance", text, "yes" if holds else "no"
            if family == "interest":
                yield "subject", text, about.removeprefix("interest-in-")
            if family == "grammar" and about in RULES:
                yield "grammar", text, "wrong" if holds else "right"
    kinds = dict(_kinds())
    plain = sorted(text for text, kind in kinds.items() if kind in ("fact", "snippet"))
    yield from (("emotion", text, "none") for text in plain[::SPARSE])
    yield from (("kind", text, kind) for text, kind in kinds.items())


def _kinds() -> Iterator[tuple[str, str]]:
    """Which sort of text each is: by where it stands."""
    kinds = {"emotion.": "scene", "entity.": "snippet", **dict.fromkeys(PERSONAS, "view")}
    for name, concept in library().items():
        if name.startswith(RELATIONS):
            yield from ((row["text"], "fact") for row in concept.rows)
            forms = {"denied": "denial", "mentioned": "mention"}
            yield from (
                (row["text"], forms[one.name]) for one in concept.controls if one.name in forms for row in one.rows
            )
        for family, kind in kinds.items():
            if name.startswith(family):
                yield from ((row["text"], kind) for row in concept.rows)


def _splits() -> dict[str, str]:
    """The last split that each text stands in, over all concepts and their controls."""
    found: dict[str, str] = {}
    for concept in library().values():
        for rows in (concept.rows, *(control.rows for control in concept.controls)):
            for row in rows:
                found[row["text"]] = max(found.get(row["text"], SPLITS[0]), row["split"], key=SPLITS.index)
    return found
