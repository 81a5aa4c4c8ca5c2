"""Values of tiny Python: numbers, strings, brackets that nest, and expressions of a wanted type from the names in scope."""

from __future__ import annotations

from collections.abc import Callable

from cutaway.dial.tiny_python.vocabulary import CLOSING, COLOURS, DIGITS, NOUNS, OPENING
from cutaway.dial.tiny_python.writer import Writer

SHOWN = ("int", "str", "list", "set", "dict", "any")
"""The types whose values are printed and put into brackets."""
SIZED = ("str", "list", "set", "dict")


def digit(w: Writer) -> None:
    """A number of one digit."""
    w.put(w.pick(DIGITS))


def string(w: Writer) -> None:
    """A colour and some nouns between quotation marks of either kind."""
    kind = w.random() < 0.5
    w.put(OPENING[kind])
    phrase(w)
    w.put(CLOSING[kind])


def phrase(w: Writer) -> None:
    """A colour and some nouns, as strings and comments have them."""
    w.put(w.pick(COLOURS))
    while w.random() < 0.4:
        w.put(w.pick(NOUNS))


def named(w: Writer, *kinds: str) -> bool:
    """A name in scope of one of these types; False if there is none."""
    names = w.of(*kinds)
    if names:
        w.put(w.pick(names))
    return bool(names)


def number(w: Writer) -> None:
    """A digit, a name or a length."""
    r = w.random()
    if r < 0.5 and named(w, "int"):
        return
    if r > 0.9 and (names := w.of(*SIZED)):
        w.write("len", "(", w.pick(names), ")")
    else:
        digit(w)


def text(w: Writer) -> None:
    """A string, a name, or a name in capitals."""
    r = w.random()
    if r < 0.4 and named(w, "str"):
        if r < 0.1:
            w.write(".", w.pick(("upper", "lower")), "(", ")")
    else:
        string(w)


def row(w: Writer, depth: int, opens: str, closes: str, least: int = 1) -> None:
    """Items between two brackets."""
    w.put(opens)
    item(w, depth - 1)
    for _ in range(least - 1):
        w.put(", ")
        item(w, depth - 1)
    while w.random() < 0.35:
        w.put(", ")
        item(w, depth - 1)
    w.put(closes)


def mapping(w: Writer, depth: int) -> None:
    """A dict of strings."""
    w.put("{")
    string(w)
    w.put(": ")
    item(w, depth - 1)
    while w.random() < 0.35:
        w.put(", ")
        string(w)
        w.put(": ")
        item(w, depth - 1)
    w.put("}")


def subscript(w: Writer) -> bool:
    """An element of a list or dict in scope; False if there is none."""
    names = w.of("list", "dict")
    if not names:
        return False
    name = w.pick(names)
    w.write(name, "[")
    if w.names[name] == "list":
        digit(w)
    else:
        string(w)
    w.put("]")
    return True


def bracket(w: Writer, depth: int) -> None:
    """A list, a tuple, a dict or a call."""
    r = w.random()
    if r < 0.35:
        row(w, depth, "[", "]")
    elif r < 0.6:
        row(w, depth, "(", ")", least=2)
    elif r < 0.7:
        mapping(w, depth)
    elif r < 0.85 and depth > 1:
        w.put(w.pick(("len", "sum")))
        w.put("(")
        row(w, depth - 1, "[", "]")
        w.put(")")
    else:
        w.write("max", "(")
        if not named(w, "int"):
            digit(w)
        w.put(", ")
        digit(w)
        w.put(")")


def item(w: Writer, depth: int) -> None:
    """Anything that may be printed or stand in a bracket."""
    r = w.random()
    if r < 0.33 and named(w, *SHOWN):
        return
    if depth > 0 and r > 0.62:
        if r < 0.9 or not subscript(w):
            bracket(w, depth)
    elif r > 0.5:
        string(w)
    else:
        digit(w)


def integer(w: Writer) -> None:
    """A number, or two with an operator between them."""
    number(w)
    if w.random() < 0.35:
        w.put(w.pick((" + ", " - ", " * ")))
        number(w)


def words(w: Writer) -> None:
    """A text, or two joined."""
    text(w)
    if w.random() < 0.35:
        w.put(" + ")
        text(w)


def sequence(w: Writer) -> None:
    """A list, sorted or split or written out."""
    r = w.random()
    names = w.of(*SIZED)
    if r < 0.15 and names:
        w.write("sorted", "(", w.pick(names), ")")
    elif r < 0.3 and named(w, "str"):
        w.write(".", "split", "(", ")")
    elif r < 0.4 and named(w, "dict"):
        w.write(".", "keys", "(", ")")
    else:
        row(w, w.depth, "[", "]")


def collection(w: Writer) -> None:
    """A set of the elements of something."""
    names = w.of(*SIZED)
    w.write("set", "(", *([w.pick(names)] if names and w.random() < 0.5 else []), ")")


VALUES: dict[str, Callable[[Writer], None]] = {
    "int": integer,
    "str": words,
    "list": sequence,
    "set": collection,
    "dict": lambda w: mapping(w, w.depth),
}


def value(w: Writer, kind: str) -> None:
    """An expression of a type; now and then the type's own empty value."""
    if w.random() < 0.5:
        w.write(kind, "(", ")")
    else:
        VALUES[kind](w)


def argument(w: Writer, kind: str) -> None:
    """What is given for a parameter of a type."""
    if kind == "int":
        number(w)
    elif kind == "str":
        text(w)
    elif w.random() < 0.5 or not named(w, kind):
        VALUES[kind](w)


def comparison(w: Writer) -> None:
    """A number against a digit or a name; never ends in a string, so a header's colon never follows one."""
    if w.random() < 0.25 and (names := w.of(*SIZED)):
        w.write("len", "(", w.pick(names), ")")
    elif not named(w, "int"):
        digit(w)
    w.put(w.pick((" < ", " > ", " == ")))
    if w.random() < 0.6 or not named(w, "int"):
        digit(w)


def condition(w: Writer) -> None:
    """What `if` asks."""
    if w.random() < 0.12 and (names := w.of(*SIZED)):
        w.write("not ", w.pick(names))
    else:
        comparison(w)
    if w.random() < 0.12:
        w.put(w.pick((" and ", " or ")))
        comparison(w)
