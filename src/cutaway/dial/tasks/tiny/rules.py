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
