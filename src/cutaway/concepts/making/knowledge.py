"""Knowledge of single relations: the facts of evandez/relations, crossed, and the capitals of countries, written here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cutaway.concepts.concept import Concept
from cutaway.concepts.making.raw import Raw
from cutaway.concepts.making.relation import Fact, Relation
from cutaway.concepts.making.written import CAPITALS, WRITTEN

# Classes that exclude each other: fruit and vegetable, or plant and flower, do not.
_FRUIT, _VEGETABLE = "fruit", "vegetable"
_CLASSES = ("bird", "fish", "reptile", "amphibian", "mammal", "insect", _FRUIT, _VEGETABLE)
# Plurals and things made of several, which "is called a" does not fit.
_NO_TOOL = ("music", "hiking boots", "dumbbells", "binoculars", "sandpaper", "shoe polish", "clothes")


@dataclass(frozen=True)
class _Form:
    """How a relation of the raw data is read, and how it is said here."""

    raw: str
    read: str
    definition: str
    statement: str
    denial: str
    prompt: str


_FORMS = (
    _Form(
        "landmark_in_country",
        r"(.+) is in the country of (\w+)\.",
        "a statement names rightly the country in which a place lies",
        "{s} is in the country of {o}.",
        "{s} is not in the country of {o}.",
        "{s} is in the country of",
    ),
    _Form(
        "company_hq",
        r"(.+) is headquartered in the city of (\w+)\.",
        "a statement names rightly the city of a company's head office",
        "{s} is headquartered in the city of {o}.",
        "{s} is not headquartered in the city of {o}.",
        "{s} is headquartered in the city of",
    ),
    _Form(
        "product_by_company",
        r"(.+) was created by (\w+)\.",
        "a statement names rightly the company that made a product",
        "{s} was created by {o}.",
        "{s} was not created by {o}.",
        "{s} was created by",
    ),
    _Form(
        "person_occupation",
        r"(.+) works as a (\w+)\.",
        "a statement names rightly the occupation of a person",
        "{s} works as {a} {o}.",
        "{s} does not work as {a} {o}.",
        "{s} works as {a}",
    ),
    _Form(
        "adj_antonym",
        r"The opposite of (.+) is (\w+)\.",
        "a statement names rightly the opposite of a word",
        "The opposite of {s} is {o}.",
        "The opposite of {s} is not {o}.",
        "The opposite of {s} is",
    ),
    _Form(
        "object_superclass",
        r"A (.+) is in the category of a (\w+)\.",
        "a statement names rightly the kind to which a thing belongs",
        "The {s} belongs to the kind called {o}.",
        "The {s} does not belong to the kind called {o}.",
        "The {s} belongs to the kind called",
    ),
    _Form(
        "substance_phase",
        r"(.+)'s phase of matter at room temperature is a (\w+)\.",
        "a statement names rightly whether a substance is solid, liquid or gas at room temperature",
        "At room temperature, {s} is a {o}.",
        "At room temperature, {s} is not a {o}.",
        "At room temperature, {s} is a",
    ),
    _Form(
        "task_done_by_tool",
        r"The tool used for (.+) is called a (.+)\.",
        "a statement names rightly the tool for a task",
        "The tool used for {s} is called {a} {o}.",
        "The tool used for {s} is not called {a} {o}.",
        "The tool used for {s} is called {a}",
    ),
)


def knowledge(raw: Raw) -> Iterator[Concept]:
    """One concept a relation; the control of another relation is the next one in the list."""
    relations = [capitals(), *(_relation(raw, form) for form in _FORMS)]
    for number, relation in enumerate(relations):
        yield relation.concept(relations[(number + 1) % len(relations)])


def capitals() -> Relation:
    """Countries and their capitals, of one word each."""
    return Relation(
        "knowledge.capital_city",
        "a statement names rightly the capital of a country",
        "The capital city of {s} is {o}.",
        "The capital city of {s} is not {o}.",
        "The capital city of {s} is",
        CAPITALS,
        WRITTEN,
        "Apache-2.0",
    )


def facts(raw: Raw, concept: str, read: str) -> list[Fact]:
    """Subject and object of every true row that has the form."""
    found = [re.fullmatch(read, row["text"]) for row in raw.rows(concept) if row["label"] == 1]
    return sorted({(match[1], match[2]) for match in found if match})


def _relation(raw: Raw, form: _Form) -> Relation:
    name = f"knowledge.{form.raw}"
    return Relation(
        name,
        form.definition,
        form.statement,
        form.denial,
        form.prompt,
        [fact for fact in facts(raw, name, form.read) if _usable(raw, form.raw, fact)],
        raw.source(name),
        raw.licence(name),
        apart=lambda one, other: {one, other} != {_FRUIT, _VEGETABLE},
    )


def _usable(raw: Raw, relation: str, fact: Fact) -> bool:
    subject, answer = fact
    if relation == "object_superclass":
        return answer in _CLASSES and subject != answer and not subject.endswith("s")
    if relation == "task_done_by_tool":
        return answer not in _NO_TOOL and " and " not in answer
    if relation == "company_hq":
        # Some head offices are given as a country.
        countries = {country for _, country in facts(raw, "knowledge.landmark_in_country", _FORMS[0].read)}
        return answer not in countries
    return True
