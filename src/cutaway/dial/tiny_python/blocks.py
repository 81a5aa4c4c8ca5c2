"""Statements with a block of their own, and whole programs.

What makes a continuation certain is kept on purpose: a `for` loop's body begins with its variable in use, a `while` loop's
with the step of the variable that it tests, a `with` block's with its file; every `if` has an `else`; a function knows its
own parameters only and ends with `return`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from cutaway.dial.tiny_python.expressions import condition, digit, number, text
from cutaway.dial.tiny_python.statements import (
    ask,
    assign,
    augment,
    call,
    comment,
    extend,
    give,
    method,
    show,
    swap,
    use,
)
from cutaway.dial.tiny_python.vocabulary import ATTRIBUTES, CLASSES, FUNCTIONS
from cutaway.dial.tiny_python.writer import Class, Function, Writer

Statement = Callable[[Writer], bool]


def loop(w: Writer) -> bool:
    """`for a in …:`; now and then with the name of a number, over numbers."""
    numbers = w.of("int") if w.random() < 0.2 else []
    if w.crowded and not numbers:
        return False
    name = w.pick(numbers or w.fresh())
    w.write("for ", name, " in ")
    kind = counted(w) if numbers else iterated(w)
    w.put(":")
    with w.scope():
        w.names[name] = kind
        w.line()
        use(w, name)
        more(w)
    return True


def iterated(w: Writer) -> str:
    """What a loop runs over; gives the type of its elements."""
    r = w.random()
    names = w.of("str", "list", "set")
    if r < 0.4 and names:
        name = w.pick(names)
        w.put(name)
        return "str" if w.names[name] == "str" else "any"
    if r < 0.55 and (names := w.of("dict")):
        w.write(w.pick(names), ".", "keys", "(", ")")
        return "str"
    if r < 0.65:
        w.write("open", "(")
        text(w)
        w.put(")")
        return "str"
    return counted(w)


def counted(w: Writer) -> str:
    """`range(…)`."""
    w.write("range", "(")
    number(w)
    w.put(")")
    return "int"


def repeat(w: Writer) -> bool:
    """`while a < 5:`, whose body begins with a step of that name in the right direction."""
    names = w.of("int")
    if not names:
        return False
    name, up = w.pick(names), w.random() < 0.5
    w.write("while ", name, " < " if up else " > ")
    digit(w)
    w.put(":")
    with w.scope():
        w.line()
        w.write(name, " += " if up else " -= ")
        digit(w)
        more(w)
    return True


def choose(w: Writer) -> bool:
    """`if`, sometimes `elif`, and always `else`."""
    w.put("if ")
    branch(w, asks=True)
    while w.random() < 0.25:
        w.line()
        w.put("elif ")
        branch(w, asks=True)
    w.line()
    w.put("else")
    branch(w, asks=False)
    return True


def branch(w: Writer, asks: bool) -> None:
    """A condition, if one is asked, a colon and a block."""
    if asks:
        condition(w)
    w.put(":")
    with w.scope():
        w.line()
        simple(w)
        more(w)


def opened(w: Writer) -> bool:
    """`with open(…) as a:`."""
    if w.crowded:
        return False
    w.write("with ", "open", "(")
    text(w)
    [name] = w.fresh()
    w.write(")", " as ", name, ":")
    with w.scope():
        w.names[name] = "file"
        w.line()
        handle(w, name)
        more(w)
    return True


def handle(w: Writer, name: str) -> None:
    """A line that reads or writes a file."""
    r = w.random()
    if r < 0.35:
        w.write("print", "(", name, ".", "read", "(", ")", ")")
    elif r < 0.7:
        [read] = w.fresh()
        w.write(read, " = ", name, ".", "read", "(", ")")
        w.names[read] = "str"
    else:
        w.write(name, ".", "write", "(")
        text(w)
        w.put(")")


def define(w: Writer) -> bool:
    """`def load(a, b):`; its name is new in the program."""
    free = unused(w)
    if not free:
        return False
    name = w.pick(free)
    kinds = tuple(w.pick(("int", "int", "str", "list")) for _ in range(int(w.random() * 4)))
    w.write("def ", name)
    with w.scope({}):
        parameters = w.fresh(len(kinds))  # a parameter may have the name of a variable outside
        signature(w, parameters)
        w.names.update(zip(parameters, kinds))
        while w.random() < 0.4:
            w.line()
            simple(w)
        w.line()
        result = give(w)
    w.functions[name] = Function(kinds, result)
    return True


def signature(w: Writer, parameters: list[str]) -> None:
    """`(a, b):`."""
    w.put("(")
    for place, parameter in enumerate(parameters):
        if place:
            w.put(", ")
        w.put(parameter)
    w.write(")", ":")


def unused(w: Writer) -> list[str]:
    """The function names that no function and no method has yet."""
    methods = {name for kind in w.classes.values() for name in kind.methods}
    return [name for name in FUNCTIONS if name not in w.functions and name not in methods]


def declare(w: Writer) -> bool:
    """`class Box:` with `__init__`, which sets its attributes, and a method or two that read them."""
    free = [name for name in CLASSES if name not in w.classes]
    if not free or len(unused(w)) < 2:
        return False
    name = w.pick(free)
    w.write("class ", name, ":")
    attributes = {attribute: w.pick(("int", "str")) for attribute in pair(w)}
    methods: dict[str, str] = {}
    with w.scope({}):
        w.line()
        initialise(w, attributes)
        for method_name in w.rng.sample(unused(w), 1 + (w.random() < 0.3)):
            w.line()
            methods[method_name] = reading(w, method_name, attributes)
    w.classes[name] = Class(attributes, methods)
    return True


def pair(w: Writer) -> list[str]:
    """One or two attribute names."""
    return w.rng.sample(ATTRIBUTES, 1 + (w.random() < 0.5))


def initialise(w: Writer, attributes: dict[str, str]) -> None:
    """`def __init__(self, a):` and the attributes that it sets."""
    w.write("def ", "__init__")
    parameters = w.fresh(len(attributes))
    signature(w, ["self", *parameters])
    with w.scope():
        for attribute, parameter in zip(attributes, parameters):
            w.line()
            w.write("self", ".", attribute, " = ", parameter)


def reading(w: Writer, name: str, attributes: dict[str, str]) -> str:
    """`def grow(self):` that returns something made of an attribute; gives its type."""
    w.write("def ", name)
    signature(w, ["self"])
    with w.scope({}):
        w.line()
        attribute = w.pick(tuple(attributes))
        if attributes[attribute] == "int" and w.random() < 0.4:
            w.write("self", ".", attribute, w.pick((" += ", " -= ")))
            digit(w)
            w.line()
        w.write("return ", "self", ".", attribute)
        return extend(w, attributes[attribute])


def more(w: Writer) -> None:
    """The rest of a block."""
    while w.random() < 0.25:
        w.line()
        statement(w)


LINE: dict[Statement, float] = {assign: 22, augment: 12, show: 20, method: 26, swap: 24, call: 12, ask: 10}
BLOCK: dict[Statement, float] = {loop: 14, repeat: 20, choose: 9, opened: 8}
TOP: dict[Statement, float] = {define: 12, declare: 10}


def table(*weights: dict[Statement, float]) -> tuple[tuple[Statement, ...], tuple[float, ...]]:
    """The statements to choose from, and the cumulative shares of their weights."""
    merged = {statement: weight for part in weights for statement, weight in part.items()}
    total = sum(merged.values())
    return tuple(merged), tuple(share / total for share in accumulate(merged.values()))


LINES_ONLY, INSIDE, OUTSIDE = table(LINE), table(LINE, BLOCK), table(LINE, BLOCK, TOP)


def chosen(w: Writer, choices: tuple[tuple[Statement, ...], tuple[float, ...]]) -> None:
    """One of the statements; where the names in scope do not allow it, an assignment."""
    r = w.random()
    for candidate, share in zip(*choices):
        if r < share:
            if not candidate(w):
                assign(w)
            return


def simple(w: Writer) -> None:
    """A statement of one line."""
    chosen(w, LINES_ONLY)


def statement(w: Writer) -> None:
    """Any statement that this level allows, a comment before it now and then."""
    if w.random() < w.comments:
        comment(w)
        w.line()
    chosen(w, LINES_ONLY if w.level >= w.blocks else INSIDE if w.level else OUTSIDE)


def program(w: Writer, statements: int) -> None:
    """So many statements, each on its own line."""
    for _ in range(statements):
        statement(w)
        w.line()
