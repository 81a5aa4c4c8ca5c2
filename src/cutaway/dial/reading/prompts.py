"""Sets of prompts: put together, without those seen before, and with some tokens replaced, as edits of a prompt are.

A token is replaced at the same place in both prompts of a pair, and past the first line, which says their split; the last token
stays. What the true program then gives no answer for, or neither of the two, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import torch

from cutaway.dial.tasks import Examples, Pair, Task
from cutaway.dial.tasks.task import padded

STRANGE = (LookupError, StopIteration, ValueError)
"""What a true program raises for a prompt that is no question of its task."""


def replaced(
    task: Task, examples: Examples, changes: int, seed: int, decoys: bool = False
) -> tuple[Examples, Examples]:
    """Pairs before and after so many of their tokens were replaced by others of these prompts; the answers are those after.

    As `decoys` come only the tokens by which the two prompts of a pair differ, of which one decides.
    """
    rng, rows, found = Random(f"{changes} {decoys} {seed}"), examples.rows(), []
    every = sorted({token for row in rows for token in row[1:]})
    for at in range(0, len(rows), 2):
        one, other = (list(row) for row in rows[at : at + 2])
        same = shared(one, other)
        places = [place for place in same[:-1] if not task.newline.isdisjoint(one[: place[0]])]
        tokens = deciding(one, other, same) if decoys else every
        for here, there in rng.sample(places, min(changes, len(places))):
            one[here] = other[there] = rng.choice(tokens)
        asked = {int(examples.answer[at]), int(examples.other[at])}
        answers = [answer_of(task, row) for row in (one, other)]
        if places and asked.issuperset(answers):
            found.append((at // 2, Pair((tuple(one), tuple(other)), (min(asked), max(asked))), answers))
    before = examples.take(torch.tensor([at for at, _, _ in found], dtype=torch.long))
    if not found:
        return before, before
    after = padded([pair for _, pair, _ in found], task.pad)
    answer = torch.tensor([answer for _, _, answers in found for answer in answers])
    return before, replace(after, answer=answer, other=after.answer + after.other - answer)


def deciding(one: Sequence[int], other: Sequence[int], same: Sequence[tuple[int, int]]) -> list[int]:
    """The tokens of two prompts that stand where they differ."""
    heres, theres = ({place[side] for place in same} for side in (0, 1))
    apart = [token for at, token in enumerate(one) if at not in heres]
    return sorted({*apart, *(token for at, token in enumerate(other) if at not in theres)})


def shared(one: Sequence[int], other: Sequence[int]) -> list[tuple[int, int]]:
    """Where two prompts have the same tokens, from their beginnings and from their ends."""
    short = min(len(one), len(other))
    start = next((at for at in range(short) if one[at] != other[at]), short)
    end = next((at for at in range(short - start) if one[-1 - at] != other[-1 - at]), short - start)
    return [(at, at) for at in range(start)] + [(len(one) - at, len(other) - at) for at in range(end, 0, -1)]


def answer_of(task: Task, row: Sequence[int]) -> int | None:
    """The true program's answer; None for what is no question of the task."""
    try:
        return task.rule(row)
    except STRANGE:
        return None


def unseen(examples: Examples, seen: set[tuple[int, ...]]) -> Examples:
    """The pairs neither of whose prompts is among those seen, to which they are then added."""
    rows = [tuple(row) for row in examples.rows()]
    fresh = [at for at in range(len(rows) // 2) if seen.isdisjoint(rows[2 * at : 2 * at + 2])]
    seen.update(rows)
    return examples.take(torch.tensor(fresh, dtype=torch.long))


def joined(parts: list[Examples], pad: int) -> Examples:
    """Examples one after the other, padded to one length."""
    longest = max(part.prompts.shape[1] for part in parts)
    prompts = [torch.nn.functional.pad(part.prompts, (0, longest - part.prompts.shape[1]), value=pad) for part in parts]
    last, answer, other = (torch.cat([getattr(part, name) for part in parts]) for name in ("last", "answer", "other"))
    return Examples(torch.cat(prompts), last, answer, other)
