"""Tasks on types: what may be done with a name depends on the value that it was given."""

from __future__ import annotations

from cutaway.dial.tasks.tiny import rules
from cutaway.dial.tasks.tiny.asking import Rule, Write, given, reserved
from cutaway.dial.tiny_python.vocabulary import METHODS
from cutaway.dial.tiny_python.writer import Writer


def method_of(w: Writer, kind: str) -> str:
    """`a = set()` … `a.`: the method of its type."""
    [name] = reserved(w, 1)
    given(w, name, kind)
    w.write(name, ".")
    return METHODS[kind][0]


def set_str(w: Writer, second: bool) -> str:
    """Which method a name has: `add` of a set, `upper` of a string."""
    return method_of(w, "str" if second else "set")


def list_set(w: Writer, second: bool) -> str:
    """Which method a name has: `append` of a list, `add` of a set."""
    return method_of(w, "set" if second else "list")


def dict_list_method(w: Writer, second: bool) -> str:
    """Which method a name has: `keys` of a dict, `append` of a list."""
    return method_of(w, "list" if second else "dict")


ASKED: tuple[tuple[Write, Rule], ...] = (
    (set_str, rules.method),
    (list_set, rules.method),
    (dict_list_method, rules.method),
)
