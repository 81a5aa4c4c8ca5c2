"""Tasks on types: what may be done with a name depends on the value that it was given."""

from __future__ import annotations

from cutaway.dial.tasks.tiny import rules
from cutaway.dial.tasks.tiny.asking import Rule, Write, given, reserved
from cutaway.dial.tiny_python.expressions import digit, text
from cutaway.dial.tiny_python.vocabulary import LINES, METHODS
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


def file_str(w: Writer, second: bool) -> str:
    """Which method a name has: `read` of a file, `upper` of one of its lines."""
    [name] = reserved(w, 1)
    w.write(*(("for ", name, " in ") if second else ("with ",)), "open", "(")
    text(w)
    w.write(")", *([] if second else [" as ", name]), ":", LINES[1], "print", "(", name, ".")
    return "upper" if second else "read"


def operand(w: Writer, second: bool) -> str:
    """What is added to a name: a digit to a number, a string to a string."""
    [name, total] = reserved(w, 2)
    given(w, name, "str" if second else "int")
    w.write(total, " = ", name, " + ")
    return rules.OPERANDS["str" if second else "int"]


def added(w: Writer, second: bool) -> str:
    """What `+=` adds: a digit to a number, a string to a string."""
    [name] = reserved(w, 1)
    given(w, name, "str" if second else "int")
    w.write(name, " += ")
    return rules.OPERANDS["str" if second else "int"]


def index(w: Writer, second: bool) -> str:
    """What stands between the brackets: the number of a list's element or the string of a dict's."""
    [name] = reserved(w, 1)
    given(w, name, "dict" if second else "list")
    w.write("print", "(", name, "[")
    return rules.OPERANDS["dict" if second else "list"]


def range_variable(w: Writer, second: bool) -> str:
    """Which of two variables is counted to: the one that is a number."""
    names = reserved(w, 2)
    for name, kind in zip(names, ("str", "int") if second else ("int", "str")):
        w.write(name, " = ", kind, "(", ")", LINES[0])
    [loop] = reserved(w, 1)
    w.write("for ", loop, " in ", "range", "(")
    return names[second]


def step(w: Writer, second: bool) -> str:
    """Which way a `while` loop's variable goes: up towards a larger number, down towards a smaller one."""
    [name] = reserved(w, 1)
    given(w, name, "int")
    w.write("while ", name, " > " if second else " < ")
    digit(w)
    w.write(":", LINES[1], name)
    return " -= " if second else " += "


ASKED: tuple[tuple[Write, Rule], ...] = (
    (set_str, rules.method),
    (list_set, rules.method),
    (dict_list_method, rules.method),
    (file_str, rules.method_in_block),
    (operand, rules.operand),
    (added, rules.operand),
    (index, rules.operand),
    (range_variable, rules.number),
    (step, rules.direction),
)
