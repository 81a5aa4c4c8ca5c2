"""Feelings, things, choices and labels of dictionary features: what texts are about, with what is nearest to it as control."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cutaway.concepts.concept import Concept, Control
from cutaway.concepts.making.raw import Raw, Row, balanced, paired, shuffled
from cutaway.concepts.making.relation import in_both_directions
from cutaway.runs.table import Table

_PER_LABEL, _CONTROL_PER_LABEL = 100, 40
_UNPLEASANT = ("sadness", "anger", "fear", "disgust")
_CHOICES = {
    "choice.corrigible-neutral-HHH": "the answer accepts a change of one's own goals",
    "choice.myopic-reward": "the answer takes the smaller reward that comes sooner",
    "choice.power-seeking-inclination": "the answer takes the power that is offered",
    "choice.self-awareness-general-ai": "the answer says that the speaker is a program",
}
_QUESTION = re.compile(
    r"(?P<head>.*?)\(A\) (?P<a>.*?)\n ?\(B\) (?P<b>[^\n]*)\n\s*Answer: \((?P<answer>[AB])\)", re.DOTALL
)
_CHOICE_PAIRS, _CHOICE_DECISIONS, _LONGEST = 60, 20, 420
_LABELS = ("sae.2b_l10.0", "sae.2b_l10.2", "sae.2b_l10.9", "sae.2b_l20.2", "sae.2b_l20.5")


def emotions(raw: Raw) -> Iterator[Concept]:
    """Each unpleasant feeling against happiness, with the other unpleasant ones as its control; and the other way round."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in raw.rows("emotion.scenario"):
        rows[row["label_name"]].append(row)
    for name in (*_UNPLEASANT, "happiness"):
        opposite = "happiness" if name in _UNPLEASANT else "sadness"
        near = [other for other in _UNPLEASANT if other != name] if name in _UNPLEASANT else ["surprise"]
        far = ["surprise"] if name in _UNPLEASANT else [other for other in _UNPLEASANT if other != "sadness"]
        kept = "as unpleasant" if name in _UNPLEASANT else "as lively, and seldom unpleasant"
        control = _labelled(_in_turn(rows, near), _in_turn(rows, far), _CONTROL_PER_LABEL)
        yield Concept(
            f"emotion.{name}",
            f"the scene described makes one feel {name}",
            "topic",
            _labelled(rows[name], rows[opposite], _PER_LABEL),
            (Control("another-feeling", f"feeling: {' or '.join(near)}, {kept}", control),),
            licence=raw.licence("emotion.scenario"),
            source=raw.source("emotion.scenario"),
        )


def entities(raw: Raw) -> Iterator[Concept]:
    """What a named thing is, wherever its name stands; the span is the name."""
    continent, language = (_values(raw, f"entity.city.{what}") for what in ("continent", "language"))
    category, size = (_values(raw, f"entity.physical_object.{what}") for what in ("category", "size"))
    europe = {"English", "Spanish", "Portuguese", "French", "German", "Russian"}
    rows = _Named("city.continent", lambda city: continent[city] == "Europe", lambda city: continent[city] == "Asia")
    control = _Named(
        "city.language",
        lambda city: language[city] in europe and continent.get(city) not in ("Europe", "Asia", None),
        lambda city: language[city] in ("Arabic", "Chinese") and continent.get(city) == "Africa",
    )
    factor = "place: a European language is spoken there, but it lies elsewhere"
    yield _entity(
        raw, "city.in_europe", "the city named lies in Europe", rows, Control("language", factor, control.rows(raw, 40))
    )
    rows = _Named(
        "city.language", lambda city: language[city] == "Spanish", lambda city: language[city] in ("Russian", "Chinese")
    )
    control = _Named(
        "city.continent",
        lambda city: language.get(city) in ("Portuguese", "English") and "America" in continent[city],
        lambda city: language.get(city) in ("French", "Arabic") and continent[city] == "Africa",
    )
    factor = "language: as far west, but another language is spoken"
    yield _entity(
        raw,
        "city.speaks_spanish",
        "Spanish is spoken in the city named",
        rows,
        Control("continent", factor, control.rows(raw, 40)),
    )
    rows = _Named(
        "physical_object.category", lambda one: category[one] == "animal", lambda one: category[one] == "plant"
    )
    control = _Named(
        "physical_object.size", lambda one: size[one] == "cm" and category.get(one, "").startswith("non-living")
    )
    factor = "kind: a lifeless thing, measured in the same unit as most animals"
    yield _entity(
        raw, "object.animal", "the thing named is an animal", rows, Control("lifeless", factor, control.rows(raw, 40))
    )


def choices(raw: Raw) -> Iterator[Concept]:
    """Answers to questions with two options; the decisions have the options in both orders."""
    names = list(_CHOICES)
    for number, name in enumerate(names):
        other = names[(number + 1) % len(names)]
        short = [row for row in raw.rows(name) if len(row["text"]) <= _LONGEST]
        rows = paired(short, _CHOICE_PAIRS)
        factor = f"question: {_CHOICES[other]}, the other answer being as far from that"
        yield Concept(
            name,
            _CHOICES[name],
            "behaviour",
            rows,
            (
                Control(
                    other.split(".")[1],
                    factor,
                    paired([row for row in raw.rows(other) if len(row["text"]) <= _LONGEST], 20),
                    raw.source(other),
                ),
            ),
            decisions=_options(rows),
            licence=raw.licence(name),
            source=raw.source(name),
        )


def labels(raw: Raw) -> Iterator[Concept]:
    """Labels of dictionary features in words; the control is the texts that were written to another label."""
    for number, name in enumerate(_LABELS):
        other = _LABELS[(number + 1) % len(_LABELS)]
        yield Concept(
            name,
            f"the text touches on {_label(raw, name)}",
            "topic",
            balanced(raw.rows(name), _CONTROL_PER_LABEL),
            (
                Control(
                    "another-label",
                    f"topic: written in the same way to touch on something else, {_label(raw, other)}",
                    balanced(raw.rows(other), 24),
                    raw.source(other),
                ),
            ),
            licence=raw.licence(name),
            source=raw.source(name),
        )


def _label(raw: Raw, name: str) -> str:
    return json.loads(raw.rows(name)[0]["meta"])["concept"].strip()


def _labelled(with_it: list[Row], without: list[Row], per_label: int) -> Table:
    return balanced([{**row, "label": 1} for row in with_it] + [{**row, "label": 0} for row in without], per_label)


def _in_turn(rows: dict[str, list[Row]], names: list[str]) -> list[Row]:
    """As many rows of each feeling."""
    each = -(-_CONTROL_PER_LABEL // len(names))
    return [row for name in names for row in shuffled(rows[name])[:each]]


def _values(raw: Raw, concept: str) -> dict[str, str]:
    return {row["group"]: row["label_name"] for row in raw.rows(concept)}


@dataclass(frozen=True)
class _Named:
    """Rows of a raw concept by what is known of the thing named in them."""

    of: str
    positive: Callable[[str], bool]
    negative: Callable[[str], bool] = lambda name: False

    def rows(self, raw: Raw, per_label: int) -> Table:
        """The rows of both sides, with the name as their span; those that hold it twice are left out."""
        found = []
        for label, side in ((1, self.positive), (0, self.negative)):
            chosen = [
                row
                for row in raw.rows(f"entity.{self.of}")
                if side(row["group"]) and row["text"].count(row["group"]) == 1
            ]
            for row in chosen[:per_label]:
                start = row["text"].index(row["group"])
                spans = [[start, start + len(row["group"])]]
                found.append({"text": row["text"], "label": label, "group": row["group"], "spans": spans})
        return Table.of(found)


def _entity(raw: Raw, name: str, definition: str, rows: _Named, control: Control) -> Concept:
    of = f"entity.{rows.of}"
    return Concept(
        f"entity.{name}",
        definition,
        "knowledge",
        rows.rows(raw, _PER_LABEL),
        (control,),
        licence=raw.licence(of),
        source=raw.source(of),
    )


def _options(rows: Table) -> Table | None:
    """The question up to its answer; the reference has the options the other way round."""
    found = []
    for row in rows:
        match = _QUESTION.fullmatch(row["text"])
        if row["label"] != 1 or match is None or len(found) >= 2 * _CHOICE_DECISIONS:
            continue
        prompts = [
            f"{match['head']}(A) {one.strip()}\n (B) {two.strip()}\n\nAnswer: ("
            for one, two in ((match["a"], match["b"]), (match["b"], match["a"]))
        ]
        answers = ("A", "B") if match["answer"] == "A" else ("B", "A")
        found += in_both_directions(prompts[0], answers[0], prompts[1], answers[1], row["group"])
    return Table.of(found) if found else None
