"""READ of a concept: how much better a network is read for it than no network would be. It tells topic from absent, no more.

READ is the lowest AUROC over the concept's contrasts (its negatives and every control), less the best of a random-weight
twin, a bag of words and chance. A network that reads a concept need not use it: the word *present* is never said here.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch import Tensor

from cutaway.concepts.concept import Concept
from cutaway.concepts.read.error import p_better, smallest_seen, standard_error
from cutaway.concepts.read.fitting import fitting
from cutaway.concepts.read.harvest import Readings, reader
from cutaway.concepts.read.nulls import labellings, p_value, pooled
from cutaway.concepts.read.plan import planned
from cutaway.concepts.read.question import Question, question
from cutaway.concepts.read.search import Candidate, Outcome, by_contrast, search, search_at_random
from cutaway.concepts.read.twin import bag_of_words, random_twin
from cutaway.decisions.estimate import benjamini_hochberg
from cutaway.network import Network, Site
from cutaway.runs.progress import Progress, silent
from cutaway.runs.table import Table

LEVEL = 0.05
FEWEST = 19  # permutations below which no p-value reaches the level
Verdict = Literal["topic only", "absent"]


@dataclass(frozen=True)
class Read:
    """What a network is read for, of one concept.

    `read`: the lowest AUROC of `candidate` over the contrasts, on test, less the best of `twin`, `words` (the same of the
    random twins and of TF-IDF) and 0.5. `contrasts`: each with its rows and AUROCs. `p_labels`: the search against its
    reruns under permuted labels, `p_better`: READ against its error over test rows and twins, `p`: the larger of the two;
    `p_random`: the search against searches among random directions of the site's covariance (told, not part of the verdict:
    a concept that most of the variance carries is found by those too);
    `q`: Benjamini-Hochberg over the concepts of one call, None for a single one. `searched`: candidates compared.
    `smallest`: the READ that would have been found in 80 % of cases. `cap`: the most that may be said of the concept at all.
    `nulls`: by contrast, the outcomes under permuted labels. `left_out`: rows whose texts the network cannot take. `seed` gives
    the same figures again.
    """

    concept: str
    verdict: Verdict
    read: float
    lowest: float
    twin: float | None
    words: float
    candidate: Candidate = field(repr=False)
    contrasts: Table = field(repr=False)
    p_labels: float
    p_better: float
    p_random: float
    q: float | None
    error: float
    smallest: float
    searched: int
    where: str
    cap: str
    nulls: Mapping[str, tuple[float, ...]] = field(repr=False)
    left_out: int
    seed: int

    @property
    def p(self) -> float:
        """The larger of the two: both chance and the baselines must be beaten."""
        return max(self.p_labels, self.p_better)

    @property
    def site(self) -> str:
        """Where the candidate reads."""
        return self.candidate.site

    @property
    def blind(self) -> str:
        """Why no READ that could be seen is left above what needs no network; empty if there is one."""
        best = max(self.words, self.twin or 0.0, 0.5)
        what = "a bag of words" if self.words >= (self.twin or 0.0) else "a random twin"
        return f"{what} reads it at {best:.2f} already" if self.smallest > 1 - best else ""

    def row(self) -> dict[str, Any]:
        """One line of a table."""
        return {
            "concept": self.concept,
            "verdict": self.verdict,
            "READ": self.read,
            "AUROC": self.lowest,
            "twin": self.twin,
            "TF-IDF": self.words,
            "p": self.p,
            "q": self.q,
            "p random": self.p_random,
            "site": self.site,
            "candidate": self.candidate.how,
            "searched": self.searched,
            "seen from": self.smallest,
            "left out": self.left_out,
            "cap": self.cap,
        }

    def __str__(self) -> str:
        """The verdict with its figures; a negative with the smallest READ that it could have seen, and where it looked."""
        twin = "" if self.twin is None else f", random twin {self.twin:.2f}"
        q = "" if self.q is None else f", q {self.q:.2g}"
        said = (
            f"{self.concept}: {self.verdict}; READ {self.read:+.2f} (lowest AUROC {self.lowest:.2f}{twin}, "
            f"TF-IDF {self.words:.2f}; p {self.p:.2g}{q}); {self.candidate}; best of {self.searched} candidates"
        )
        said += f"; {self.left_out} rows left out, which the network cannot take" if self.left_out else ""
        if self.verdict == "absent":
            said += f" ({self.where}); {self.blind}, so no READ could have been seen" if self.blind else ""
        if self.verdict == "absent" and not self.blind:
            said += f" ({self.where}); a READ from {self.smallest:.2f} on would have been seen in 4 of 5 cases"
        return f"{said}; {self.cap}" if self.cap else said

    def _repr_html_(self) -> str:
        return self.contrasts._repr_html_()


@dataclass(frozen=True)
class Reads:
    """READ of several concepts, in the order given: `reads["emotion.anger"]`, `reads.table()`."""

    reads: tuple[Read, ...]

    def __getitem__(self, name: str) -> Read:
        found = {one.concept: one for one in self.reads}
        if name not in found:
            raise KeyError(f"no concept {name!r} was read; these were: {', '.join(found)}")
        return found[name]

    def __iter__(self) -> Iterator[Read]:
        return iter(self.reads)

    def __len__(self) -> int:
        return len(self.reads)

    def table(self) -> Table:
        """A line for each concept."""
        return Table.of(one.row() for one in self.reads)

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


@dataclass(frozen=True)
class _Found:
    """One concept's searches: the network's with its nulls, the twins', and the bag of words."""

    concept: Concept
    asked: Question
    ours: Outcome
    twins: tuple[Outcome, ...]
    words: Tensor
    at_random: Tensor

    @property
    def null(self) -> Tensor:
        """The outcomes under permuted labels [contrasts, permutations]."""
        return self.ours.test[1:].reshape(len(self.asked.contrasts), -1)


def read(net: Network, concept: Concept, **options: Any) -> Read:
    """READ of one concept; `options` are those of `read_all`."""
    return read_all(net, [concept], **options).reads[0]


def read_all(
    net: Network,
    concepts: Iterable[Concept] | Mapping[str, Concept],
    permutations: int = 20,
    keep: str | os.PathLike[str] | None = None,
    *,
    sites: Sequence[Site | str] | None = None,
    atoms: Sequence[str] = (),
    pool: str = "mean",
    twins: int = 2,
    seed: int = 0,
    progress: Progress = silent,
) -> Reads:
    """READ of every concept: candidates fitted on train, chosen on val, measured on test once.

    `keep` is a folder for readings, shared by all concepts and later calls, so a killed call goes on where it was; None
    keeps nothing. `sites=None` is the residual stream; `atoms` adds "heads" and "neurons". `twins` random twins are read;
    with two or more, the spread between them is part of READ's error. Twice with one seed gives the same table.

    With several concepts `p_labels` stands against the pooled nulls (see `nulls.pooled`), and the verdict rests on q.

    Raises ValueError for fewer than 19 permutations, no concept, or two of one name; what `reader` and `tokens_of` raise.
    """
    chosen = list(concepts.values() if isinstance(concepts, Mapping) else concepts)
    _check(chosen, permutations, twins)
    with _folder(keep) as folder:
        asked = [fitting(net, question(concept)) for concept in chosen]

        def kept(one: Network, plan: bool = False) -> list[Readings]:
            its, passages = reader(one, folder, sites, atoms, pool, progress), [each.passages for each in asked]
            if plan and any(key not in its.shards for some in passages for key in its.keys(some)):
                progress.note(f"plan: {planned(net, asked, twins)}")
            return [its.kept(keys) for keys in its.fill(passages, progress)]

        ours = kept(net, plan=True)
        of_twins = [kept(random_twin(net, seed + number)) for number in range(twins)]  # one at a time in memory
        progress.start(len(chosen), "searching for concepts")
        try:
            found = []
            for concept, each, *readings in zip(chosen, asked, ours, *of_twins):
                found.append(_search(concept, each, readings, permutations, seed))
                progress.advance(1)
        finally:
            progress.finish()
    return Reads(tuple(_judged(found, _where(ours[0].sites), seed)))


def _search(concept: Concept, asked: Question, kept: Sequence[Readings], permutations: int, seed: int) -> _Found:
    drawn = labellings(asked, permutations, seed)
    ours, *twins = kept
    return _Found(
        concept,
        asked,
        search(ours, asked, drawn),
        tuple(search(twin, asked, drawn[:1]) for twin in twins),
        bag_of_words(asked),
        search_at_random(ours, asked, permutations, seed),
    )


def _judged(found: Sequence[_Found], where: str, seed: int) -> list[Read]:
    """Every concept's figures, then the verdict over all of them."""
    if len(found) == 1:
        p_labels = [p_value(float(one.ours.test[0]), one.null) for one in found]
    else:
        p_labels = pooled([float(one.ours.test[0]) for one in found], [one.null for one in found])
    # What another draw of the twin's weights changes; of one concept's two or three twins alone it would be a guess.
    tests = [torch.stack([twin.test[0] for twin in one.twins]) for one in found if len(one.twins) > 1]
    between = float(torch.stack([test.var() for test in tests]).mean()) if tests else 0.0
    reads = [_figures(one, p, between, where, len(found), seed) for one, p in zip(found, p_labels)]
    if len(reads) == 1:
        return [replace(one, verdict="topic only" if one.p <= LEVEL else "absent") for one in reads]
    q = benjamini_hochberg([one.p for one in reads])
    return [replace(one, q=each, verdict="topic only" if each <= LEVEL else "absent") for one, each in zip(reads, q)]


def _figures(one: _Found, p_labels: float, between: float, where: str, tests: int, seed: int) -> Read:
    """READ with its error; the verdict is set later."""
    ours = by_contrast(one.ours.scores, one.asked)
    words = by_contrast(one.words, one.asked)
    twins = [by_contrast(twin.scores, one.asked) for twin in one.twins]
    best = max(range(len(twins)), key=lambda number: min(twins[number].values()), default=None)
    twin = None if best is None else twins[best]
    bases: list[tuple[float, Tensor | None]] = [(min(words.values()), one.words), (0.5, None)]
    if best is not None and twin is not None:
        bases.append((min(twin.values()), one.twins[best].scores))
    base, scores = max(bases, key=lambda each: each[0])
    difference = min(ours.values()) - base
    error = (standard_error(one.ours.scores, scores, one.asked, seed) ** 2 + between) ** 0.5
    return Read(
        one.concept.name,
        "absent",
        difference,
        min(ours.values()),
        None if twin is None else min(twin.values()),
        min(words.values()),
        one.ours.best,
        _contrasts(one.asked, ours, twin, words),
        p_labels,
        p_better(difference, error),
        p_value(float(one.ours.test[0]), one.at_random[None]),
        None,
        error,
        smallest_seen(error, LEVEL, tests),
        one.ours.searched,
        where,
        one.concept.cap,
        {name: tuple(row.tolist()) for name, row in zip(one.asked.contrasts, one.null)},
        one.asked.left_out,
        seed,
    )


def _contrasts(
    asked: Question, ours: Mapping[str, float], twin: Mapping[str, float] | None, words: Mapping[str, float]
) -> Table:
    """A line for each contrast: its test rows, and the AUROC of the network, its twin and TF-IDF."""
    return Table.of(
        {
            "contrast": name,
            "positives": asked.count("test", 0),
            "others": asked.count("test", number),
            "AUROC": ours[name],
            "twin": None if twin is None else twin[name],
            "TF-IDF": words[name],
        }
        for number, name in enumerate(asked.contrasts, start=1)
    )


def _where(sites: Sequence[Site]) -> str:
    """The classes of candidates that were searched, in words."""
    points = dict.fromkeys(site.point if site.path is None else str(site) for site in sites)
    names = {"z": "single heads", "mlp_act": "single neurons"}
    places = [point for point in points if point not in names]
    said = [f"directions at {', '.join(places)}"] if places else []
    return "; ".join([*said, *(name for point, name in names.items() if point in points)])


@contextmanager
def _folder(keep: str | os.PathLike[str] | None) -> Generator[Path]:
    if keep is not None:
        yield Path(keep)
        return
    with TemporaryDirectory(prefix="cutaway-read-") as folder:
        yield Path(folder)


def _check(concepts: Sequence[Concept], permutations: int, twins: int) -> None:
    if permutations < FEWEST:
        raise ValueError(
            f"given {permutations} permutations; expected at least {FEWEST}, or no p-value reaches {LEVEL}; give 20 or more"
        )
    if twins < 0:
        raise ValueError(f"given {twins} twins; expected 0 or more; give 2")
    names = [concept.name for concept in concepts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or twice:
        what = f"two concepts called {twice[0]!r}" if twice else "no concept"
        raise ValueError(f"given {what}; expected at least one, each of its own name; take one out, or name another")
