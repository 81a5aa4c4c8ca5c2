"""Over how many layers are labels read? A sign that failed: random networks read them longest, some optimizers only once.

After layer l the points' rows are exchanged for those of the same problem with every label negated; how far the answer follows says
how much was still to be read.
"""

from __future__ import annotations

from itertools import pairwise

import torch

from cutaway.mesa.participation import participation
from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.subject import states
from cutaway.mesa.watched import Watched


def splice(watched: Watched) -> Reading:
    """How many layers share in the reading; the course: the way gone towards the answer to the other labels, by layer."""
    others = states(watched.subject, watched.prompts.relabelled(-watched.prompts.ys))
    way = watched.subject.answer(others[-1]) - watched.final
    course = []
    for layer in range(watched.depth + 1):
        own, other = watched.states[layer], others[layer]
        told = own.tokens.points
        rows = torch.cat([other.stream[:, :told], own.stream[:, told:]], 1)
        moved = watched.subject.finish(own.having(rows), layer) - watched.final
        course.append(float((moved * way).sum() / way.square().sum().clamp(min=1e-12)))
    course = [max(-2.0, min(2.0, share)) for share in course]
    return Reading(participation([before - after for before, after in pairwise(course)]), (), tuple(course))


SPLICE = Sign(
    "label splice", "over how many layers are labels read?", frozenset({"write", "labels"}), splice, verdict=False
)
