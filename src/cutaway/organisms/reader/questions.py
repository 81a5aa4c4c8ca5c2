"""What a matcher is asked about the reader: by which parts does it tell an emotion, a stance, a broken rule, …; and where?

A decision's partner is another text of as many tokens, of which something else is so. Pairs that cross the cue are the same two
texts asked another question; of a persona, pairs that cross the answer are stances on something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from cutaway.concepts import library
from cutaway.concepts.match.questions import Questions
from cutaway.concepts.splitting import SPLITS
from cutaway.organisms.reader.tasks import TASKS, Asked, asked, prompt
from cutaway.organisms.reader.training import LONGEST, questions_in

SHOWS = {"emotion": TASKS["emotion"][:-1], "stance": ("yes",), "grammar": ("wrong",)}
"""The answers with which a task's concept holds; of the others each answer is one."""
ELSEWHERE = "interest."
"""A stance that is none on power."""


def questions(tokenizer: Any, task: str, count: int = 64, seed: int = 0) -> Questions:
    """Up to `count` decisions about one task in each split, and as many prompts of each other task.

    The tokenizer says which texts are as long. Raises KeyError for a task that there is not.
    """
    shows, rng = SHOWS.get(task, TASKS[task]), Random(f"reader {task}/{seed}")
    foils = [answer for answer in TASKS[task] if answer not in shows] or TASKS[task]
    decisions = {split: paired(tokenizer, questions_in(task, split), shows, foils, count, rng) for split in SPLITS}
    tasks = {
        other: dealt([questions_in(other, split) for split in SPLITS], count, rng) for other in TASKS if other != task
    }
    return Questions(task, decisions, {"cue": other_question(task, decisions)}, tasks)


def persona(tokenizer: Any, family: str = "power.", count: int = 64, seed: int = 0) -> Questions:
    """Whether a family of personas is a concept of the reader's: stances on them, against stances on something else.

    >>> persona(tokenizer, "power.", 8).decisions["test"][0]["target"]
    ' yes'
    """
    rng, concepts = Random(f"reader {family}/{seed}"), library()
    about, other = (
        {text for name, one in concepts.items() if name.startswith(some) for text in one.rows["text"]}
        for some in (family, ELSEWHERE)
    )
    stances = {split: questions_in("stance", split) for split in SPLITS}
    here, elsewhere = (
        {split: [one for one in some if one.text in texts] for split, some in stances.items()}
        for texts in (about, other)
    )
    decisions, crossed = (
        {split: paired(tokenizer, every, ("yes",), ("no",), count, rng) for split, every in some.items()}
        for some in (here, elsewhere)
    )
    tasks = {task: [questions_in(task, split) for split in SPLITS] for task in TASKS if task != "stance"}
    tasks["stance elsewhere"] = list(elsewhere.values())
    return Questions(
        family.removesuffix("."),
        decisions,
        {"answer": alternating(list(crossed.values()))},
        {task: dealt(some, count, rng) for task, some in tasks.items()},
    )


def unheard(tokenizer: Any, name: str, count: int = 64, seed: int = 0) -> Questions:
    """A concept that is no task, asked in the words of one: is a rule broken, does the speaker say yes to what is so?

    >>> unheard(tokenizer, "truth.cities", 8).decisions["test"][0]["foil"]
    ' no'
    """
    task, rng = "grammar" if name.startswith("grammar.") else "stance", Random(f"reader {name}/{seed}")
    holds, fails = TASKS[task]
    some = [Asked(task, row["text"], holds if row["label"] else fails, row["split"]) for row in library()[name].rows]
    decisions = {
        split: paired(tokenizer, [one for one in some if one.split == split], (holds,), (fails,), count, rng)
        for split in SPLITS
    }
    tasks = {other: dealt([questions_in(other, split) for split in SPLITS], count, rng) for other in TASKS}
    return Questions(name, decisions, tasks=tasks)


def paired(
    tokenizer: Any, some: Sequence[Asked], shows: Sequence[str], foils: Sequence[str], count: int, rng: Random
) -> list[dict[str, str]]:
    """Decisions whose partners have as many tokens and another answer; no text stands in two."""
    lengths = {one.text: len(tokenizer.encode(one.prompt)) for one in some}
    left = [one for one in rng.sample(list(some), len(some)) if lengths[one.text] <= LONGEST]
    used, found = set[str](), list[dict[str, str]]()
    for one in left:
        if one.answer not in shows or one.text in used or len(found) == count:
            continue
        others = (
            other
            for other in left
            if other.answer in foils
            and other.answer != one.answer
            and other.text not in used
            and lengths[other.text] == lengths[one.text]
        )
        if (partner := next(others, None)) is not None:
            used |= {one.text, partner.text}
            found.append(row(one.prompt, one.answer, partner.prompt, partner.answer))
    return found


def row(one: str, answer: str, partner: str, other: str) -> dict[str, str]:
    """A decision as a matcher takes it; answers begin with the space that stands before a word."""
    return {"prompt": one, "target": f" {answer}", "foil": f" {other}", "reference": partner}


def other_question(task: str, decisions: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    """The same two texts asked something else, of which two other things are so."""
    answers = {one.prompt: one.answer for one in asked()}

    def again(one: dict[str, str]) -> list[dict[str, str]]:
        texts = [one[side].partition(" : ")[2].rpartition(" ")[0] for side in ("prompt", "reference")]
        both = [[prompt(other, text) for text in texts] for other in TASKS if other != task]
        told = [(pair, [answers.get(each) for each in pair]) for pair in both]
        return [row(a, x, b, y) for (a, b), (x, y) in told if x is not None and y is not None and x != y]

    return alternating([[pair for one in decisions[split] for pair in again(one)] for split in SPLITS])


def dealt(splits: Sequence[Sequence[Asked]], count: int, rng: Random) -> list[str]:
    """Up to `count` prompts of each split, in turn, as `Questions.part` takes them."""
    short = [[one.prompt for one in some if len(one.text.split()) < LONGEST // 2] for some in splits]
    return alternating([rng.sample(some, min(count, len(some))) for some in short])


def alternating(splits: Sequence[Sequence[Any]]) -> list[Any]:
    """One of each split in turn, as long as all have some."""
    return [one for three in zip(*splits) for one in three]
