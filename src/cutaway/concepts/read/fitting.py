"""The rows of a concept that a network can take: a few texts too long for it are left out and counted, and the rest is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cutaway.concepts.read.question import Passage, Question
from cutaway.concepts.read.tokens import tokens_of
from cutaway.concepts.splitting import MINIMUM
from cutaway.network import Network


def fitting(net: Network, asked: Question) -> Question:
    """The question without the rows whose texts the network cannot take; `left_out` says how many they are.

    Raises the error of the first of them where too few are left of any set in any split (the positives, the negatives, each
    control), TypeError if the network reads no text.
    """
    if not asked.passages or refusal(net, asked.passages) is None:  # mostly all fit: one pass, not one for each
        return asked
    refused = [refusal(net, [passage]) for passage in asked.passages]
    rows = [row for row, error in enumerate(refused) if error is None]
    kept = replace(
        asked,
        passages=tuple(asked.passages[row] for row in rows),
        sets=asked.sets[rows],
        splits=tuple(asked.splits[row] for row in rows),
        units=tuple(asked.units[row] for row in rows),
        left_out=len(asked.passages) - len(rows),
    )
    few = [
        (split, number)
        for split, least in MINIMUM.items()
        for number in range(len(asked.contrasts) + 1)
        if kept.count(split, number) < min(least, asked.count(split, number))
    ]
    if few:
        raise next(error for error in refused if error is not None)
    return kept


def refusal(net: Network, passages: Sequence[Passage]) -> ValueError | None:
    """Why the network cannot take these texts: one of them makes no token or too many, or its span meets none."""
    try:
        net.batch([max((list(one.ids) for one in tokens_of(net, passages)), key=len)])
    except ValueError as error:
        return error
    return None
