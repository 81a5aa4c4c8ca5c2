"""Words inside strings and comments, and what is special about them: quotes, braces, a `#` that starts no comment.

These are the look-alikes of code: a text that names `return` or holds a quote, a brace or an at sign, where Python sees none.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cutaway.concepts.code.marks import LONGEST, Mark

KEYWORDS = frozenset(keyword.kwlist) | {"returns", "yields", "raises", "asserts", "imports"}
_NEAR = 3  # words back in which a keyword counts as standing before a word
_OPENING = re.compile(r"([A-Za-z]*)(\"\"\"|'''|\"|')")
_WORD = re.compile(r"(?<![\\\w])\w+")
_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")
_QUOTED = re.compile(r"(?<!\w)(['\"`])([^'\"`\n]+)\1(?!\w)")
_APOSTROPHES = re.compile(r"(?<!\w)'([^'\n]+)'(?!\w)")
_BRACED = re.compile(r"\{([^{}\n]*)\}")
_HASH = re.compile(r"(?<=[\s#])#\s+(.+)")

_PAIRS = {"round": "()", "square": "[]", "curly": "{}"}

Words = tuple[Mark, tuple[str, ...]]


@dataclass(frozen=True)
class Quoted:
    """A string token as its parts: prefix, quotes, where its body begins and ends, and whether it is a docstring."""

    prefix: str
    quotes: str
    start: int
    end: int
    docstring: bool = False
    continued: bool = False

    @property
    def roles(self) -> tuple[str, ...]:
        """What holds of every word in it."""
        triple = len(self.quotes) == 3
        return (
            "in_string",
            "single_quoted" if self.quotes[0] == "'" else "double_quoted",
            "triple_quoted" if triple else "one_quoted",
            *(("docstring",) if self.docstring else ()),
            *(("triple_no_docstring",) if triple and not self.docstring else ()),
            *(("no_docstring",) if not self.docstring else ()),
            *(("concatenated",) if self.continued and not triple else ()),
        )


def opened(mark: Mark, docstring: bool = False, continued: bool = False) -> Quoted:
    """A string token taken apart.

    >>> opened(Mark("rb'ab'", "string", 10, 16, 0)).prefix
    'rb'
    """
    found = _OPENING.match(mark.string)
    assert found is not None  # every STRING of tokenize begins so
    start, size = mark.start + found.end(), len(found[2])
    return Quoted(found[1].lower(), found[2], start, mark.end - size, docstring, continued)


def words(text: str, code: tuple[Mark, ...], docstrings: frozenset[int], starts: Sequence[int]) -> Iterator[Words]:
    """Every word of a string or comment with its roles; names in the braces of f-strings have the kind field.

    Words further than a prompt is long from the start of their logical line are left out.
    """
    before: Mark | None = None
    for mark in code:
        far = starts[mark.line] + LONGEST
        if mark.kind == "string":
            quoted = opened(mark, mark.start in docstrings, before is not None and before.kind == "string")
            if "f" in quoted.prefix:
                yield from _formatted(text, mark, quoted, far)
            else:
                yield from _plain(text, mark, quoted, far)
        elif mark.kind == "comment":
            yield from _commented(text, mark, far)
        before = mark


def fields(text: str, quoted: Quoted) -> list[tuple[int, int]]:
    """The expressions in the braces of an f-string, as places in the source; none if one of them does not parse."""
    found, place = list[tuple[int, int]](), quoted.start
    while place < quoted.end:
        if text[place : place + 2] in ("{{", "}}"):
            place += 2
        elif text[place] == "{":
            end, behind = _expression(text, place + 1, quoted.end)
            if not _parses(text[place + 1 : end]):
                return []
            found.append((place + 1, end))
            place = behind
        else:
            place += 1
    return found


def _expression(text: str, start: int, limit: int) -> tuple[int, int]:
    """Where the expression that begins here ends (at its brace, `:` or `!r`), and the place behind its closing brace."""
    depth, end, quote = 0, None, ""
    for place in range(start, limit):
        one = text[place]
        if quote:
            quote = "" if one == quote else quote
        elif one in "'\"" and end is None:
            quote = one
        elif one == "}" and not depth:
            return place if end is None else end, place + 1
        elif one in "([{":
            depth += 1
        elif one in ")]}":
            depth -= 1
        elif not depth and end is None and (one == ":" or (one == "!" and text[place + 1] != "=")):
            end = place
    return limit if end is None else end, limit


def _parses(expression: str) -> bool:
    try:
        ast.parse(f"({expression.strip().removesuffix('=')})", mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _plain(text: str, mark: Mark, quoted: Quoted, far: int) -> Iterator[Words]:
    body = (quoted.start, quoted.end)
    extra: list[tuple[str, tuple[int, int]]] = []
    extra += [("braced", span) for span in _spans(_BRACED, text, *body)]
    extra += [("hash_in_string", span) for span in _spans(_HASH, text, *body)]
    if quoted.quotes[0] == '"':
        extra += [("apostrophes", span) for span in _spans(_APOSTROPHES, text, *body)]
    yield from _told(text, mark, *body, far, quoted.roles, extra)


def _commented(text: str, mark: Mark, far: int) -> Iterator[Words]:
    extra = [("quoted_in_comment", span) for span in _spans(_QUOTED, text, mark.start, mark.end)]
    yield from _told(text, mark, mark.start, mark.end, far, ("in_comment",), extra)


def _formatted(text: str, mark: Mark, quoted: Quoted, far: int) -> Iterator[Words]:
    inside = fields(text, quoted)
    for found in _WORD.finditer(text, quoted.start, min(quoted.end, far)):
        if not any(start <= found.start() < end for start, end in inside):
            braces = "{" in text[quoted.start : found.start()]
            roles = ("in_f_string", *(("closed_braces",) if braces and inside else ()))
            yield Mark(found[0], "word", *found.span(), mark.line), roles
    for start, end in inside:
        for found in _NAME.finditer(text, start, end):
            quotes = text.count("'", start, found.start()) + text.count('"', start, found.start())
            if found.end() <= far and not quotes and not keyword.iskeyword(found[0]):
                yield Mark(found[0], "field", *found.span(), mark.line), ("f_expression",)


def _told(
    text: str,
    mark: Mark,
    start: int,
    end: int,
    far: int,
    roles: Iterable[str],
    extra: Iterable[tuple[str, tuple[int, int]]],
) -> Iterator[Words]:
    """The words of one stretch; `told.X`: the keyword X is one of the three words before it on its physical line."""
    near: list[str] = []
    behind = begin = start
    for found in _WORD.finditer(text, start, min(end, far)):
        if "\n" in text[behind : found.start()]:
            near, begin = [], behind
        behind = found.end()
        holds = [*roles, *(role for role, (a, b) in extra if a <= found.start() < b)]
        holds += [f"told.{word}" for word in dict.fromkeys(near) if word in KEYWORDS]
        holds += ["digits"] if found[0].isdigit() else []
        holds += ["at_sign"] if text[found.start() - 1] == "@" else []
        for shape, (one, other) in _PAIRS.items():
            if text.rfind(one, begin, found.start()) > text.rfind(other, begin, found.start()):
                holds.append(f"told_{shape}")
        yield Mark(found[0], "word", *found.span(), mark.line), tuple(holds)
        near = [*near, found[0].lower()][-_NEAR:]


def _spans(pattern: re.Pattern[str], text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Where the first group of a pattern lies, or its second where the first is the quote."""
    last = pattern.groups
    return [found.span(last) for found in pattern.finditer(text, start, end)]
