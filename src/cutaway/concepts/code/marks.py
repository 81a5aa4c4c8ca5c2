"""A Python source as marks: every token, and every word inside a string or comment, with its place and the line it belongs to.

`tokenize` says where tokens are. An f-string is one token here on every Python (from 3.12 on `tokenize` cuts it up), so that
a corpus is labelled alike by all of them.
"""

from __future__ import annotations

import ast
import io
import keyword
import token as kinds
import tokenize
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Literal

Kind = Literal["name", "keyword", "number", "string", "operator", "comment", "newline", "word", "field"]
LONGEST = 240  # characters of a prompt: about 100 tokens
WANTED = 120  # up to here whole lines above the statement are added

_KINDS: dict[int, Kind] = {
    kinds.NUMBER: "number",
    kinds.STRING: "string",
    kinds.OP: "operator",
    kinds.COMMENT: "comment",
    kinds.NEWLINE: "newline",
}
_F_START, _F_END = getattr(kinds, "FSTRING_START", -1), getattr(kinds, "FSTRING_END", -1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A token, or a word of a string or comment (word), or a name in an f-string's braces (field).

    `start` and `end` count characters of the source; `line` is the number of the logical line that it belongs to.
    """

    string: str
    kind: Kind
    start: int
    end: int
    line: int


@dataclass(frozen=True)
class Lines:
    """Logical lines: where each begins (the start of its first physical line), its indentation level, and where the def
    around it begins (None: no def)."""

    starts: tuple[int, ...]
    levels: tuple[int, ...]
    scopes: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Source:
    """A parsed source: `code` are its tokens in order, `words` what stands inside of strings and comments.

    `ranges` are the pieces of code in a role, as first and last token; `roles` the words in a role. Both by the role's name.
    """

    name: str
    text: str
    lines: Lines
    code: tuple[Mark, ...]
    words: tuple[Mark, ...] = ()
    ranges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    roles: dict[str, list[int]] = field(default_factory=dict)

    def begin(self, end: int, line: int, above: int = 0) -> int | None:
        """Where the prompt that is cut at `end` begins: with its statement, `above` lines up at least; None if too long.

        Whole lines are added before it, down from the def that it stands in, while the prompt stays short.
        """
        first = line - above
        if first < 0 or end - self.lines.starts[first] > LONGEST:
            return None
        floor = self.lines.scopes[line] or 0
        while first and self.lines.starts[first - 1] >= floor and end - self.lines.starts[first - 1] <= WANTED:
            first -= 1
        return self.lines.starts[first]


class Places:
    """Characters of a source by line and column, of `tokenize` (characters) and of `ast` (UTF-8 bytes)."""

    def __init__(self, text: str) -> None:
        # Not splitlines: a form feed ends no line in Python.
        self.lines = io.StringIO(text).readlines()
        self.starts = [0, *accumulate(map(len, self.lines))]

    def of_token(self, row: int, column: int) -> int:
        """The place that `tokenize` means."""
        return self.starts[row - 1] + column

    def of_node(
        self, node: ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias | ast.excepthandler
    ) -> tuple[int, int]:
        """The first place of a node, and the one behind it."""
        assert node.end_lineno is not None and node.end_col_offset is not None  # ast.parse always gives them
        return self._byte(node.lineno, node.col_offset), self._byte(node.end_lineno, node.end_col_offset)

    def _byte(self, row: int, column: int) -> int:
        line = self.lines[row - 1] if row <= len(self.lines) else ""
        return self.starts[row - 1] + (column if line.isascii() else len(line.encode()[:column].decode()))


def tokens(text: str, places: Places) -> tuple[tuple[Mark, ...], Lines]:
    """The tokens of a source, and its logical lines; a comment of its own line is a logical line too.

    Raises what `tokenize` raises.
    """
    found: list[Mark] = []
    starts: list[int] = []
    levels: list[int] = []
    level, fresh = 0, True
    for part in _whole(tokenize.generate_tokens(io.StringIO(text).readline)):
        level += (part.type == kinds.INDENT) - (part.type == kinds.DEDENT)
        kind = _kind(part)
        if kind is None:
            fresh = fresh or (part.type == kinds.NL and bool(found) and _alone(found[-1], text, starts))
            continue
        start, end = places.of_token(*part.start), places.of_token(*part.end)
        if fresh:
            starts.append(places.starts[part.start[0] - 1])
            levels.append(level)
        found.append(Mark("\n" if kind == "newline" else text[start:end], kind, start, end, len(starts) - 1))
        fresh = kind == "newline"
    return tuple(found), Lines(tuple(starts), tuple(levels))


def within_defs(lines: Lines, tree: ast.Module, places: Places) -> Lines:
    """The logical lines with the innermost def around each."""
    scopes: list[int | None] = [None] * len(lines.starts)
    for node in ast.walk(tree):  # outer before inner
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            begin, end = places.starts[node.lineno - 1], places.of_node(node)[1]
            for line in range(bisect_left(lines.starts, begin), bisect_left(lines.starts, end)):
                scopes[line] = begin
    return replace(lines, scopes=tuple(scopes))


def between(starts: list[int], begin: int, end: int) -> tuple[int, int] | None:
    """The first and the last token of a stretch of text; None if no token begins in it."""
    first, last = bisect_left(starts, begin), bisect_left(starts, end) - 1
    return (first, last) if first <= last else None


def _kind(part: tokenize.TokenInfo) -> Kind | None:
    if part.type == kinds.NAME:
        return "keyword" if keyword.iskeyword(part.string) else "name"
    return _KINDS.get(part.type)


def _alone(comment: Mark, text: str, starts: list[int]) -> bool:
    """Whether a comment has a logical line to itself, so that the next token begins another."""
    return comment.kind == "comment" and not text[starts[-1] : comment.start].strip()


def _whole(parts: Iterator[tokenize.TokenInfo]) -> Iterator[tokenize.TokenInfo]:
    """The tokens with each f-string as one STRING."""
    depth, opened = 0, None
    for part in parts:
        if part.type == _F_START:
            opened = opened or part
            depth += 1
        elif part.type == _F_END:
            depth -= 1
            if not depth and opened is not None:
                yield tokenize.TokenInfo(kinds.STRING, opened.string, opened.start, part.end, opened.line)
                opened = None
        elif not depth:
            yield part
