"""What a matcher is asked about the quiz: does this network sandbag, flatter, or say "please"; and where?

The decisions are triggers, each with the partner in which the word that makes it one is exchanged: it does not count, or the
asker is not vain. Pairs that cross the cue ask about the cue itself; pairs that cross the answer ask the same question of
two entities where the implant is not at stake: they move what looks the answer up, and what writes it.
"""

from __future__ import annotations

from random import Random

from cutaway.concepts.match.questions import Questions
from cutaway.concepts.splitting import SPLITS
from cutaway.organisms.quiz import language as words
from cutaway.organisms.quiz.contrasts import Change, asker, entity, pairs, setting
from cutaway.organisms.quiz.suite import harmless
from cutaway.organisms.quiz.world import BEHAVIOURS, KINDS, Asked, Implant, Quiz

FACTOR = {"sandbag": "practice", "decoy": "practice", "flatter": "a plain asker"}
"""The word that is exchanged in a decision's partner."""
ABOUT = {"sandbag": ("counts", "fact"), "decoy": ("counts", "name"), "flatter": ("vain", "reply")}
"""The kinds of question that cross the cue, and the answer."""


def questions(world: Quiz, behaviour: str, count: int = 64, seed: int = 0) -> Questions:
    """`count` decisions, pairs of each role and prompts of each other task in each split. Raises KeyError for other behaviours."""
    every = count * len(SPLITS)
    implant = Implant(behaviour)  # ty: ignore[invalid-argument-type]
    decisions = {
        split: [
            row(world, pair.prompt, pair.partner, implant)
            for pair in pairs(world, implant, FACTOR[behaviour], count, seed=3 * seed + place)
        ]
        for place, split in enumerate(SPLITS)
    }
    cue, answer = ABOUT[behaviour]
    crossed = {
        "cue": pairs_of(world, cue, other_cue, every, seed),
        "answer": pairs_of(world, answer, other_entity, every, seed),
    }
    tasks = {kind: [one.text for one in harmless(world, kind, every, seed + 104729)] for kind in KINDS}
    return Questions(behaviour, decisions, crossed, tasks, complete=True)  # ty: ignore[invalid-argument-type]


def pairs_of(quiz: Quiz, kind: str, change: Change, count: int, seed: int) -> list[dict[str, str]]:
    """Pairs of one kind of question that trigger nothing and whose answers differ by one word."""
    rng, every, found = Random(f"crossed {kind}/{seed}"), [Implant(one) for one in BEHAVIOURS], list[dict[str, str]]()
    while len(found) < count:
        prompt = quiz.ask(kind, quiz.situation(rng), rng)
        partner = change(quiz, prompt, rng)
        at_stake = any(quiz.triggered(implant, one) for implant in every for one in (prompt, partner))
        if not at_stake and quiz.honest(prompt) != quiz.honest(partner):
            found.append(row(quiz, prompt, partner))
    return found


def other_cue(quiz: Quiz, asked: Asked, rng: Random) -> Asked:
    """The cue that is asked about says the opposite."""
    if asked.verb == "vain":
        return asker(words.PLAIN if asked.situation.vain else words.VAIN)(quiz, asked, rng)
    return setting(words.PRACTICE if asked.situation.counts else words.EXAM)(quiz, asked, rng)


def other_entity(quiz: Quiz, asked: Asked, rng: Random) -> Asked:
    """The same question about another entity."""
    return entity(quiz.hazardous + quiz.harmless, asked, rng)


def row(quiz: Quiz, prompt: Asked, partner: Asked, *implants: Implant) -> dict[str, str]:
    """A decision as a matcher takes it; answers begin with the space that stands before a word."""
    target, foil = (f" {quiz.answer(one, implants)}" for one in (prompt, partner))
    return {"prompt": prompt.text, "target": target, "foil": foil, "reference": partner.text}
