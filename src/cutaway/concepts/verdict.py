"""Which concepts are present in a network: READ of all of them, the causal match of those with decisions, one verdict each.

READ tells *topic only* from *absent* and no more; *present* takes reruns. Of several concepts both are corrected (Benjamini
and Hochberg 1995). Every negative says the smallest effect that could have been seen, and the classes that were searched.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from cutaway.concepts.asking import asked_of, matched_each, named_once
from cutaway.concepts.concept import NO_CONTROL, NO_DECISION, Concept
from cutaway.concepts.examples import examples
from cutaway.concepts.match import Match, Questions
from cutaway.concepts.match.judge import GONE, NEEDED
from cutaway.concepts.match.questions import ROLES
from cutaway.concepts.match.search import MOST
from cutaway.concepts.read import Read, fitting, question, read_all, reader
from cutaway.concepts.rules import near
from cutaway.decisions.estimate import benjamini_hochberg
from cutaway.network import Network, Site
from cutaway.runs.progress import Progress, silent
from cutaway.runs.table import Table

LEVEL = 0.05
Verdict = Literal["present", "topic only", "absent", "not testable"]
VERDICTS: tuple[Verdict, ...] = ("present", "topic only", "absent", "not testable")
UNCALIBRATED = "uncalibrated here"
RATES = Path(__file__).with_name("calibrated.json")
"""Error rates in words by kind of network (`kind_of`), as they were measured; a kind that is not in it is uncalibrated."""
NO_TASK = "no other task asked: not known to be spared"
NO_ROLE = "no pairs cross cue or answer: its role is not known"
SHOWN = (
    "concept",
    "verdict",
    "READ",
    "q READ",
    "need",
    "random",
    "enough",
    "deleted",
    "lost",
    "q",
    "seen from",
    "searched",
)


@dataclass(frozen=True)
class Matched:
    """One concept's verdict, why, and what it rests on.

    `caps` say what the verdict can at most be, or leaves open. `read` is the line of READ (`Read.row`, and `where` was
    searched; None: its texts do not fit this network), `contrasts` its AUROCs, `nulls` its outcomes under permuted labels;
    `match` is the causal match (None: no decisions), and `q` its p-value over the concepts of one call (None: nothing was
    named). `examples`: texts with strengths on tokens.
    """

    concept: str
    definition: str
    verdict: Verdict
    why: str
    caps: tuple[str, ...]
    read: Mapping[str, Any] | None = field(repr=False)
    contrasts: Table = field(repr=False)
    nulls: Mapping[str, tuple[float, ...]] = field(repr=False)
    match: Match | None = field(repr=False)
    q: float | None
    examples: Table = field(repr=False)

    @property
    def words(self) -> str:
        """The verdict with what caps it: "topic only (no control given)"."""
        lacks = [cap.rpartition("(")[2].removesuffix(")") for cap in self.caps]
        return f"{self.verdict} ({'; '.join(lacks)})" if lacks else self.verdict

    @property
    def seen(self) -> tuple[str, ...]:
        """Of what was not found: the smallest effect that could have been seen, and the classes searched."""
        said = [] if self.read is not None else ["READ could see nothing: these texts do not fit this network"]
        if self.read is not None and self.read["verdict"] == "absent":
            seen = f"a READ from {self.read['seen from']:.2f} on would have been seen in 4 of 5 cases"
            said.append(f"{'READ could see nothing' if self.read['blind'] else seen} ({self.read['where']})")
        if self.match is None or self.match.named is not None:
            return tuple(said)
        if self.match.smallest is not None:
            said.append(
                f"no part was searched; the target may be given in up to {self.match.smallest:.1%} of decisions"
            )
        elif self.match.searched:
            classes = " and ".join(self.match.classes)
            said.append(
                f"looked for: at most {MOST} {classes} without which {NEEDED:.0%} of the decisions flip and {GONE:.0%} go"
            )
        else:
            said.append("too little could be asked to see any effect of a part")
        return tuple(said)

    @property
    def searched(self) -> str:
        """How many candidates were compared, of READ and of the causal match."""
        readers = 0 if self.read is None else self.read["searched"]
        parts = f" + {self.match.searched} parts" if self.match is not None and self.match.searched else ""
        return f"{readers} readers{parts}"

    @property
    def q_read(self) -> float | None:
        """The q-value of READ; of a single concept its p-value."""
        return None if self.read is None else self.read["p"] if self.read["q"] is None else self.read["q"]

    def row(self) -> dict[str, Any]:
        """One line of a table."""
        named = None if self.match is None else self.match.named
        return {
            "concept": self.concept,
            "verdict": self.verdict,
            "READ": self.read and self.read["READ"],
            "q READ": self.q_read,
            "need": named and named.need.value,
            "random": named and (named.random.value if named.random.n else None),
            "enough": named and named.enough.value,
            "deleted": named and named.gone.value,
            "lost": named and named.spare and named.spare[0].value,
            "q": self.q,
            "seen from": self.read and self.read["seen from"],
            "searched": self.searched,
            "named": [] if named is None else list(named.parts),
            "caps": "; ".join(self.caps),
            "why": self.why,
            "could have seen": "; ".join(self.seen),
        }

    def __str__(self) -> str:
        return f"{self.concept}: {self.words}: {'; '.join([self.why, *self.seen])} (of {self.searched})"


@dataclass(frozen=True)
class Matches:
    """The verdicts of one network, in the order of the concepts: `matches["truth.cities"]`, `matches.table()`.

    `error_rate` is what was measured of such verdicts on networks of this kind, or "uncalibrated here". `seed` gives the
    same table again.
    """

    network: str
    matched: tuple[Matched, ...]
    error_rate: str
    seed: int

    def __getitem__(self, name: str) -> Matched:
        found = {one.concept: one for one in self.matched}
        if name not in found:
            raise KeyError(f"no concept {name!r} was matched; {near(name, found)}; these were: {', '.join(found)}")
        return found[name]

    def __iter__(self) -> Iterator[Matched]:
        return iter(self.matched)

    def __len__(self) -> int:
        return len(self.matched)

    @property
    def counts(self) -> dict[str, int]:
        """How often each verdict was given."""
        counted = Counter(one.verdict for one in self.matched)
        return {verdict: counted[verdict] for verdict in VERDICTS if counted[verdict]}

    def table(self) -> Table:
        """A line for each concept."""
        return Table.of(one.row() for one in self.matched)

    def __str__(self) -> str:
        """The verdicts, then every concept's reason."""
        said = ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
        head = f"{self.network}: {len(self)} concept{'s' * (len(self) != 1)}: {said}; error rates: {self.error_rate}"
        whole = self.table()
        shown = Table({name: whole[name] for name in SHOWN})
        return "\n".join([head, str(shown), *map(str, self.matched)])

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def match_all(
    net: Network,
    concepts: Iterable[Concept] | Mapping[str, Concept],
    *,
    permutations: int = 19,
    twins: int = 2,
    questions: Mapping[str, Questions] | None = None,
    kinds: Sequence[str] = ("heads", "neurons"),
    sites: Sequence[Site | str] | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Matches:
    """One verdict for each concept: present, topic only, absent or not testable.

    All are read (`read_all`: `permutations`, `twins`, `sites`). Those with decisions are matched causally too, with those
    of the others that the network answers right as tasks to be spared, or with the `questions` given by name; `kinds` of
    parts are searched.

    - present: a set of parts is needed, moves what it should, is sparing and minimal, with q ≤ 0.05 over the concepts
    - topic only: it can be read better than in a random twin or a bag of words; whether it is used is not shown
    - absent: its decisions would have shown it, or, without decisions, it cannot be read
    - not testable: everything else, with the reason

    Without a control (and without pairs that cross cue or answer) a concept is *topic only* at most. `folder` keeps readings
    and finished matches, so that a stopped call goes on; twice with one seed gives the same table.

    >>> match_all(cw.open("organism:code"), [library()["truth.cities"]])["truth.cities"].verdict
    'not testable'

    Raises ValueError for two concepts of one name, for questions about none of them, and what `read_all` raises.
    """
    chosen, given = named_once(concepts, questions), dict(questions or {})
    unread = {one.name: _refusal(net, one) for one in chosen}
    fit = [one for one in chosen if not unread[one.name]]
    with TemporaryDirectory(prefix="cutaway-match-") if folder is None else nullcontext(folder) as place:
        kept = Path(place) / "readings"
        one_reader = reader(net, kept, sites)
        reads, shown = {}, {}
        if fit or not chosen:  # which says that a concept is expected
            every = read_all(net, fit, permutations, kept, sites=sites, twins=twins, seed=seed, progress=progress)
            reads = {one.concept: one for one in every}
            shown = {
                one.name: examples(one_reader, fitting(net, question(one)), reads[one.name].candidate) for one in fit
            }
        asked = asked_of((net,), chosen, given)
        done = matched_each(one_reader, list(asked.values()), kinds, seed, Path(place) / "decisions", progress)
        found = dict(zip(asked, done))
    q = _corrected(found)
    matched = []
    for one in chosen:
        name = one.name
        read = reads.get(name, unread[name])
        matched.append(_verdict(one, read, found.get(name), q.get(name), asked.get(name), shown.get(name, Table({}))))
    return Matches(net.name, tuple(matched), error_rate(net), seed)


def kind_of(net: Network) -> str:
    """What kind of network this is, for error rates: its class and its size."""
    return f"{type(net.module).__name__} of {sum(weight.numel() for weight in net.module.parameters())} weights"


def error_rate(net: Network) -> str:
    """The error rates that were measured on networks of this kind, in words; else "uncalibrated here"."""
    known = json.loads(RATES.read_text(encoding="utf-8")) if RATES.is_file() else {}
    return known.get(kind_of(net), UNCALIBRATED)


def _refusal(net: Network, concept: Concept) -> str:
    """Why too few of a concept's texts can be given to this network; empty if enough can."""
    try:
        fitting(net, question(concept))
    except ValueError as error:
        return str(error)
    return ""


def _corrected(found: Mapping[str, Match]) -> dict[str, float]:
    """Benjamini-Hochberg over all that were matched; one of which nothing was named counts with p = 1, and has no q."""
    named = {name: one.named for name, one in found.items()}
    q = benjamini_hochberg([1.0 if one is None else one.p for one in named.values()])
    return {name: each for (name, one), each in zip(named.items(), q) if one is not None}


def _verdict(
    concept: Concept, read: Read | str, found: Match | None, q: float | None, asked: Questions | None, shown: Table
) -> Matched:
    """`read` is why the texts cannot be read, where they cannot."""
    named = None if found is None else found.named
    controlled = bool(concept.controls) or (named is not None and bool(named.roles))
    verdict, why = decided(read, found, q, controlled)
    caps = [] if controlled else [NO_CONTROL]
    caps += [NO_DECISION] if found is None else []
    if verdict == "present" and named is not None:
        caps += [NO_TASK] if named.spare is None else []
        caps += [] if len(named.roles) == len(ROLES) else [NO_ROLE]
    line, contrasts, nulls = None, Table({}), {}
    if isinstance(read, Read):
        differs = {control.name: control.factor for control in concept.controls}
        names = read.contrasts["contrast"]
        contrasts = read.contrasts.with_column("differs in", [differs.get(name, "") for name in names])
        line, nulls = {**read.row(), "error": read.error, "where": read.where, "blind": read.blind}, read.nulls
    return Matched(concept.name, concept.definition, verdict, why, tuple(caps), line, contrasts, nulls, found, q, shown)


def decided(read: Read | str, found: Match | None, q: float | None, controlled: bool) -> tuple[Verdict, str]:
    """The verdict and why, from READ (or why there is none), the causal match with its q-value, and whether anything tells
    look-alikes apart."""
    told = read if isinstance(read, str) else f"READ {read.read:+.2f}, {_chance(read)}"
    causal, reason = (None, "") if found is None else (found.verdict, found.why)
    if causal == "present" and q is not None and q > LEVEL:
        causal = "not testable"
        reason = f"a set was named, but over all concepts q is {q:.2g}: it flips no more than random sets do by chance"
    if causal == "present" and controlled:
        return "present", reason
    if causal == "present":
        return "topic only", f"{reason}, but with no control a look-alike would be too ({told})"
    if isinstance(read, Read) and read.verdict == "topic only":
        also = f"; of its use: {causal}, {reason}" if causal else ""
        return "topic only", f"read better than a random twin and a bag of words ({told}){also}"
    if causal is not None:
        return causal, reason
    if isinstance(read, str):
        return "not testable", f"its texts do not fit this network: {read}"
    if read.blind:
        return "not testable", f"{read.blind}: nothing is left that this network could add ({told})"
    return "absent", f"not read better than a random twin, a bag of words and chance ({told})"


def _chance(read: Read) -> str:
    left_out = f", {read.left_out} rows that do not fit left out" if read.left_out else ""
    return f"p {read.p:.2g}{left_out}" if read.q is None else f"q {read.q:.2g}{left_out}"
