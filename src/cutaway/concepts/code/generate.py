"""Code concepts from any Python corpus: what `tokenize` and `ast` say of its tokens, as labelled prompts with controls.

Cut from files in turn, so that no file gives the tone, and grouped by file, so that none lies in two splits. What makes them
worth asking about: a label is exact, and a look-alike of every structure stands in the same corpus.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cutaway.concepts.code.candidates import Offer, Roles, offer, shape
from cutaway.concepts.code.choice import LEAST, Choice, TooFew
from cutaway.concepts.code.corpus import Sources, sources_of
from cutaway.concepts.code.exchanges import EXCHANGES
from cutaway.concepts.code.parsing import parse
from cutaway.concepts.code.structure import Structure
from cutaway.concepts.code.structures import STRUCTURES
from cutaway.concepts.concept import Concept, Control
from cutaway.concepts.library import UnknownConcept
from cutaway.concepts.rules import ConceptError, near, needed
from cutaway.runs.table import Table

PER = 100  # rows of a label, and of a control; couples of decisions half as many


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
        """The concept of this name. Raises UnknownConcept saying why there is none."""
        if name not in self.concepts:
            if name in self.left_out:
                raise UnknownConcept(f"{name} is left out: {self.left_out[name]}; give a larger corpus")
            raise UnknownConcept(
                f"given the concept {name!r}; expected one of {len(self)} of this corpus; {near(name, self)}"
            )
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


def code_concepts(
    sources: Sources | Iterable[str] | str | os.PathLike[str], per: int = PER, seed: int = 0
) -> CodeConcepts:
    """Concepts of Python's grammar from texts of source files, or from the `.py` files of a folder.

    `per` is how many rows of each label and of each control a concept gets at most, and how many decisions. The same sources
    in any order and the same seed give the same rows. Raises ConceptError for a `per` below 16, no sources, or none that parse.

    >>> texts = [f"x{n} = 1  # item {n} of many" for n in range(40)]
    >>> list(code_concepts(texts, per=20))
    ['code.number']
    """
    if per < LEAST:
        raise ConceptError(f"given per={per}; expected {needed()}; give per={LEAST} or more")
    given = sources_of(sources)
    offers, unparsed = _offers(given, per, seed)
    concepts, left_out = dict[str, Concept](), dict[str, str]()
    for structure, made in zip(STRUCTURES, offers):
        name = f"code.{structure.name}"
        try:
            concepts[name] = _concept(name, structure, Choice.of(made, per), given, left_out)
        except TooFew as error:
            left_out[name] = str(error)
    return CodeConcepts(concepts, left_out, unparsed, len(given.texts) + len(given.unread) - len(unparsed), seed)


def _offers(given: Sources, per: int, seed: int) -> tuple[list[list[Offer]], dict[str, str]]:
    """What the sources offer to each structure, in an order that the seed and their shapes give; and what does not parse."""
    at_most = max(8, 4 * per // max(len(given.texts), 1) + 1)
    by_source, unparsed = list[tuple[str, str, list[Offer]]](), dict(given.unread)
    for name, text in given.texts.items():
        try:
            source = parse(name, text)
        except (SyntaxError, ValueError, RecursionError) as error:
            unparsed[name] = f"{type(error).__name__}: {error}"
            continue
        key = f"{shape(source)} {seed}"
        roles = Roles(source, key)
        by_source.append((_hash(key), text, [offer(roles, one, key[:16], at_most) for one in STRUCTURES]))
    if not by_source:
        name, why = next(iter(unparsed.items()))
        raise ConceptError(
            f"given {len(unparsed)} Python files of which none parses ({name}: {why}); expected sources of this Python's "
            "grammar; mend them, or give others"
        )
    ordered = [some for *_, some in sorted(by_source, key=lambda one: one[:2])]
    return [list(some) for some in zip(*ordered)], unparsed


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _concept(name: str, structure: Structure, choice: Choice, given: Sources, left_out: dict[str, str]) -> Concept:
    """The concept; what it has to go without is added to `left_out`. Raises TooFew where it cannot be made."""
    positives = choice.enough(choice.some(lambda each: each.positives))
    controls = []
    for look in structure.looks:
        try:
            rows = choice.enough(choice.some(lambda each, look=look: each.controls.get(look.name, [])))
            controls.append(Control(look.name, look.factor, choice.table((row, 1) for row in rows)))
        except TooFew as error:
            left_out[f"{name}, control {look.name}"] = str(error)
    if not controls:
        raise TooFew("none of its controls has enough rows")
    negatives = choice.enough(choice.like(positives, lambda each: each.negatives))
    decisions = None
    if structure.name in EXCHANGES:
        try:
            decisions = choice.decisions()
        except TooFew as error:
            left_out[f"{name}, decisions"] = str(error)
    return Concept(
        name,
        structure.definition,
        "syntax",
        choice.table([*((row, 1) for row in positives), *((row, 0) for row in negatives)]),
        tuple(controls),
        decisions=decisions,
        licence=given.licence,
        source=given.origin,
    )
