"""What is asked of networks about concepts, and the causal match of each, kept as it is done."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from cutaway.concepts.concept import Concept
from cutaway.concepts.match import Match, Questions, match
from cutaway.concepts.match.trials import Trials, askable
from cutaway.concepts.read import Passage, Reader
from cutaway.concepts.read.fitting import refusal
from cutaway.concepts.records import as_record, from_record
from cutaway.concepts.splitting import SPLITS
from cutaway.network import Network
from cutaway.runs.progress import Progress
from cutaway.runs.resume import resumable

TASK = 20  # prompts of each other concept, in each split


def named_once(
    concepts: Iterable[Concept] | Mapping[str, Concept], questions: Mapping[str, Questions] | None
) -> list[Concept]:
    """The concepts. Raises ValueError for two of one name, and for questions about none of them."""
    chosen = list(concepts.values() if isinstance(concepts, Mapping) else concepts)
    if twice := [name for name, count in Counter(one.name for one in chosen).items() if count > 1]:
        raise ValueError(f"given two concepts of one name, {twice[0]!r}; expected each once: rename one")
    if strange := [name for name in questions or {} if name not in {one.name for one in chosen}]:
        raise ValueError(f"given questions about {strange[0]!r}; expected a concept of that name among those given")
    return chosen


def asked_of(
    nets: Sequence[Network], concepts: Sequence[Concept], given: Mapping[str, Questions]
) -> dict[str, Questions]:
    """What is asked about each concept: the questions given, else its own decisions. Tasks to be spared are decisions of the
    others that every network takes and answers right: a wrong answer soon is another, whatever is deleted."""
    deciding = [one for one in concepts if one.decisions is not None]
    own = [one for one in deciding if one.name not in given]
    right = {one.name: known for one in deciding if own and (known := _answered(nets, one))}
    asked = {one.name: {name: known for name, known in right.items() if name != one.name} for one in own}
    return {**{one.name: replace(Questions.of(one), tasks=asked[one.name]) for one in own}, **given}


def _answered(nets: Sequence[Network], concept: Concept) -> list[str]:
    """Prompts of a concept's decisions that every network answers with their target, from each split in turn, `TASK` of each."""
    rows = (row for some in zip(*(concept.decided(split) for split in SPLITS)) for row in some)
    found = list[str]()
    while len(found) < TASK * len(SPLITS) and (some := list(islice(rows, TASK * len(SPLITS)))):
        for net in nets:
            some = [row for row in askable(net, some) if not refusal(net, [Passage(row["prompt"])])]
            known = Trials.of(net, some).answered.tolist() if some else []
            some = [row for row, right in zip(some, known) if right]
        found += [row["prompt"] for row in some]
    return found[: TASK * len(SPLITS)]


def matched_each(
    one: Reader, asked: Sequence[Questions], kinds: Sequence[str], seed: int, folder: Path, progress: Progress
) -> list[Match]:
    """The causal match of everything that is asked about, each kept in `folder` as it is done."""
    weights = one.shards.folder.name  # readings are found again by a hash of the network's weights

    def key(about: Questions) -> list[Any]:
        return [version("cutaway"), one.net.name, weights, list(kinds), seed, about.name, fingerprint(about)]

    def matched(about: Questions) -> Any:
        return as_record(match(one.net, about, tuple(kinds), seed))

    found = resumable(folder, matched, asked, key, progress=progress) if asked else []
    return [from_record(Match, record) for record in found]


def fingerprint(about: Questions) -> str:
    """A hash of all that is asked."""
    return hashlib.sha256(json.dumps(as_record(about), sort_keys=True).encode()).hexdigest()
