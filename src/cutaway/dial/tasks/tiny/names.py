"""Tasks on names: which of two comes next."""

from __future__ import annotations

from cutaway.dial.tasks.tiny import rules
from cutaway.dial.tasks.tiny.asking import Rule, Write, given, reserved
from cutaway.dial.tiny_python.blocks import unused
from cutaway.dial.tiny_python.expressions import digit, text
from cutaway.dial.tiny_python.vocabulary import ATTRIBUTES, CLASSES, LINES
from cutaway.dial.tiny_python.writer import Writer


def swap_first(w: Writer, second: bool) -> str:
    """Which name comes first on the right of a swap: the second of the left."""
    one, *others = three(w)
    w.write(one, ", ", others[second], " = ")
    return others[second]


def swap_last(w: Writer, second: bool) -> str:
    """Which name comes last in a swap: the first of the left."""
    shared, *others = three(w)
    w.write(others[second], ", ", shared, " = ", shared, ", ")
    return others[second]


def three(w: Writer) -> list[str]:
    """Three numbers."""
    names = reserved(w, 3)
    for name in names:
        w.write(name, " = ")
        digit(w)
        w.line()
    return names


def loop_variable(w: Writer, second: bool) -> str:
    """Which variable a loop's body begins with: the one of the innermost loop."""
    outer, inner = reserved(w, 2)[:: -1 if second else 1]
    w.write("for ", outer, " in ", "range", "(")
    digit(w)
    w.write(")", ":", LINES[1], "print", "(", outer, ")", LINES[1], "for ", inner, " in ", "range", "(")
    digit(w)
    w.write(")", ":", LINES[2], "print", "(")
    return inner


def with_variable(w: Writer, second: bool) -> str:
    """Which variable a `with` block begins with: its own file, not the one opened around it."""
    outer, inner = reserved(w, 2)[:: -1 if second else 1]
    w.write("with ", "open", "(")
    text(w)
    w.write(")", " as ", outer, ":", LINES[1], "print", "(", outer, ".", "read", "(", ")", ")")
    w.write(LINES[1], "with ", "open", "(")
    text(w)
    w.write(")", " as ", inner, ":", LINES[2], "print", "(")
    return inner


def while_variable(w: Writer, second: bool) -> str:
    """Which variable a `while` loop's body begins with: the one that it tests."""
    names = reserved(w, 2)
    for name in names:
        given(w, name, "int")
    w.write("while ", names[second], w.pick((" < ", " > ")))
    digit(w)
    w.write(":", LINES[1])
    return names[second]


def parameter(w: Writer, second: bool) -> str:
    """Which variable a function returns: its parameter, not a name from outside."""
    names = reserved(w, 2)
    for name in names:
        given(w, name, "int")
    w.write("def ", w.pick(unused(w)), "(", names[second], ")", ":", LINES[1], "return ")
    return names[second]


def self_attribute(w: Writer, second: bool) -> str:
    """Which attribute a method reads: the one that `__init__` sets."""
    attribute = w.rng.sample(ATTRIBUTES, 2)[second]
    name = class_of(w, attribute)
    w.write(LINES[1], "def ", name, "(", "self", ")", ":", LINES[2], "return ", "self", ".")
    return attribute


def object_attribute(w: Writer, second: bool) -> str:
    """Which attribute an object has: the one that its class's `__init__` sets."""
    attribute = w.rng.sample(ATTRIBUTES, 2)[second]
    kind = w.pick([name for name in CLASSES if name not in w.classes])
    name = class_of(w, attribute, kind)
    w.write(LINES[1], "def ", name, "(", "self", ")", ":", LINES[2], "return ", "self", ".", attribute, LINES[0])
    [made] = reserved(w, 1)
    w.write(made, " = ", kind, "(")
    digit(w)
    w.write(")", LINES[0], "print", "(", made, ".")
    return attribute


def class_of(w: Writer, attribute: str, kind: str | None = None) -> str:
    """A class with `__init__` that sets one attribute; gives a name for a method."""
    [given_name] = reserved(w, 1)
    w.write("class ", kind or w.pick([name for name in CLASSES if name not in w.classes]), ":", LINES[1])
    w.write("def ", "__init__", "(", "self", ", ", given_name, ")", ":")
    w.write(LINES[2], "self", ".", attribute, " = ", given_name)
    return w.pick(unused(w))


def method_self(w: Writer, second: bool) -> str:
    """What a function's parameters begin with: `self` in a class, none outside."""
    attribute = w.pick(ATTRIBUTES)
    name = class_of(w, attribute)
    other = w.pick([free for free in unused(w) if free != name])
    w.write(LINES[1], "def ", name, "(", "self", ")", ":", LINES[2], "return ", "self", ".", attribute)
    w.write(LINES[0 if second else 1], "def ", other, "(")
    return ")" if second else "self"


ASKED: tuple[tuple[Write, Rule], ...] = (
    (swap_first, rules.swapped),
    (swap_last, rules.swapped),
    (loop_variable, rules.variable),
    (with_variable, rules.variable),
    (while_variable, rules.variable),
    (parameter, rules.variable),
    (self_attribute, rules.attribute),
    (object_attribute, rules.attribute),
    (method_self, rules.first_parameter),
)
