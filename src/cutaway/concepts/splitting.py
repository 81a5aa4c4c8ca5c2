"""Train, val and test for rows that have no split yet: what belongs together stays together, and every label gets enough.

Rows of one group, one minimal pair or one text (case and punctuation aside) are dealt as one, in the order of a hash, to
the split that is emptiest: 60/20/20 of each label, and never fewer than 4 of val and test where that can be.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

SPLITS = ("train", "val", "test")
# 4 against 4 is the least at which a perfect ranking is rarer than 5 % by chance: 1 of C(8, 4) = 70; 3 against 3: 1 of 20.
MINIMUM = {"train": 8, "val": 4, "test": 4}
_PROSE = 0.8
_SHARE = 5  # val and test get one row in five each


@dataclass(frozen=True)
class Placed:
    """One thing to place: what it counts as, what ties it to others, and its split if it has one."""

    side: Hashable
    ties: tuple[Hashable, ...]
    split: str | None = None


def deal(items: Sequence[Placed]) -> list[str]:
    """The split of each item: its own, or that of an item tied to it, or the one that is emptiest of its side.

    Does not depend on the order of the items. Ties may force an uneven deal: one group holding everything has one split.

    >>> rows = [Placed(i % 2, (f"text {i}",)) for i in range(40)]
    >>> sorted(Counter(deal(rows)).items())
    [('test', 8), ('train', 24), ('val', 8)]
    """
    bundles = _bundles(items)
    have: defaultdict[str, Counter[Hashable]] = defaultdict(Counter)
    total = Counter(item.side for item in items)
    given: dict[int, str] = {}
    for number, members in enumerate(bundles):
        fixed = sorted({split for index in members if (split := items[index].split) is not None})
        if fixed:
            given[number] = fixed[0]
            have[fixed[0]].update(items[index].side for index in members)
    order = sorted(set(range(len(bundles))) - given.keys(), key=lambda number: _rank(items, bundles[number]))
    for number in order:
        sides = Counter(items[index].side for index in bundles[number])
        given[number] = max(SPLITS, key=lambda split: _lack(sides, have[split], total, split))
        have[given[number]].update(sides)
    where = {index: given[number] for number, members in enumerate(bundles) for index in members}
    return [items[index].split or where[index] for index in range(len(items))]


def plain_text(text: str) -> str:
    """A text without what makes no difference: case, punctuation, spacing, ways of writing one character.

    In code punctuation does make a difference: a text of which more than a fifth is punctuation is kept as it is.

    >>> plain_text("The  Salmon is a fish!") == plain_text("the salmon is a fish.")
    True
    >>> plain_text("x = 'abc") == plain_text('x = "abc')
    False
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    inked = len(folded) - sum(map(str.isspace, folded))
    if sum(map(str.isalnum, folded)) < _PROSE * inked:
        return text.strip()
    return re.sub(r"[\W_]+", " ", folded).strip() or text.strip()


def _lack(sides: Counter[Hashable], have: Counter[Hashable], total: Counter[Hashable], split: str) -> float:
    """The unfilled share of what a split should have of these sides: all splits fill up at one pace, and end exact."""
    quota = {side: _quota(total[side], split) for side in sides}
    return sum(count * (quota[side] - have[side]) / max(quota[side], 1) for side, count in sides.items())


def _quota(total: int, split: str) -> int:
    held = max(MINIMUM["test"], total // _SHARE)
    return max(total - 2 * held, 0) if split == "train" else held


def _rank(items: Sequence[Placed], members: Sequence[int]) -> tuple[int, str]:
    """Large bundles first, since they fit least; then by hash, so that the order of a file decides nothing."""
    ties = sorted({repr(tie) for index in members for tie in items[index].ties})
    return -len(members), hashlib.sha256("\n".join(ties).encode("utf-8", "surrogatepass")).hexdigest()


def _bundles(items: Sequence[Placed]) -> list[list[int]]:
    """The items joined by ties, directly or through others."""
    parent = list(range(len(items)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[Hashable, int] = {}
    for index, item in enumerate(items):
        for tie in item.ties:
            parent[root(index)] = root(first.setdefault(tie, index))
    found = defaultdict(list)
    for index in range(len(items)):
        found[root(index)].append(index)
    return list(found.values())
