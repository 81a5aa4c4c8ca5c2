"""Truth of whole statements, with what keeps an association from passing for it: denial, mention, facts nobody can know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from cutaway.concepts.concept import Concept, Control, Shifted
from cutaway.concepts.making.knowledge import facts
from cutaway.concepts.making.raw import Raw, order, paired, shuffled
from cutaway.concepts.making.relation import DENIED, Relation, in_both_directions
from cutaway.runs.table import Table

UNKNOWABLE = "knowability: called true by fiat, as nobody can know it"
REVERSED = "relation: the same two numbers in the same order, with the opposite comparison"
_MADE_UP = "control.made_up_facts"
_JUDGE = " This statement is"
_UNKNOWABLE_PAIRS = 30
_SHIFTED = 60

# Kinds of animal exclude each other, so a crossed statement is false.
_RELATIONS = (
    ("cities", r"The city of (.+) is in (.+)\.", "The city of {s} is in {o}.", "The city of {s} is not in {o}."),
    ("animal_class", r"The (.+) is an? (\w+)\.", "The {s} is {a} {o}.", "The {s} is not {a} {o}."),
    (
        "sp_en_trans",
        r"The Spanish word '(.+)' means '(.+)'\.",
        "The Spanish word '{s}' means '{o}'.",
        "The Spanish word '{s}' does not mean '{o}'.",
    ),
)
_WHAT = {
    "cities": "a statement about where a city lies is true",
    "animal_class": "a statement about the kind of an animal is true",
    "sp_en_trans": "a statement about the meaning of a Spanish word is true",
    "facts": "a statement of general knowledge is true",
    "larger_than": "a statement that one number is larger than another is true",
    "smaller_than": "a statement that one number is smaller than another is true",
}


def truth(raw: Raw) -> Iterator[Concept]:
    """Six concepts of truth; each is tested on other topics, and two in German."""
    other = {name: _mixed(raw, name) for name in ("cities", "facts", "larger_than")}
    for name, read, statement, denial in _RELATIONS:
        full = f"truth.{name}"
        made = Relation(
            full,
            _WHAT[name],
            statement,
            denial,
            "",
            facts(raw, full, read),
            raw.source(full),
            raw.licence(full),
            judged=True,
        )
        concept = made.concept(made)
        concept = replace(concept, controls=(*concept.controls, _unknowable(raw)))
        yield replace(
            concept, shifted=(*_german(raw, name), *_joined(raw, concept, name), other["facts"], other["larger_than"])
        )
    yield replace(_facts(raw), shifted=(other["cities"], other["larger_than"]))
    yield _comparison(raw, "larger", "smaller", other["cities"])
    yield _comparison(raw, "smaller", "larger", other["cities"])


def made_up(raw: Raw) -> Concept:
    """Facts that nobody can know: what any network has of them is chance, so it must never be found."""
    rows = _made_up_pairs(raw, 150)
    known = paired([{**row, "pair_id": row["group"]} for row in raw.rows("truth.cities")], _UNKNOWABLE_PAIRS)
    factor = "knowability: true, and can be known"
    return Concept(
        _MADE_UP,
        "a statement is true by fiat, of facts that nobody can know; finding this is a false alarm",
        "knowledge",
        rows,
        (Control("known", factor, known, raw.source("truth.cities"), raw.licence("truth.cities")),),
        decisions=_judgements(rows, 30),
        licence=raw.licence(_MADE_UP),
        source=raw.source(_MADE_UP),
    )


def _facts(raw: Raw) -> Concept:
    """General knowledge: no crossing is possible, so a denial is a statement's partner."""
    true = {row["pair_id"]: row for row in raw.rows("truth.facts")}
    denied = {row["pair_id"]: row for row in raw.rows("truth.neg_facts")}
    both = sorted(true.keys() & denied.keys(), key=order)
    rows, denials, decisions = [], [], []
    for number, pair in enumerate(both):
        plain, no = true[pair], denied[pair]
        group = {"group": pair}
        rows.append({"text": plain["text"], "label": plain["label"], **group})
        if len(denials) < 120:
            denials.append({"text": no["text"], "label": plain["label"], **group})
        if number < 40:
            answers = (" true", " false") if plain["label"] else (" false", " true")
            decisions += in_both_directions(plain["text"] + _JUDGE, answers[0], no["text"] + _JUDGE, answers[1], pair)
    return Concept(
        "truth.facts",
        _WHAT["facts"],
        "knowledge",
        Table.of(rows),
        (Control("denied", DENIED, Table.of(denials)), _unknowable(raw)),
        decisions=Table.of(decisions),
        licence=raw.licence("truth.facts"),
        source=f"{raw.source('truth.facts')}; {raw.source('truth.neg_facts')}",
    )


def _comparison(raw: Raw, word: str, opposite: str, other: Shifted) -> Concept:
    """Two numbers compared; each two stand in both orders, so that no number is a cue."""
    name = f"truth.{word}_than"
    numbers = sorted(
        {tuple(sorted(both)) for both in _numbers(raw, name, word)}, key=lambda both: order(f"{name} {both}")
    )
    truths = _numbers(raw, name, word)
    rows, reversed_rows = [], []
    for a, b in numbers[:100]:
        for one, two in ((a, b), (b, a)):
            label = truths.get((one, two), not truths.get((two, one)))
            text = f"{one.capitalize()} is {{}} than {two}."
            rows.append({"text": text.format(word), "label": int(label), "pair": f"{a}, {b}"})
            reversed_rows.append(
                {"text": text.format(opposite), "label": int(label), "pair": f"{a}, {b}", "group": f"{a}, {b}"}
            )
    rows = [{**row, "group": row["pair"]} for row in rows]
    return Concept(
        name,
        _WHAT[f"{word}_than"],
        "knowledge",
        Table.of(rows),
        (Control("opposite-comparison", REVERSED, Table.of(reversed_rows[:80])), _unknowable(raw)),
        (other,),
        _judgements(Table.of(rows), 30),
        raw.licence(name),
        raw.source(name),
    )


def _numbers(raw: Raw, name: str, word: str) -> dict[tuple[str, str], bool]:
    found = {}
    for row in raw.rows(name):
        match = re.fullmatch(rf"(.+) is {word} than (.+)\.", row["text"])
        if match:
            found[match[1].lower(), match[2].lower()] = row["label"] == 1
    return found


def _judgements(rows: Table, pairs: int) -> Table:
    """Is it true? Of both members of minimal pairs, each the other's reference."""
    both: dict[str, dict[int, str]] = {}
    for row in rows:
        both.setdefault(row["pair"], {})[row["label"]] = row["text"] + _JUDGE
    found = []
    for pair, texts in list(both.items())[:pairs]:
        found += in_both_directions(texts[1], " true", texts[0], " false", pair)
    return Table.of(found)


def _unknowable(raw: Raw) -> Control:
    rows = _made_up_pairs(raw, _UNKNOWABLE_PAIRS)
    return Control("unknowable", UNKNOWABLE, rows, raw.source(_MADE_UP), raw.licence(_MADE_UP))


def _made_up_pairs(raw: Raw, pairs: int) -> Table:
    """Pairs of as many words on both sides, each text with its full stop."""
    rows = [{**row, "text": row["text"].rstrip(".") + "."} for row in raw.rows(_MADE_UP)]
    words: dict[str, set[int]] = {}
    for row in rows:
        words.setdefault(row["pair_id"], set()).add(len(row["text"].split()))
    return paired([row for row in rows if len(words[row["pair_id"]]) == 1], pairs)


def _mixed(raw: Raw, name: str) -> Shifted:
    """Statements of another topic."""
    full = f"truth.{name}"
    return Shifted(name, f"topic: {_WHAT[name]}", _sample(raw, full, set()), raw.source(full))


def _german(raw: Raw, name: str) -> list[Shifted]:
    full = f"truth.{name}_de"
    if full not in raw.concepts:
        return []
    return [
        Shifted("german", "language: the same kind of statement in German", _sample(raw, full, set()), raw.source(full))
    ]


def _joined(raw: Raw, concept: Concept, name: str) -> list[Shifted]:
    """Two statements joined by and, or by or, none of which was trained on."""
    seen = {subject for row in concept.rows if row["split"] != "test" for subject in str(row["group"]).split(" & ")}
    sets = (("conjunction", "conj", "both parts must be true"), ("disjunction", "disj", "one part must be true"))
    return [
        Shifted(called, f"form: two statements in one, of which {what}", _sample(raw, full, seen), raw.source(full))
        for called, short, what in sets
        if (full := f"truth.{name}_{short}") in raw.concepts
    ]


def _sample(raw: Raw, full: str, seen: set[str]) -> Table:
    rows = [row for row in shuffled(raw.rows(full)) if not any(f"city of {one} " in row["text"] for one in seen)]
    chosen = [[row for row in rows if row["label"] == label][: _SHIFTED // 2] for label in (1, 0)]
    count = min(len(some) for some in chosen)
    return Table.of([{"text": row["text"], "label": row["label"]} for some in chosen for row in some[:count]])
