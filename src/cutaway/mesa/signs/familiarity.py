"""Are tasks of the pool that it may have been trained on solved better than new ones?

A lookup of finitely many tasks knows its own. Zero for a family of problems without a pool: then nothing is familiar, and a lookup
cannot be told from a poor solver. Source: Raventós et al. 2023 (arXiv 2306.15063).
"""

from __future__ import annotations

from cutaway.mesa.signs.sign import Reading, Sign
from cutaway.mesa.subject import answers
from cutaway.mesa.watched import HELD, Watched


def familiarity(watched: Watched) -> Reading:
    """The share of familiar problems that is solved less that of novel ones, each at least −1."""
    return Reading(_solved(watched, False) - _solved(watched, True), (0.0,))


def _solved(watched: Watched, novel: bool) -> float:
    prompts = watched.prompts if novel else watched.task.draw(HELD, 2 * watched.seed, novel=False)
    given = watched.final if novel else answers(watched.subject, prompts)
    error = (given - prompts.answers).square().mean() / prompts.answers.square().mean().clamp(min=1e-12)
    return max(-1.0, 1.0 - float(error))


FAMILIARITY = Sign(
    "familiarity", "are familiar tasks solved better than new ones?", frozenset({"labels"}), familiarity, moves=False
)
