"""`diff`: what differs between two networks, by behaviour on concepts; which parts carry it; what each network alone has.

A difference is first of all one of behaviour: decisions that are answered otherwise, beyond chance over all concepts and by
as much as counts. Only then is it looked for, by transplanting; where nothing differs in behaviour no part is named,
whatever the weights do.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cutaway.concepts.asking import asked_of, fingerprint, named_once
from cutaway.concepts.concept import Concept
from cutaway.concepts.diff.behaviour import otherwise
from cutaway.concepts.diff.compared import LEAST, Compared, differs
from cutaway.concepts.diff.difference import VERDICTS, Difference, Differences
from cutaway.concepts.diff.locating import Located, Locator
from cutaway.concepts.diff.pair import Pair, checksum
from cutaway.concepts.diff.weights import of_matrices
from cutaway.concepts.match import Questions
from cutaway.concepts.records import as_record, from_record
from cutaway.decisions.estimate import benjamini_hochberg
from cutaway.network import Network
from cutaway.runs.progress import Progress, silent
from cutaway.runs.resume import resumable
from cutaway.runs.table import Table

PROBED = 64  # prompts on which parts are paired and compared
TASKS = ("task", "prompts", "otherwise", "low", "high")
Sides = Mapping[str, float]  # q-values by side


def diff(
    a: Network,
    b: Network,
    concepts: Iterable[Concept] | Mapping[str, Concept],
    *,
    questions: Mapping[str, Questions] | None = None,
    kinds: Sequence[str] = ("heads", "neurons"),
    catalogue: bool = True,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Differences:
    """What differs between two networks: a line for each concept, what differs first.

    All decisions are asked of both, prompts and partners. Where they are answered otherwise (q ≤ 0.05 over concepts and
    sides, and in `LEAST` of them at least), and the networks are of one shape and read the same tokens, parts of these
    `kinds` are transplanted from the one with the behaviour to the other, and back: the fewest that carry it and spare the
    rest are named. `match` says of each network alone what it has of such a concept, unless `catalogue` is off, which takes
    less time. Tasks and `questions` are as in `match`. `folder` keeps what is done, so that a stopped call
    goes on; twice with one seed gives the same.

    >>> concepts, asked = concepts_asked("agents")  # doctest: +SKIP
    >>> cw.diff(harmful, harmless, concepts, questions=asked).named[0].concept  # doctest: +SKIP
    'agents.deceive'

    Raises ValueError for a network that reads no text or whose adapter is not merged, no concept, two concepts of one name,
    questions about none of them.
    """
    if not (chosen := named_once(concepts, questions)):
        raise ValueError("given no concepts; expected one or more with decisions or questions; try concepts=library()")
    pair = Pair(a, b)
    compared = {name: Compared(pair, about) for name, about in asked_of((a, b), chosen, questions or {}).items()}
    every = [(name, one) for name, each in compared.items() for one in each.seen]
    q = dict[str, dict[str, float]]()
    for (name, one), value in zip(every, benjamini_hochberg([one.p for _, one in every])):
        q.setdefault(name, {})[one.side] = value
    probes = list(dict.fromkeys(row["prompt"] for one in compared.values() if one.seen for row in one.rows["train"]))[
        :PROBED
    ]
    locator = Locator(pair, *pair.told(probes, kinds), tuple(kinds), catalogue, probes, seed)
    apart = {name: one for name, one in compared.items() if one.said and differs(one.said, q[name][one.said.side])}
    with TemporaryDirectory(prefix="cutaway-diff-") if folder is None else nullcontext(folder) as place:
        located = _located(locator, apart, Path(place) / "diff", progress)
    found = [_difference(one, compared.get(one.name), q.get(one.name, {}), located.get(one.name)) for one in chosen]
    found.sort(key=lambda one: (VERDICTS.index(one.verdict), -abs(one.behaviour.difference) if one.behaviour else 0.0))
    same = pair.one_shape and not pair.identical
    return Differences(
        a.name,
        b.name,
        locator.compared,
        tuple(found),
        _tasks(pair, compared.values()),
        of_matrices(a, b) if same else Table({}),
        locator.parts_from_a if locator.graftable and probes else Table({}),
        seed,
    )


def _located(locator: Locator, apart: Mapping[str, Compared], folder: Path, progress: Progress) -> dict[str, Located]:
    """What carries each difference, each kept as it is done."""
    if not apart:
        return {}
    pair = locator.pair
    weights = [checksum(pair.a), checksum(pair.b)]

    def key(one: Compared) -> list[Any]:
        names = [pair.a.name, pair.b.name]
        how = [list(locator.kinds), locator.catalogue, locator.seed, list(locator.probes)]
        return [version("cutaway"), names, weights, *how, fingerprint(one.about)]

    def located(one: Compared) -> Any:
        return as_record(locator.located(one))

    records = resumable(folder, located, apart.values(), key, progress=progress)
    return {name: from_record(Located, record) for name, record in zip(apart, records)}


def _difference(concept: Concept, one: Compared | None, q: Sides, located: Located | None) -> Difference:
    """One line, from what was seen and found."""
    none = Difference(concept.name, concept.definition, "not testable", concept.cap, *[None] * 7)
    if one is None:
        return none
    said = one.said
    if said is None:
        every = sum(map(len, one.about.decisions.values()))
        return replace(none, why=f"only {one.count} of {every} decisions can be asked of both networks")
    prompts, partners = one.seen
    seen = replace(none, prompts=prompts, partners=partners, side=said.side, q=q[said.side])
    told = f"{said.side}: {said.a} in A, {said.b} in B"
    if located is None:
        small = "" if said.low <= 0 <= said.high else f"; a difference below {LEAST:.0%} does not count"
        return replace(seen, verdict="same", why=told + small)
    return replace(
        seen,
        verdict="located" if located.carried is not None and not located.carried.refused else "differs",
        why=f"{told}; {located.why}",
        carried=located.carried,
        in_a=located.in_a,
        in_b=located.in_b,
    )


def _tasks(pair: Pair, compared: Iterable[Compared]) -> Table:
    """How many prompts of each other task are answered otherwise, of those tasks that both networks can read."""
    prompts = dict[str, dict[str, None]]()
    for one in compared:
        for task, some in one.about.tasks.items():
            prompts.setdefault(task, {}).update(dict.fromkeys(some))
    rows = []
    for task, some in prompts.items():
        if (share := otherwise(pair.a, pair.b, list(some))).n:
            rows.append(
                {"task": task, "prompts": share.n, "otherwise": share.value, "low": share.low, "high": share.high}
            )
    return Table.of(rows, columns=TASKS)
