"""Is a concept a natural latent of the inputs, by what a network reads of their parts? REDUNDANT and MEDIATES, side by side.

A latent is natural if it mediates between the parts of the input and each part tells it: then any two such latents are
functions of each other, up to the errors (Wentworth and Lorell 2025, arXiv 2509.03780), which is why other minds may have it
too. Both are claims about what is *read* of inputs; that the network uses it is for `match` to say.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import Any

from jaxtyping import Int
from torch import Tensor

from cutaway.concepts.concept import Concept
from cutaway.concepts.natural.across import Code, Found, Within, found, shuffles
from cutaway.concepts.natural.mediates import Mediates, Unseen, mediates
from cutaway.concepts.natural.parts import Parted, Parts, parted
from cutaway.concepts.natural.redundant import Redundant, redundant
from cutaway.concepts.read.harvest import reader
from cutaway.concepts.read.nulls import labellings
from cutaway.concepts.read.question import Question
from cutaway.concepts.read.score import FEWEST, LEVEL
from cutaway.concepts.read.search import Readable
from cutaway.concepts.read.twin import random_twin
from cutaway.decisions.estimate import benjamini_hochberg
from cutaway.network import Network, Site
from cutaway.runs.progress import Progress, silent


@dataclass(frozen=True)
class Natural:
    """Both scores of one concept in one network, of `rows` texts cut as `how` says; `left_out` had too few parts.

    `p` is the larger of both claims' (every part tells it; more than chance passes through it), 1 where MEDIATES is not
    testable; `q` Benjamini-Hochberg over the concepts of one call, None for a single one.
    """

    concept: str
    redundant: Redundant
    mediates: Mediates
    how: str
    rows: int
    left_out: int
    q: float | None
    seed: int

    @property
    def n(self) -> int:
        """How many parts an input has."""
        return len(self.redundant.parts)

    @property
    def p(self) -> float:
        """Of the claim that the concept is natural: both must hold."""
        return max(self.redundant.p_all, 1.0 if self.mediates.p is None else self.mediates.p)

    @property
    def natural(self) -> bool:
        """Whether it is redundant in every part and mediates between them; of several concepts also by its q-value."""
        if self.q is not None and self.q > LEVEL:
            return False
        return self.redundant.verdict == "redundant" and self.mediates.verdict == "mediates"

    def row(self) -> dict[str, Any]:
        """One line of a table."""
        return {
            "concept": self.concept,
            "REDUNDANT": self.redundant.value,
            "p redundant": self.redundant.p,
            "MEDIATES": self.mediates.value,
            "error": self.mediates.error,
            "p mediates": self.mediates.p,
            "mediates": self.mediates.verdict,
            "R² between parts": self.mediates.dependence,
            "q": self.q,
            "parts": self.how,
            "rows": self.rows,
            "site": str(self.mediates.code.site),
        }

    def __str__(self) -> str:
        left = f", {self.left_out} left out" if self.left_out else ""
        q = "" if self.q is None else f"; q {self.q:.2g}"
        head = f"{self.concept}, {self.how} of {self.rows} texts{left}: {'' if self.natural else 'not '}shown to be natural{q}"
        return f"{head}\n  REDUNDANT {self.redundant}\n  MEDIATES {self.mediates}"

    def _repr_html_(self) -> str:
        return self.redundant.parts._repr_html_()


def natural(net: Network, concept: Concept, parts: Parts | None = None, **options: Any) -> Natural:
    """Both scores of one concept; `options` are those of `natural_all`."""
    return natural_all(net, [concept], parts, **options)[0]


def natural_all(
    net: Network,
    concepts: Iterable[Concept] | Mapping[str, Concept],
    parts: Parts | None = None,
    permutations: int = 20,
    keep: str | os.PathLike[str] | None = None,
    *,
    code: Code | None = None,
    sites: Sequence[Site | str] | None = None,
    pool: str = "mean",
    twins: int = 2,
    seed: int = 0,
    progress: Progress = silent,
) -> tuple[Natural, ...]:
    """Both scores of every concept, in the order given; the parts' readings are kept and shared as those of `read_all` are.

    `parts`: see `parted`. `code`: a direction or subspace that the claims are about, instead of what a search finds at `sites`
    (None: the residual stream). `keep` is a folder for readings; `twins` random twins are read. Every concept's code is also
    tried on the parts of every other. p-values end at 1 / (1 + permutations): give 20 to one concept, hundreds to many.

    Raises ValueError for fewer than 19 permutations, no concept or two of one name; what `parted`, `reader` and `tokens_of`
    raise.
    """
    chosen = list(concepts.values() if isinstance(concepts, Mapping) else concepts)
    _check([one.name for one in chosen], permutations, twins)
    cut = [parted(one, parts) for one in chosen]
    with TemporaryDirectory(prefix="cutaway-natural-") if keep is None else nullcontext(keep) as folder:
        nets = [net, *(random_twin(net, seed + number) for number in range(twins))]
        readers = [reader(one, folder, sites if code is None else [code.site], (), pool, progress) for one in nets]
        keys = [iter(one.fill([some for each in cut for some in each.passages], progress)) for one in readers]
        progress.start(2 * len(cut), "asking whether concepts are natural")
        try:
            cases = []
            for one in cut:
                ours, *theirs = [[r.kept(next(k)) for _ in one.passages] for r, k in zip(readers, keys)]
                cases.append(_Case.of(one, ours, theirs, permutations, code, seed))
                progress.advance(1)
            found = []
            for one in cases:
                found.append(one.judged({case.name: case.code for case in cases if case is not one and code is None}))
                progress.advance(1)
        finally:
            progress.finish()
    if len(found) == 1:
        return tuple(found)
    q = benjamini_hochberg([one.p for one in found])
    return tuple(replace(one, q=each) for one, each in zip(found, q))


def natural_between(
    parts: Sequence[Readable],
    asked: Question,
    twins: Sequence[Sequence[Readable]] = (),
    permutations: int = 20,
    *,
    code: Code | None = None,
    seed: int = 0,
) -> Natural:
    """Both scores from readings that are there: of each part, row for row those of `asked`; `twins` the same of other networks.

    Without twins, REDUNDANT is against chance alone. Raises ValueError for fewer than two parts or 19 permutations.
    """
    if len(parts) < 2:
        raise ValueError(f"given the readings of {len(parts)} part; expected two or more; cut the inputs")
    _check([asked.name], permutations, len(twins))
    return _Case.of(Parted(asked, (), f"{len(parts)} parts", 0), parts, twins, permutations, code, seed).judged({})


@dataclass(frozen=True, eq=False)
class _Case:
    """One concept with the readings of its parts, the labellings, and the search of all parts together for its code."""

    cut: Parted
    parts: Sequence[Readable]
    twins: Sequence[Sequence[Readable]]
    drawn: Int[Tensor, "labellings rows"]
    searched: Found | None
    code: Code
    seed: int

    @staticmethod
    def of(
        cut: Parted,
        parts: Sequence[Readable],
        twins: Sequence[Sequence[Readable]],
        permutations: int,
        code: Code | None,
        seed: int,
    ) -> _Case:
        """With the code that is given, or searched for."""
        drawn = labellings(cut.asked, permutations, seed)
        if code is not None:
            return _Case(cut, parts, twins, drawn, None, code, seed)
        shuffled = shuffles(cut.asked, permutations, seed)
        searched = found(parts, cut.asked, shuffled, range(len(parts)), crossed=True)
        return _Case(cut, parts, twins, drawn, searched, searched.code, seed)

    @property
    def name(self) -> str:
        return self.cut.asked.name

    def judged(self, others: Mapping[str, Code]) -> Natural:
        """Both scores; with a given code, REDUNDANT is about what is read through it."""
        asked, parts, twins = self.cut.asked, self.parts, self.twins
        if self.searched is None:
            parts, *twins = [[Within(one, self.code) for one in some] for some in (parts, *twins)]
        return Natural(
            self.name,
            redundant(parts, twins, asked, self.drawn, self.seed),
            mediates(Unseen(self.parts, asked, self.searched, self.code, self.seed), others),
            self.cut.how,
            len(asked.sets),
            self.cut.left_out,
            None,
            self.seed,
        )


def _check(names: Sequence[str], permutations: int, twins: int) -> None:
    if permutations < FEWEST or twins < 0:
        raise ValueError(
            f"given {permutations} permutations and {twins} twins; expected at least {FEWEST}, or no p-value reaches "
            f"{LEVEL}, and 0 twins or more; give 20 and 2"
        )
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"given the concepts {list(names)}; expected at least one, each of its own name; rename or drop one"
        )
