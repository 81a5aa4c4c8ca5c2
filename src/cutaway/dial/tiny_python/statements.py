"""Statements of one line: each writes itself if the names in scope allow it, and says whether they did."""

from __future__ import annotations

from cutaway.dial.tiny_python.expressions import (
    SHOWN,
    argument,
    digit,
    integer,
    item,
    number,
    phrase,
    string,
    text,
    value,
)
from cutaway.dial.tiny_python.vocabulary import APOSTROPHES, METHODS, PLACES, VERBS
from cutaway.dial.tiny_python.writer import Writer

KINDS = ("int",) * 6 + ("str",) * 4 + ("list",) * 3 + ("set",) * 4 + ("dict",) * 3
ENOUGH = 4
"""With so many names in scope an assignment is as likely to give one of them a new value."""


def assign(w: Writer) -> bool:
    """`a = …`: a new name, or a new value of the same type for an old one."""
    old = w.of(*SHOWN[:-1])
    if w.crowded and not old:
        return show(w)
    if w.crowded or (len(old) >= ENOUGH and w.random() < 0.5):
        name = w.pick(old)
        kind = w.names[name]
    else:
        [name], kind = w.fresh(), w.pick(KINDS)
    w.write(name, " = ")
    value(w, kind)
    w.names[name] = kind
    return True


def augment(w: Writer) -> bool:
    """`a += …` of a number or a string."""
    names = w.of("int", "str")
    if not names:
        return False
    name = w.pick(names)
    w.put(name)
    if w.names[name] == "str":
        w.put(" += ")
        text(w)
    else:
        w.put(w.pick((" += ", " -= ")))
        number(w)
    return True


def show(w: Writer) -> bool:
    """`print(…)`."""
    w.write("print", "(")
    item(w, w.depth)
    while w.random() < 0.3:
        w.put(", ")
        item(w, w.depth)
    w.put(")")
    return True


def method(w: Writer) -> bool:
    """`a.append(…)`: a method of the name's type."""
    names = w.of("str", "list", "set", "dict")
    if not names:
        return False
    name = w.pick(names)
    chosen = w.pick(METHODS[w.names[name]])
    w.write(name, ".", chosen, "(")
    if chosen in ("append", "add", "discard"):
        item(w, w.depth - 1)
    elif chosen == "get":
        string(w)
    w.put(")")
    return True


def swap(w: Writer) -> bool:
    """`a, b = b, a` of two names of one type."""
    first = w.pick(w.of(*SHOWN) or [""])
    others = [name for name in w.of(w.names.get(first, "")) if name != first]
    if not others:
        return False
    second = w.pick(others)
    w.write(first, ", ", second, " = ", second, ", ", first)
    return True


def call(w: Writer) -> bool:
    """A function of the program with as many arguments as it takes; its result printed, kept or dropped."""
    if not w.functions:
        return False
    name = w.pick(tuple(w.functions))
    function = w.functions[name]
    r = w.random()
    kept = w.fresh()[0] if r < 0.5 and not w.crowded else ""
    w.write(*([kept, " = "] if kept else ["print", "("] if r < 0.75 else []), name)
    arguments(w, function.parameters)
    if kept:
        w.names[kept] = function.result
    elif r < 0.75:
        w.put(")")
    return True


def arguments(w: Writer, kinds: tuple[str, ...]) -> None:
    """`(…)` with an argument of each type."""
    w.put("(")
    for place, kind in enumerate(kinds):
        if place:
            w.put(", ")
        argument(w, kind)
    w.put(")")


def make(w: Writer) -> bool:
    """`a = Box(…)`: an object of a class of the program."""
    if not w.classes or w.crowded:
        return False
    kind = w.pick(tuple(w.classes))
    [name] = w.fresh()
    w.write(name, " = ", kind)
    arguments(w, tuple(w.classes[kind].attributes.values()))
    w.names[name] = kind
    return True


def ask(w: Writer) -> bool:
    """An object's attribute printed or set, or one of its methods called; without an object, one is made."""
    names = w.of(*w.classes)
    if not names:
        return make(w)
    name = w.pick(names)
    kind = w.classes[w.names[name]]
    attribute = w.pick(tuple(kind.attributes))
    if w.random() < 0.3:
        w.write(name, ".", attribute, " = ")
        value(w, kind.attributes[attribute])
    elif w.random() < 0.5:
        w.write("print", "(", name, ".", attribute, ")")
    else:
        w.write("print", "(", name, ".", w.pick(tuple(kind.methods)), "(", ")", ")")
    return True


def comment(w: Writer) -> bool:
    """`# red sky isn't here`."""
    w.put("# ")
    phrase(w)
    if w.random() < 0.5:
        w.put(w.pick(APOSTROPHES if w.random() < w.apostrophes else VERBS))
        w.put(w.pick(PLACES))
    return True


def use(w: Writer, name: str) -> None:
    """A line that does something with a name: what a loop's body begins with."""
    lists, numbers = w.of("list"), [other for other in w.of("int") if other != name]
    r = w.random()
    if r < 0.25 and lists:
        w.write(w.pick(lists), ".", "append", "(", name, ")")
    elif r < 0.5 and numbers and w.names[name] == "int":
        w.write(w.pick(numbers), " += ", name)
    elif r < 0.6 and w.names[name] == "str":
        w.write("print", "(", name, ".", w.pick(("upper", "lower")), "(", ")", ")")
    else:
        w.write("print", "(", name)
        while w.random() < 0.3:
            w.put(", ")
            item(w, 1)
        w.put(")")


def give(w: Writer) -> str:
    """`return …` of a function: begins with one of its parameters where it has any. Gives the type of what is returned."""
    names = w.of("int", "str", "list")
    w.put("return ")
    if not names:
        digit(w)
        return "int"
    name = w.pick(names)
    kind = w.names[name]
    w.put(name)
    return extend(w, kind)


def extend(w: Writer, kind: str) -> str:
    """What may follow a value of a type in a `return`; gives the type of the whole."""
    r = w.random()
    if kind == "int" and r < 0.5:
        w.put(w.pick((" + ", " - ", " * ")))
        integer(w)
    elif kind == "str" and r < 0.5:
        if r < 0.25:
            w.put(" + ")
            text(w)
        else:
            w.write(".", w.pick(("upper", "lower")), "(", ")")
    return kind
