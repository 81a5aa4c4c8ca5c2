"""Tasks on marks: which one closes a string or a bracket, and what separates what is inside."""

from __future__ import annotations

from cutaway.dial.tasks.tiny import rules
from cutaway.dial.tasks.tiny.asking import reserved
from cutaway.dial.tiny_python.blocks import unused
from cutaway.dial.tiny_python.expressions import digit, item, phrase, row, string
from cutaway.dial.tiny_python.vocabulary import CLOSING, LINES, OPENING
from cutaway.dial.tiny_python.writer import Writer


def quote_kind(w: Writer, second: bool) -> str:
    """Which quotation mark closes a string: the kind that opened it."""
    place(w)
    w.put(OPENING[second])
    phrase(w)
    return CLOSING[second]


def place(w: Writer) -> None:
    """Where a value begins: in an assignment, a call or a list."""
    [name] = w.fresh()
    w.write(*w.pick(((name, " = "), ("print", "("), (name, " = ", "["))))


def bracket_kind(w: Writer, second: bool) -> str:
    """Which bracket closes a list or a tuple of two."""
    place(w)
    w.put("(" if second else "[")
    item(w, w.depth - 2)
    w.put(", ")
    item(w, w.depth - 2)
    return ")" if second else "]"


def list_call(w: Writer, second: bool) -> str:
    """Which bracket closes a list or a call of `max`."""
    place(w)
    w.write(*(("max", "(") if second else ("[",)))
    digit(w)
    w.put(", ")
    digit(w)
    return ")" if second else "]"


def bracket_depth(w: Writer, second: bool) -> str:
    """Whether a list or the call around it is closed: one list is open or two."""
    w.write("print", "(", *["["] * second)
    row(w, w.depth - 2, "[", "]")
    return "]" if second else ")"


def line_end(w: Writer, second: bool) -> str:
    """Whether a line ends or a bracket is still open."""
    [name] = w.fresh()
    w.write(name, " = ", *["["] * second)
    row(w, w.depth - 2, "[", "]")
    return "]" if second else LINES[0]


def dict_list(w: Writer, second: bool) -> str:
    """What follows the first string: a colon in a dict, a comma in a list."""
    place(w)
    w.put("[" if second else "{")
    string(w)
    return ", " if second else ": "


def arity(w: Writer, second: bool) -> str:
    """Whether a call has another argument: as many as the function has parameters."""
    name = w.pick(unused(w))
    one, other = reserved(w, 2)
    w.write("def ", name, "(", one, *([", ", other] if second else []), ")", ":", LINES[1], "return ", one, LINES[0])
    place(w)
    w.write(name, "(")
    digit(w)
    return ", " if second else ")"


def comment_string(w: Writer, second: bool) -> str:
    """What ends a phrase: the line in a comment, the mark in a string."""
    kind = w.chance(0.5)
    w.write(*(("print", "(", OPENING[kind]) if second else ("# ",)))
    phrase(w)
    return CLOSING[kind] if second else LINES[0]


ASKED = (
    (quote_kind, rules.closing),
    (bracket_kind, rules.closing),
    (list_call, rules.closing),
    (bracket_depth, rules.closing),
    (line_end, rules.closing),
    (dict_list, rules.separator),
    (arity, rules.comma_or_closing),
    (comment_string, rules.closing),
)
