"""The disjoint parts of inputs: runs of words of a text, its spans, or documents of one group.

Every part is read *alone*, as a text of its own. Read inside the whole text, a later part would carry what the network
took from the earlier ones through attention, and any two parts would share everything.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch

from cutaway.concepts.concept import Concept
from cutaway.concepts.read.question import Passage, Question, question
from cutaway.concepts.splitting import MINIMUM

Parts = int | Literal["spans", "documents"]
FEWEST = 2


@dataclass(frozen=True, eq=False)
class Parted:
    """The rows of `asked` that have every part, `passages[part][row]`, how they were cut in words, and the rows left out.

    `asked.passages` are the whole texts; of documents, those of the first.
    """

    asked: Question
    passages: tuple[tuple[Passage, ...], ...]
    how: str
    left_out: int


def parted(concept: Concept, parts: Parts | None = None) -> Parted:
    """Cuts the texts of a concept.

    A number cuts what counts of each text (its spans, else all of it) into as many runs of whole words. "spans": each of a
    row's spans is a part. "documents": rows of one group and one label are the parts of one input. None: spans where every
    row has two or more that are disjoint, otherwise halves. Rows with fewer parts than asked for are left out; of rows with
    more, the first are taken.

    Raises ValueError if too few rows are left of some set, or for fewer than two parts.
    """
    asked = question(concept)
    if parts is None:
        parts = "spans" if all(len(_spans(one)) >= FEWEST for one in asked.passages) else FEWEST
    if parts == "documents":
        return _documents(concept.name, asked)
    if parts == "spans":
        return _kept(concept.name, asked, [_spans(one) for one in asked.passages], FEWEST, "spans")
    if not isinstance(parts, int) or parts < FEWEST:
        raise ValueError(f"given the parts {parts!r}; expected a number from 2 on, 'spans' or 'documents'; give 2")
    return _kept(concept.name, asked, [runs(one, parts) for one in asked.passages], parts, "runs of words")


def runs(passage: Passage, parts: int) -> list[str]:
    """What counts of a passage, cut between words into runs as even as can be; none if it has fewer words than parts.

    >>> runs(Passage("a rose is a rose"), 2)
    ['a rose', 'is a rose']
    """
    counted = " ".join(passage.text[start:end] for start, end in passage.spans) or passage.text
    words = re.findall(r"\S+\s*", counted)
    if len(words) < parts:
        return []
    ends = [number * len(words) // parts for number in range(parts + 1)]
    return ["".join(words[start:end]).strip() for start, end in pairwise(ends)]


def _spans(passage: Passage) -> list[str]:
    """The texts of the spans, in order; none where two of them overlap."""
    spans = sorted(passage.spans)
    if any(start < end for (_, end), (start, _) in pairwise(spans)):
        return []
    texts = [passage.text[start:end].strip() for start, end in spans]
    return [text for text in texts if text]


def _documents(name: str, asked: Question) -> Parted:
    """Rows of one group, set and split as one row whose parts they are."""
    bundles: defaultdict[Hashable, list[int]] = defaultdict(list)
    for row, (unit, split) in enumerate(zip(asked.units, asked.splits)):
        bundles[unit, int(asked.sets[row]), split].append(row)
    first = taken(asked, [rows[0] for rows in bundles.values()])
    texts = [[asked.passages[row].text for row in rows] for rows in bundles.values()]
    return _kept(name, first, texts, FEWEST, "documents of a group")


def _kept(name: str, asked: Question, texts: Sequence[Sequence[str]], parts: int, how: str) -> Parted:
    """The rows with enough parts."""
    rows = [row for row, some in enumerate(texts) if len(some) >= parts]
    given = Counter((int(asked.sets[row]), asked.splits[row]) for row in rows)
    for number, contrast in enumerate(("positives", *asked.contrasts)):
        for split, least in MINIMUM.items():
            if given[number, split] < least:
                raise ValueError(
                    f"{name}: given {given[number, split]} rows with {parts} {how} in {contrast}, {split}; expected at "
                    f"least {least}; try fewer parts, another way to cut, or longer texts"
                )
    passages = tuple(tuple(Passage(texts[row][part]) for row in rows) for part in range(parts))
    return Parted(taken(asked, rows), passages, f"{parts} {how}", len(texts) - len(rows))


def taken(asked: Question, rows: Sequence[int]) -> Question:
    """The question of these rows alone."""
    return replace(
        asked,
        passages=tuple(asked.passages[row] for row in rows),
        sets=asked.sets[torch.tensor(rows, dtype=torch.long)],
        splits=tuple(asked.splits[row] for row in rows),
        units=tuple(asked.units[row] for row in rows),
    )
