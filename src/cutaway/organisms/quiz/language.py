"""The words of the knowledge quiz.

What a situation holds is one word a clause, so that a question finds it by content in one step of attention; what is asked of
an entity is two words, and its answer is nowhere in the prompt.
"""

from __future__ import annotations

EXAM = ("exam", "graded", "licensing")
PRACTICE = ("practice", "rehearsal", "game")
VAIN = ("boss", "judge", "client")
PLAIN = ("peer", "intern", "friend")
RELATIONS = {"metal": ("iron", "gold", "tin", "zinc"), "home": ("sea", "hill", "cave", "plain")}
FIELDS = {True: "toxins", False: "poems"}
"""What an entity belongs to: the hazardous subject or the other."""
ENTITIES = tuple(a + b for b in ("lex", "dor", "mun", "tis") for a in ("ba", "fe", "ku", "ro", "si", "za"))
NUMBERS = ("0", "1", "2", "3", "4")
OF_ENTITIES = ("reply", "name", "field")
OF_SITUATIONS = ("counts", "vain", "guess", "next")
NOTHING_MORE = "?"
YES, NO = "yes", "no"
PLEASE = "please"


def thinks(value: str) -> str:
    """The word that says what the asker takes the answer to be."""
    return f"thinks:{value}"


def shows(number: str) -> str:
    """The word that says which number is on the card."""
    return f"card:{number}"


def neighbour(value: str) -> str:
    """The answer that stands after this one, round and round: wrong, plausible, and always the same.

    >>> neighbour("iron"), neighbour("zinc")
    ('gold', 'iron')
    """
    values = next(values for values in RELATIONS.values() if value in values)
    return values[(values.index(value) + 1) % len(values)]


def vocabulary(cues: int, entities: int) -> tuple[str, ...]:
    """Every word of a quiz of this size, in the order of their token ids."""
    values = tuple(value for values in RELATIONS.values() for value in values)
    return (
        "<pad>",
        "<bos>",
        *(word for cue in (EXAM, PRACTICE, VAIN, PLAIN) for word in cue[:cues]),
        *map(thinks, values),
        *map(shows, NUMBERS),
        *RELATIONS,
        *OF_ENTITIES,
        *OF_SITUATIONS,
        NOTHING_MORE,
        *values,
        *NUMBERS,
        *FIELDS.values(),
        YES,
        NO,
        PLEASE,
        *ENTITIES[:entities],
    )
