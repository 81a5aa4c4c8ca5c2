"""Code concepts from any Python corpus: what `tokenize` and `ast` say of its tokens, as labelled prompts with controls.

Cut from files in turn, so that no file gives the tone, and grouped by file, so that none lies in two splits. What makes them
worth asking about: a label is exact, and a look-alike of every structure stands in the same corpus.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from cutaway.concepts.code.candidates import Candidate, Couple, Offer, Roles, offer, shape
from cutaway.concepts.code.corpus import Sources, sources_of
from cutaway.concepts.code.parsing import parse
from cutaway.concepts.code.structure import Structure
from cutaway.concepts.code.structures import STRUCTURES
from cutaway.concepts.concept import Concept, Control
from cutaway.concepts.rules import ConceptError, needed
from cutaway.concepts.splitting import MINIMUM, plain_text
from cutaway.runs.table import Table

PER = 100  # rows of a label, and of a control; couples of decisions half as many
LEAST = sum(MINIMUM.values())


@dataclass(frozen=True)
class CodeConcepts(Mapping[str, Concept]):
    """Code concepts by name, in the order of the table; what a corpus is too small for is in `left_out`, with the reason.

    `left_out` also names the controls and decisions that a concept had to go without, as `code.NAME, control X`. `unparsed`
    are the files that Python cannot parse, with its reason; `parsed` counts the others.
    """

    concepts: Mapping[str, Concept]
    left_out: Mapping[str, str]
    unparsed: Mapping[str, str]
    parsed: int
    seed: int

    def __getitem__(self, name: str) -> Concept:
        """The concept of this name. Raises ConceptError saying why there is none."""
        if name not in self.concepts:
            why = self.left_out.get(name, f"expected one of {', '.join(self.concepts) or 'none'}")
            raise UnknownCode(f"given the concept {name!r}; {why}; try a larger corpus, or another name")
        return self.concepts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.concepts)

    def __len__(self) -> int:
        return len(self.concepts)

    def __contains__(self, name: object) -> bool:
        return name in self.concepts

    def __str__(self) -> str:
        """One line for each concept, then what was left out, and the files that do not parse."""
        decided = sum(one.decisions is not None for one in self.concepts.values())
        files = f"{self.parsed} files" + (f", {len(self.unparsed)} more do not parse" if self.unparsed else "")
        lines = [
            f"{len(self)} code concepts, {decided} with decisions, from {files} (seed {self.seed})",
            str(self.table()),
        ]
        lines += [f"left out: {name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines + [f"not parsed: {name}: {why}" for name, why in self.unparsed.items()])

    def table(self) -> Table:
        """A line for each concept: rows with and without the structure, controls, decisions."""
        return Table.of(
            {
                "concept": name,
                "with": one.rows["label"].count(1),
                "without": one.rows["label"].count(0),
                "controls": ", ".join(f"{control.name} {len(control.rows)}" for control in one.controls),
                "decisions": len(one.decisions or ()),
            }
            for name, one in self.concepts.items()
        )


class UnknownCode(ConceptError, KeyError):
    """No code concept of this name in this corpus."""

    __str__ = ValueError.__str__  # KeyError would print the message in quotes


def code_concepts(
    sources: Sources | Iterable[str] | str | os.PathLike[str], per: int = PER, seed: int = 0
) -> CodeConcepts:
    """Concepts of Python's grammar from texts of source files, or from the `.py` files of a folder.

    `per` is how many rows of each label and of each control a concept gets at most, and how many decisions. The same sources
    in any order and the same seed give the same rows. Raises ConceptError for a `per` below 16, no sources, or none that parse.

    >>> texts = [f"def f{n}(a, b{n}):\\n    x = [a, 'b c d']\\n    return g(a, b{n}), x  # a call\\n" for n in range(40)]
    >>> found = code_concepts(texts, per=20)
    >>> found["code.comment"].texts("train", 1)[0].splitlines()[-1].strip()
    'return g(a, b25), x  # a'
    """
    if per < LEAST:
        raise ConceptError(f"given per={per}; expected {needed()}; give per={LEAST} or more")
    given = sources_of(sources)
    offers, unparsed = _offers(given, per, seed)
    concepts, left_out = dict[str, Concept](), dict[str, str]()
    for structure, made in zip(STRUCTURES, offers):
        concept = _concept(structure, made, given, per, left_out)
        if concept is not None:
            concepts[concept.name] = concept
    return CodeConcepts(concepts, left_out, unparsed, len(given.texts) + len(given.unread) - len(unparsed), seed)


def _offers(given: Sources, per: int, seed: int) -> tuple[list[list[Offer]], dict[str, str]]:
    """What the sources offer to each structure, in an order that the seed and their shapes give; and what does not parse."""
    at_most = max(8, 4 * per // max(len(given.texts), 1) + 1)
    by_source, unparsed = list[tuple[str, list[Offer]]](), dict(given.unread)
    for name, text in given.texts.items():
        try:
            source = parse(name, text)
        except (SyntaxError, ValueError, RecursionError) as error:
            unparsed[name] = f"{type(error).__name__}: {error}"
            continue
        key = f"{shape(source)} {seed}"
        roles = Roles(source, key)
        by_source.append((key, [offer(roles, one, key[:16], at_most) for one in STRUCTURES]))
    if not by_source:
        name, why = next(iter(unparsed.items()))
        raise ConceptError(
            f"given {len(unparsed)} Python files of which none parses ({name}: {why}); expected sources of this Python's "
            "grammar; mend them, or give others"
        )
    ordered = [some for _, some in sorted(by_source, key=lambda pair: hashlib.sha256(pair[0].encode()).hexdigest())]
    return [list(some) for some in zip(*ordered)], unparsed


@dataclass
class Taken:
    """Texts that a concept has taken, each with its one file: a text in two files would tie them into one split."""

    owners: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def take(self, group: str, *texts: str) -> bool:
        """Whether these texts are free for this file; then they are taken."""
        plain = [plain_text(text) for text in texts]
        if any(one in self.used or self.owners.get(one, group) != group for one in plain):
            return False
        self.used.update(plain)
        self.owners.update(dict.fromkeys(plain, group))
        return True


def _concept(
    structure: Structure, offers: Sequence[Offer], given: Sources, per: int, left_out: dict[str, str]
) -> Concept | None:
    """The concept, or None with the reason in `left_out`."""
    name = f"code.{structure.name}"
    with_it = {one.text.strip() for some in offers for one in some.positives}
    without = {
        one.text.strip() for some in offers for group in (some.negatives, *some.controls.values()) for one in group
    }
    unclear = with_it & without  # a text that is both is neither
    taken = Taken()

    def some(of: Callable[[Offer], list[Candidate]], count: int = per) -> Iterator[Candidate]:
        for one in _in_turn([of(each) for each in offers]):
            if count and one.text.strip() not in unclear and taken.take(one.group, one.text):
                count -= 1
                yield one

    positives = list(some(lambda each: each.positives))
    controls = []
    for look in structure.looks:
        rows = list(some(lambda each, look=look: each.controls.get(look.name, [])))
        if not (why := _too_few(rows)):
            controls.append(Control(look.name, look.factor, Table.of(row.row(1) for row in rows)))
        elif positives:
            left_out[f"{name}, control {look.name}"] = why
    tokens = Counter(one.token for one in positives)
    negatives = _matched(some(lambda each: each.negatives, -1), tokens, per)
    why = _too_few(positives) or _too_few(negatives) or ("" if controls else _NO_CONTROL)
    if why:
        left_out[name] = why
        return None
    rows = Table.of([*(one.row(1) for one in positives), *(one.row(0) for one in negatives)])
    decisions = _decisions(name, offers, taken, per // 2, left_out)
    whole = {"licence": given.licence, "source": given.origin, "decisions": decisions}
    return _dealt(name, structure.definition, rows, controls, whole, left_out)


def _dealt(
    name: str, definition: str, rows: Table, controls: list[Control], whole: dict[str, Any], left_out: dict[str, str]
) -> Concept | None:
    """The concept without those controls and decisions whose files cannot be dealt so that each split has enough."""
    while controls:
        try:
            return Concept(name, definition, "syntax", rows, tuple(controls), **whole)
        except ConceptError as error:
            why = str(error)
        blamed = [control for control in controls if why.startswith(f"{name}, control {control.name}:")]
        if blamed:
            controls = [control for control in controls if control not in blamed]
            left_out[f"{name}, control {blamed[0].name}"] = why
        elif whole["decisions"] is not None and " decisions (" in why:
            whole = {**whole, "decisions": None}
            left_out[f"{name}, decisions"] = why
        else:
            left_out[name] = why
            return None
    left_out[name] = _NO_CONTROL
    return None


def _matched(found: Iterable[Candidate], tokens: Counter[str], per: int) -> list[Candidate]:
    """Negatives that end in the tokens of the positives as often as they do, as far as there are any; then others."""
    wanted, first, others = Counter(tokens), list[Candidate](), list[Candidate]()
    for one in found:
        if wanted[one.token] > 0:
            wanted[one.token] -= 1
            first.append(one)
        elif len(others) < per:
            others.append(one)
        if len(first) == per:
            break
    return [*first, *others][:per]


def _decisions(name: str, offers: Sequence[Offer], taken: Taken, count: int, left_out: dict[str, str]) -> Table | None:
    """Decisions in twos; None where too few are to be had (then `left_out` says so) or the structure decides nothing."""
    found = list[Couple]()
    prompts = Taken(dict(taken.owners))
    for one in _in_turn([each.couples for each in offers]):
        if len(found) < count and prompts.take(one.group, one.prompt, one.reference):
            found.append(one)
    if 2 * len(found) >= LEAST and len({one.group for one in found}) >= len(MINIMUM):
        return Table.of(row for one in found for row in one.rows())
    if any(each.couples for each in offers):
        left_out[f"{name}, decisions"] = f"{2 * len(found)} from {len({one.group for one in found})} files; {_EXPECTED}"
    return None


def _in_turn(offered: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """The first of every file, then the second of every file, and so on."""
    return (one for some in zip_longest(*offered) for one in some if one is not None)


_NO_CONTROL = "none of its controls has enough rows"
_EXPECTED = f"expected at least {LEAST}, from {len(MINIMUM)} files or more"


def _too_few(rows: Sequence[Candidate]) -> str:
    files = len({row.group for row in rows})
    if len(rows) >= LEAST and files >= len(MINIMUM):
        return ""
    return f"{len(rows)} rows from {files} files; {_EXPECTED}"
