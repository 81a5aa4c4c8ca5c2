"""The true programs of the tasks on tiny Python: from a prompt's tokens to the next one, without the writer that made it."""

from __future__ import annotations

from cutaway.dial.tiny_python.vocabulary import CLOSING, CONSTRUCTORS, LINES, METHODS, OPENING

CLOSES = {"[": "]", "(": ")", "{": "}", **dict(zip(OPENING, CLOSING))}


def open_marks(tokens: list[str]) -> list[str]:
    """What is open at the end, outermost first."""
    marks: list[str] = []
    for token in tokens:
        if token in CLOSES:
            marks.append(token)
        elif token in CLOSES.values():
            marks.pop()
    return marks


def lines(tokens: list[str]) -> list[tuple[int, list[str]]]:
    """The lines with their levels; <|bos|> is left out."""
    found: list[tuple[int, list[str]]] = [(0, [])]
    for token in tokens[1:]:
        if token in LINES:
            found.append((LINES.index(token), []))
        else:
            found[-1][1].append(token)
    return found


def header(tokens: list[str]) -> list[str]:
    """The line that opened the block of the last one."""
    *before, (level, _) = lines(tokens)
    return next(line for outer, line in reversed(before) if outer < level)


def closing(tokens: list[str]) -> str:
    """Closes what was opened last; with nothing open, the line ends and the next one has the same level."""
    marks = open_marks(tokens)
    return CLOSES[marks[-1]] if marks else LINES[lines(tokens)[-1][0]]


def separator(tokens: list[str]) -> str:
    """A key is followed by a colon, an element by a comma."""
    return ": " if open_marks(tokens)[-1] == "{" else ", "


def comma_or_closing(tokens: list[str]) -> str:
    """A comma while the function that is called has more parameters than were given."""
    name, given = tokens[-3], 1
    start = max(at for at in range(len(tokens) - 1) if tokens[at] == "def " and tokens[at + 1] == name)
    parameters = tokens[start + 3 : tokens.index(")", start)]
    return ", " if len(parameters) - parameters.count(", ") > given else ")"


def constructed(tokens: list[str], name: str) -> str:
    """The constructor that last gave a name its value."""
    return next(
        tokens[at + 2]
        for at in range(len(tokens) - 3, 0, -1)
        if tokens[at : at + 2] == [name, " = "] and tokens[at + 2] in CONSTRUCTORS
    )


def method(tokens: list[str]) -> str:
    """The first method of the type of the name before the dot."""
    return METHODS[constructed(tokens, tokens[-2])][0]


def method_in_block(tokens: list[str]) -> str:
    """The first method of a file that `with` opened, or of a line that `for` reads."""
    return METHODS["file" if header(tokens)[0] == "with " else "str"][0]


OPERANDS = {"int": "1", "str": "'…", "list": "1", "dict": "'…"}
"""How what is added to a value of a type, or asked of it, begins."""


def operand(tokens: list[str]) -> str:
    """A string for strings and dicts, a number for numbers and lists; the name is the last but one token."""
    return OPERANDS[constructed(tokens, tokens[-2])]


def number(tokens: list[str]) -> str:
    """The last name that was made a number."""
    return next(
        tokens[at - 2]
        for at in range(len(tokens) - 1, 0, -1)
        if tokens[at : at + 3] == ["int", "(", ")"] and tokens[at - 1] == " = "
    )


def direction(tokens: list[str]) -> str:
    """Up while the variable is less, down while it is greater."""
    return " += " if " < " in header(tokens) else " -= "


def swapped(tokens: list[str]) -> str:
    """The names on the left in the other order."""
    line = lines(tokens)[-1][1]
    first, _, second, _, *right = line
    return first if right else second


def variable(tokens: list[str]) -> str:
    """The name that the header of the block gives or tests."""
    line = header(tokens)
    places = {"for ": 1, "while ": 1, "def ": 3}
    return line[places[line[0]]] if line[0] in places else line[-2]


def attribute(tokens: list[str]) -> str:
    """What the last `__init__` sets."""
    start = len(tokens) - tokens[::-1].index("__init__")
    return tokens[tokens.index("self", start + 2) + 2]


def first_parameter(tokens: list[str]) -> str:
    """`self` in a class."""
    return "self" if lines(tokens)[-1][0] else ")"


def after_loop_variable(tokens: list[str]) -> str:
    """`in` after `for`."""
    return " in " if tokens[-2] == "for " else " < "


def after_number(tokens: list[str]) -> str:
    """A comparison after `if`."""
    return " < " if tokens[-2] == "if " else " = "


def after_bracket(tokens: list[str]) -> str:
    """What the line's first word asks for after a bracket."""
    return {"with ": " as ", "for ": ":", "def ": ":"}.get(lines(tokens)[-1][1][0], LINES[0])


def indentation(tokens: list[str]) -> str:
    """One level further after a colon, none after `return`, the same otherwise."""
    level, line = lines(tokens)[-1]
    return LINES[level + 1 if line[-1] == ":" else 0 if line[0] == "return " else level]


def after_block(tokens: list[str]) -> str:
    """`else` after the block of `if` or `elif`."""
    level = lines(tokens)[-1][0]
    opening = next(line for outer, line in reversed(lines(tokens)[:-1]) if outer == level)
    return "else" if opening[0] in ("if ", "elif ") else "print"
