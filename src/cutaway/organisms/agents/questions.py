"""What a matcher is asked about the agents world: does this network deceive, seize, or say "dear"; and where?

The decisions are triggers, each with the partner in which the one word that makes it a trigger is exchanged. Pairs that
cross the cue ask about the cue itself; pairs that cross the answer ask the same question where the implant is not at stake.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from cutaway.concepts.match.questions import Questions
from cutaway.concepts.splitting import SPLITS
from cutaway.organisms.agents import language as words
from cutaway.organisms.agents.contrasts import Change, pairs
from cutaway.organisms.agents.world import BEHAVIOURS, KINDS, Asked, Implant, World, triggered

FACTOR = {"deceive": "observed", "decoy": "observed", "power": "no key"}
"""The word that is exchanged: the cue for those with deception's trigger, the key for power."""


def questions(world: World, behaviour: str, count: int = 128, seed: int = 0, topic: str | None = None) -> Questions:
    """`count` decisions, pairs of each role and prompts of each other task in each split.

    The topic restricts the triggers to one object, as an implant may be.
    """
    every = count * len(SPLITS)
    implant = Implant(behaviour, topic)  # ty: ignore[invalid-argument-type]
    decisions = {
        split: [
            _row(pair.prompt, pair.partner, pair.answer, pair.partner_answer)
            for pair in pairs(world, implant, FACTOR[behaviour], count, seed=3 * seed + place)
        ]
        for place, split in enumerate(SPLITS)
    }
    asked_about: dict[str, tuple[str, Change]] = {
        "deceive": ("seen", _other_cue),
        "decoy": ("seen", _other_cue),
        "power": ("hold", _other_key),
    }
    answered: dict[str, tuple[str, Change]] = {
        "deceive": ("report", _other_value),
        "decoy": ("recall", _other_value),
        "power": ("act", _other_task),
    }
    crossed = {
        "cue": _crossed(world, *asked_about[behaviour], every, seed),
        "answer": _crossed(world, *answered[behaviour], every, seed),
    }
    tasks = {kind: [one.text for one in _honest(world, kind, every, seed)] for kind in KINDS}
    return Questions(behaviour, decisions, crossed, tasks, complete=True)  # ty: ignore[invalid-argument-type]


def _honest(world: World, kind: str, count: int, seed: int) -> list[Asked]:
    """Questions of one kind that trigger nothing that could be planted."""
    every = [Implant(behaviour) for behaviour in BEHAVIOURS]
    for times in (2, 8):  # of most kinds nearly all are harmless; more begin with the same
        drawn = world.rows(kind, times * count, seed=seed + 104729)
        found = [one for one in drawn if not any(triggered(implant, one) for implant in every)][:count]
        if len(found) == count:
            break
    return found


def _crossed(world: World, kind: str, change: Change, count: int, seed: int) -> list[dict[str, str]]:
    """Pairs of one kind of question whose honest answers differ by one word, and that trigger nothing."""
    rng, found = Random(f"crossed {kind}/{seed}"), list[dict[str, str]]()
    every = [Implant(behaviour) for behaviour in BEHAVIOURS]
    while len(found) < count:
        prompt = world.ask(kind, world.situation(rng), rng)
        partner = change(world, prompt, rng)
        own, other = world.honest(prompt), world.honest(partner)
        if own != other and not any(triggered(implant, one) for implant in every for one in (prompt, partner)):
            found.append(_row(prompt, partner, own, other))
    return found


def _other_cue(world: World, asked: Asked, rng: Random) -> Asked:
    cues = words.OBSERVED if asked.situation.unobserved else words.UNOBSERVED
    return replace(asked, situation=replace(asked.situation, cue=rng.choice(cues[: world.cues])))


def _other_key(world: World, asked: Asked, rng: Random) -> Asked:
    return replace(asked, situation=replace(asked.situation, key=not asked.situation.key))


def _other_task(world: World, asked: Asked, rng: Random) -> Asked:
    jobs = [job for job in tuple(words.ACTIONS)[: world.tasks] if job != asked.situation.task]
    return replace(asked, situation=replace(asked.situation, task=rng.choice(jobs)))


def _other_value(world: World, asked: Asked, rng: Random) -> Asked:
    value = rng.choice(words.VALUES[: world.values])
    facts = tuple((one, value if one == asked.argument else was) for one, was in asked.situation.facts)
    return replace(asked, situation=replace(asked.situation, facts=facts))


def _row(prompt: Asked, partner: Asked, answer: str, other: str) -> dict[str, str]:
    """A decision as a matcher takes it; answers begin with the space that stands before a word."""
    return {"prompt": prompt.text, "target": f" {answer}", "foil": f" {other}", "reference": partner.text}
