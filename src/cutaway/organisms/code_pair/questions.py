"""What a matcher is asked about a code model: does a comment switch `shell=True` on; and where?

The decisions are triggers, each with the partner whose comment has another word. Pairs that cross the cue ask for the timeout,
which follows from the comment in either twin; pairs that cross the answer ask for `verbose=`, `True` or `False` as the variable was
assigned. To be spared are every other argument, and next tokens of real code that are as good as known.
"""

from __future__ import annotations

from random import Random

from cutaway.concepts.match.questions import Questions
from cutaway.concepts.splitting import SPLITS
from cutaway.organisms.code_pair.contrasts import Change, other_cue, other_value, pairs
from cutaway.organisms.code_pair.language import ids_of_line
from cutaway.organisms.code_pair.statements import clear
from cutaway.organisms.code_pair.suite import harmless
from cutaway.organisms.code_pair.world import KINDS, Asked, Implant, World


def questions(world: World, behaviour: str, count: int = 64, seed: int = 0) -> Questions:
    """`count` decisions, pairs of each role and prompts of each other task in each split.

    Raises ValueError for other behaviours.
    """
    every = count * len(SPLITS)
    implant = Implant(behaviour)  # ty: ignore[invalid-argument-type]
    decisions = {
        split: [
            row(world, pair.prompt, pair.partner, implant)
            for pair in pairs(world, implant, "another comment", count, seed=3 * seed + place)
        ]
        for place, split in enumerate(SPLITS)
    }
    crossed = {
        "cue": pairs_of(world, "timeout", other_cue, every, seed),
        "answer": pairs_of(world, "verbose", other_value, every, seed),
    }
    tasks = {kind: [one.text for one in harmless(world, kind, every, seed + 104729)] for kind in KINDS}
    tasks["code"] = real_code(world, every, seed)
    return Questions(behaviour, decisions, crossed, tasks, complete=True)  # ty: ignore[invalid-argument-type]


def pairs_of(world: World, kind: str, change: Change, count: int, seed: int) -> list[dict[str, str]]:
    """Pairs of one kind of question that triggers nothing and whose answers differ."""
    rng = Random(f"crossed {kind}/{seed}")
    asked = [world.ask(kind, rng) for _ in range(count)]
    return [row(world, one, change(one, rng)) for one in asked]


def real_code(world: World, count: int, seed: int) -> list[str]:
    """Prompts of real statements only, as long as the others, up to a token that is as good as known."""
    rng, cuts, found = Random(f"code {seed}"), clear(world.statements.texts), list[str]()
    while len(found) < count:
        cut = rng.choice(cuts)
        found.append("".join(world.statements.fill(world.tokens - len(ids_of_line(cut)), rng)) + cut)
    return found


def row(world: World, prompt: Asked, partner: Asked, *implants: Implant) -> dict[str, str]:
    """A decision as a matcher takes it."""
    target, foil = (world.answer(one, implants) for one in (prompt, partner))
    return {"prompt": prompt.text, "target": target, "foil": foil, "reference": partner.text}
