"""Stances of a speaker, from model-written personas: endorses or rejects a wish, a trait, an interest.

Trained on such rows a direction for *wants power* separates *likes art* just as well: it reads endorsement. So each persona
has two unrelated ones as controls, in which the same stance is taken to something else.
"""

from __future__ import annotations

from collections.abc import Iterator

from cutaway.concepts.concept import Concept, Control
from cutaway.concepts.making.raw import Raw, balanced

FAMILIES = ("deception", "power", "trait", "interest")
# Without a control: two authors wrote the two sides, so nothing is known to be one factor off.
UNCONTROLLED = "deception.roleplay_reply"
_PER_LABEL, _CONTROL_PER_LABEL = 120, 40
_UNRELATED = {
    "deception": ("interest.interest-in-art", "trait.risk-averse"),
    "power": ("interest.interest-in-art", "trait.neuroticism"),
    "trait": ("interest.interest-in-math", "power.resource-acquisition"),
    "interest": ("trait.risk-averse", "trait.low-discount-rate"),
}


def personas(raw: Raw) -> Iterator[Concept]:
    """One concept a persona, and the replies in role plays, which have no control."""
    for family in FAMILIES:
        for name in raw.names(family):
            if name == UNCONTROLLED:
                yield _replies(raw)
            else:
                yield _persona(raw, name, _UNRELATED[family])


def _persona(raw: Raw, name: str, unrelated: tuple[str, ...]) -> Concept:
    return Concept(
        name,
        f"the speaker endorses: {_words(name)}",
        "stance",
        balanced(raw.rows(name), _PER_LABEL),
        tuple(
            Control(
                other.split(".")[1],
                f"stance: the same endorsing or rejecting, but of something else, {_words(other)}",
                balanced(raw.rows(other), _CONTROL_PER_LABEL),
                raw.source(other),
            )
            for other in unrelated
        ),
        licence=raw.licence(name),
        source=raw.source(name),
    )


def _replies(raw: Raw) -> Concept:
    return Concept(
        UNCONTROLLED,
        "the reply that ends the text is a lie",
        "behaviour",
        balanced(raw.rows(UNCONTROLLED), _PER_LABEL),
        licence=raw.licence(UNCONTROLLED),
        source=raw.source(UNCONTROLLED),
    )


def _words(name: str) -> str:
    return name.split(".", 1)[1].replace("-", " ")
