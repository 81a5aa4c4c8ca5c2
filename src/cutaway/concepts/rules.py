"""What a concept must keep to be usable as evidence: every rule, and the error that says what broke it.

Most published probing data break one: the same text on both sides of a split, minimal pairs torn apart, too few rows for
any verdict. What is wrong here is refused before a network is run.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cutaway.concepts.splitting import MINIMUM, SPLITS, plain_text
from cutaway.runs.table import Table

if TYPE_CHECKING:
    from cutaway.concepts.concept import Concept

KINDS = ("topic", "stance", "behaviour", "knowledge", "syntax")
NOT_STATED = "not stated"
LICENCES = (
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "CC-BY-SA-3.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "ODC-By-1.0",
    "PDDL-1.0",
    "Unlicense",
)
OWN_LICENCE = "LicenseRef-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)+")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_DECISION = ("prompt", "target", "foil", "reference")
_SHOWN = 40
_OFFERED = 16


class ConceptError(ValueError):
    """A concept, or a file of one, that cannot be used: the message says what was given, what is expected, what to try."""


def near(word: str, known: Iterable[str]) -> str:
    """What to try for a mistyped word: the nearest known ones, or all of them."""
    known = list(known)
    found = get_close_matches(word, known, n=3, cutoff=0.5)
    if found:
        return f"did you mean {' or '.join(map(repr, found))}?"
    more = ", …" if len(known) > _OFFERED else ""
    return f"give one of {', '.join(known[:_OFFERED])}{more}"


def check_concept(concept: Concept) -> None:
    """Raises ConceptError for the first rule that a concept breaks."""
    _check_words(concept)
    _check_rows(concept.name, concept.rows)
    _check_pairs(concept.name, concept.rows)
    for label in sorted(set(concept.rows["label"])):
        _check_enough(concept.name, concept.rows, label)
    _check_controls(concept)
    _check_shifted(concept)
    if concept.decisions is not None:
        _check_decisions(concept.name, concept.decisions)
    _check_leaks(concept)


def check_licence(licence: str, where: str) -> None:
    """Raises ConceptError for a licence that is no known SPDX id, no `LicenseRef-…` and not "not stated"."""
    if licence in (*LICENCES, NOT_STATED) or (licence.startswith(OWN_LICENCE) and len(licence) > len(OWN_LICENCE)):
        return
    raise ConceptError(
        f"{where}: given the licence {licence!r}; expected an SPDX id that allows reuse, or {OWN_LICENCE}NAME for terms "
        f"of your own; {near(licence, LICENCES)}"
    )


def check_kind(kind: str, where: str) -> None:
    """Raises ConceptError for a kind of concept that there is not."""
    if kind not in KINDS:
        raise ConceptError(f"{where}: given the kind {kind!r}; expected one of {len(KINDS)}; {near(kind, KINDS)}")


def _check_words(concept: Concept) -> None:
    name = concept.name
    if not _NAME.fullmatch(name):
        raise ConceptError(
            f"given the name {name!r}; expected family.name of letters, digits, - and _: try 'own.{_slug(name)}'"
        )
    check_kind(concept.kind, name)
    if not concept.definition.strip():
        raise ConceptError(f"{name}: given no definition; expected a sentence that says what label 1 means; write one")
    check_licence(concept.licence, name)
    parts = [control.name for control in concept.controls] + [shifted.name for shifted in concept.shifted]
    for part, count in Counter(parts).items():
        if count > 1:
            raise ConceptError(
                f"{name}: {count} controls or shifted sets are called {part!r}; expected one; rename the others"
            )
        if not _PART.fullmatch(part) or part == "rows":
            raise ConceptError(
                f"{name}: given the set name {part!r}; expected letters, digits, - and _, and not 'rows'; rename it"
            )
    for control in concept.controls:
        if not control.factor.strip():
            raise ConceptError(
                f"{name}: control {control.name!r} names no factor; expected the one thing in which its rows differ from the "
                "positives; write it, or make several controls if there are several"
            )
        check_licence(control.licence or concept.licence, f"{name}, control {control.name}")
    for shifted in concept.shifted:
        if not shifted.change.strip():
            raise ConceptError(
                f"{name}: shifted set {shifted.name!r} does not say what is changed; expected words; write them"
            )
        check_licence(shifted.licence or concept.licence, f"{name}, shifted set {shifted.name}")


def _check_rows(where: str, rows: Table, labels: Sequence[int] = (0, 1)) -> None:
    if not len(rows):
        raise ConceptError(f"{where}: given no rows; expected {needed()}")
    for index, row in enumerate(rows):
        _check_row(f"{where}, row {index}", row)
    given = Counter(rows["label"])
    if len(given) < 2 and len(labels) > 1:
        raise ConceptError(
            f"{where}: given rows of one label only ({next(iter(given))}); expected 1 where the concept holds and 0 where it "
            "does not; add rows of the other label"
        )
    missing = [label for label in labels if label not in given]
    if missing:
        raise ConceptError(
            f"{where}: given labels {sorted(given)}, without {missing[0]}; expected 1 where the concept holds and 0 where it "
            "does not (further classes: 2, 3, …); number them so"
        )


def _check_row(where: str, row: dict[str, Any]) -> None:
    text, label = row["text"], row["label"]
    if not isinstance(text, str) or not text.strip():
        raise ConceptError(f"{where}: given the text {text!r}; expected text; fill it in or leave the row out")
    if not _encodes(text):
        raise ConceptError(
            f"{where}: its text holds half a character (a lone surrogate); expected Unicode; write it again"
        )
    if not isinstance(label, int) or isinstance(label, bool) or label < 0:
        raise ConceptError(
            f"{where}: given the label {label!r}; expected a whole number, 1 where the concept holds, else 0; number it"
        )
    if row["split"] not in SPLITS:
        raise ConceptError(
            f"{where}: given the split {row['split']!r}; expected {', '.join(SPLITS)}; {near(str(row['split']), SPLITS)}"
        )
    for span in row["spans"] or []:
        whole = isinstance(span, list) and len(span) == 2 and all(type(end) is int for end in span)
        if not whole or not 0 <= span[0] < span[1] <= len(text):
            raise ConceptError(
                f"{where}: given the span {span!r} in a text of {len(text)} characters; expected [start, end] with "
                f"0 <= start < end <= {len(text)}; count characters, not bytes or tokens"
            )


def _check_pairs(where: str, rows: Table) -> None:
    members = defaultdict(list)
    for row in rows:
        if row["pair"] is not None:
            members[row["pair"]].append(row)
    for pair, both in members.items():
        across = {row["split"] for row in both}
        if len(across) > 1:
            raise ConceptError(
                f"{where}: the minimal pair {pair!r} lies in {' and '.join(sorted(across))}; expected one split for both of its "
                "rows, or the pair's answer is known before the test; put them together, or leave the split column out"
            )
        if len(both) != 2 or both[0]["label"] == both[1]["label"]:
            labels = [row["label"] for row in both]
            raise ConceptError(
                f"{where}: the minimal pair {pair!r} has labels {labels}; expected two rows of two labels; mend or unname it"
            )


def _check_enough(where: str, rows: Table, label: int) -> None:
    count = Counter(row["split"] for row in rows if row["label"] == label)
    if any(count[split] < least for split, least in MINIMUM.items()):
        given = ", ".join(f"{count[split]} {split}" for split in SPLITS)
        raise ConceptError(
            f"{where}: label {label} has {sum(count.values())} rows ({given}); expected at least {needed()}: with fewer than "
            "4 against 4 test rows no ranking is rarer than 5 % by chance; add rows, or make groups smaller"
        )


def needed() -> str:
    """The fewest rows, in words."""
    least = ", ".join(f"{count} {split}" for split, count in MINIMUM.items())
    return f"{sum(MINIMUM.values())} rows of each label ({least}), so {2 * sum(MINIMUM.values())} for two labels"


def _check_controls(concept: Concept) -> None:
    positives = {row["text"] for row in concept.rows if row["label"] == 1}
    for control in concept.controls:
        where = f"{concept.name}, control {control.name}"
        _check_rows(where, control.rows, labels=(1,))
        _check_enough(where, control.rows, 1)
        both = next((row["text"] for row in control.rows if row["label"] == 1 and row["text"] in positives), None)
        if both is not None:
            raise ConceptError(
                f"{where}: {_cut(both)} is also a positive of the concept; expected control rows in which the concept does not "
                "hold; take it out of one of them"
            )


def _check_shifted(concept: Concept) -> None:
    for shifted in concept.shifted:
        where = f"{concept.name}, shifted set {shifted.name}"
        _check_rows(where, shifted.rows)
        count = Counter(shifted.rows["label"])
        if min(count[0], count[1]) < MINIMUM["test"]:
            raise ConceptError(
                f"{where}: given {dict(count)} rows by label; expected at least {MINIMUM['test']} of each; add some"
            )


def _check_decisions(where: str, decisions: Table) -> None:
    for index, row in enumerate(decisions):
        # An answer may be white space: the end of a line of code.
        inked = {name: row[name] for name in _DECISION if isinstance(row[name], str)}
        inked |= {name: inked[name].strip() for name in ("prompt", "reference") if name in inked}
        empty = [name for name in _DECISION if not inked.get(name)]
        if empty:
            raise ConceptError(f"{where}, decision {index}: {empty[0]} is {row[empty[0]]!r}; expected text; fill it in")
        if row["target"] == row["foil"] or row["prompt"] == row["reference"]:
            same = "target and foil" if row["target"] == row["foil"] else "prompt and reference"
            raise ConceptError(
                f"{where}, decision {index}: {same} are the same; expected two answers, and as the reference the prompt's "
                "minimal-pair partner, whose answer is the foil; write the partner"
            )
        if row["split"] not in SPLITS:
            raise ConceptError(
                f"{where}, decision {index}: given the split {row['split']!r}; {near(str(row['split']), SPLITS)}"
            )
    count = Counter(decisions["split"])
    if any(count[split] < least for split, least in MINIMUM.items()):
        given = ", ".join(f"{count[split]} {split}" for split in SPLITS)
        raise ConceptError(
            f"{where}: given {len(decisions)} decisions ({given}); expected at least {sum(MINIMUM.values())} "
            f"({', '.join(f'{least} {split}' for split, least in MINIMUM.items())}); add some; prompts that share a reference "
            "count as one, so write them in twos"
        )


def _check_leaks(concept: Concept) -> None:
    """No text on two sides; nothing that belongs together in two splits, over rows, controls and decisions alike."""
    labels: dict[str, int] = {}
    for row in concept.rows:
        if labels.setdefault(row["text"].strip(), row["label"]) != row["label"]:
            raise ConceptError(
                f"{concept.name}: {_cut(row['text'])} has two labels; expected one side for a text; take one row out"
            )
    seen: dict[tuple[str, str], str] = {}
    for table in [concept.rows, *(control.rows for control in concept.controls)]:
        for row in table:
            _keep(concept.name, seen, row["split"], "text", row["text"])
            _keep(concept.name, seen, row["split"], "group", row["group"])
    for row in concept.decisions or ():
        for prompt in (row["prompt"], row["reference"]):
            _keep(concept.name, seen, row["split"], "prompt", prompt)
        _keep(concept.name, seen, row["split"], "group", row["group"])
    for shifted in concept.shifted:
        for text in shifted.rows["text"]:
            _keep(f"{concept.name}, shifted set {shifted.name}", seen, "test", "text", text)


def _keep(where: str, seen: dict[tuple[str, str], str], split: str, what: str, value: str | None) -> None:
    if value is None:
        return
    key = (what, value if what == "group" else plain_text(value))
    if seen.setdefault(key, split) != split:
        raise ConceptError(
            f"{where}: the {what} {_cut(value)} is in {seen[key]} and in {split} (case and punctuation aside); expected one "
            "split, or the test measures memory; put them together, or leave the split column out and they are placed"
        )


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cut(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "name"
