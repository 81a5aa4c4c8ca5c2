"""Tasks on blocks: which keyword, operator, colon or indentation comes next."""

from __future__ import annotations

from cutaway.dial.tasks.tiny import rules
from cutaway.dial.tasks.tiny.asking import Rule, Write, given, reserved
from cutaway.dial.tiny_python.blocks import unused
from cutaway.dial.tiny_python.expressions import digit, text
from cutaway.dial.tiny_python.vocabulary import DIGITS, LINES
from cutaway.dial.tiny_python.writer import Writer


def for_while(w: Writer, second: bool) -> str:
    """What follows the variable of a loop: `in` after `for`, an operator after `while`."""
    [name] = reserved(w, 1)
    given(w, name, "int")
    w.write("while " if second else "for ", name)
    return " < " if second else " in "


def if_assign(w: Writer, second: bool) -> str:
    """What follows a number's name: a comparison after `if`, an assignment at the start of a line."""
    [name] = reserved(w, 1)
    given(w, name, "int")
    w.write(*([] if second else ["if "]), name)
    return " = " if second else " < "


def with_as(w: Writer, second: bool) -> str:
    """What follows an opened file: `as` after `with`, a colon after `for`."""
    [name] = reserved(w, 1)
    w.write(*(("for ", name, " in ") if second else ("with ",)), "open", "(")
    text(w)
    w.put(")")
    return ":" if second else " as "


def def_call(w: Writer, second: bool) -> str:
    """What follows a bracket: a colon after a function's parameters, the next line after a call's arguments."""
    names = reserved(w, 2)
    for name in names:
        given(w, name, "int")
    w.write(*(("print",) if second else ("def ", w.pick(unused(w)))), "(", names[0], ", ", names[1], ")")
    return LINES[0] if second else ":"


def indent(w: Writer, second: bool) -> str:
    """How far the line after a colon is indented: one level further than the line with the colon."""
    outer, inner = reserved(w, 2)
    w.write("for ", outer, " in ", "range", "(")
    digit(w)
    w.write(")", ":", LINES[1], "print", "(", outer, ")", LINES[0 if second else 1])
    w.write("for ", inner, " in ", "range", "(")
    digit(w)
    w.write(")", ":")
    return LINES[1 if second else 2]


def return_ends(w: Writer, second: bool) -> str:
    """How far the next line is indented: not at all after a function's `return`."""
    name, kept = reserved(w, 2)
    w.write("def ", w.pick(unused(w)), "(", name, ")", ":", LINES[1])
    w.write(*((kept, " = ") if second else ("return ",)), name)
    return LINES[1 if second else 0]


def if_else(w: Writer, second: bool) -> str:
    """What comes after a block: `else` after that of `if`, another statement after that of `while`."""
    [name] = reserved(w, 1)
    given(w, name, "int")
    w.write("while " if second else "if ", name, " < ")
    digit(w)
    w.write(":", LINES[1], name, " += ")
    digit(w)
    w.line()
    return "print" if second else "else"


def elif_else(w: Writer, second: bool) -> str:
    """What comes after a block: `else` after that of `elif`, another statement after that of `else`."""
    [name] = reserved(w, 1)
    given(w, name, "int")
    w.write("if ", name, " < ")
    digit(w)
    w.write(":", LINES[1], name, " += ")
    digit(w)
    w.line()
    limit = w.pick(DIGITS)
    w.write(*(("else",) if second else ("elif ", name, " > ", limit)), ":", LINES[1], name, " -= ")
    digit(w)
    w.line()
    return "print" if second else "else"


ASKED: tuple[tuple[Write, Rule], ...] = (
    (for_while, rules.after_loop_variable),
    (if_assign, rules.after_number),
    (with_as, rules.after_bracket),
    (def_call, rules.after_bracket),
    (indent, rules.indentation),
    (return_ends, rules.indentation),
    (if_else, rules.after_block),
    (elif_else, rules.after_block),
)
