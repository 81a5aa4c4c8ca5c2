"""The reference texts: what means, donors and nulls are drawn from for a network that brings none of its own.

Code: whole statements cut from held-out files of the standard library. English: plain sentences written for this
package.
"""

from __future__ import annotations

import ast
import hashlib
import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Reference:
    """Snippets of Python and sentences of English, in a fixed order."""

    code: tuple[str, ...]
    english: tuple[str, ...]


def load_reference() -> Reference:
    """The shipped texts; imports no torch."""
    code = json.loads((DATA / "code" / "reference.json").read_text(encoding="utf-8"))["snippets"]
    return Reference(tuple(code), tuple((DATA / "english.txt").read_text(encoding="utf-8").splitlines()))


def snippets(
    texts: Iterable[str], fits: Callable[[str], bool], short: int = 400, long: int = 100, alike: int = 4
) -> tuple[str, ...]:
    """`short` statements of 40 to 200 characters and `long` ones of up to 330 from Python sources.

    Only those that fit; no two overlap in their file, no two are equal and at most `alike` begin with the same 8
    characters. Which ones and in which order depends on their hashes alone.
    """
    found = sorted({piece for text in texts for piece in apart(statements(text)) if fits(piece)}, key=digest)
    beginnings: Counter[str] = Counter()
    kept: dict[bool, list[str]] = {False: [], True: []}
    for piece in found:
        beginnings[piece[:8]] += 1
        if beginnings[piece[:8]] <= alike:
            kept[len(piece) > 200].append(piece)
    return tuple(sorted(kept[False][:short] + kept[True][:long], key=digest))


def statements(text: str) -> Iterator[tuple[int, int, str]]:
    """The first line, last line and dedented source of every statement of 40 to 330 characters."""
    lines = text.splitlines(keepends=True)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt):
            piece = textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno])).strip("\n")
            if 40 <= len(piece) <= 330 and piece.isascii():
                yield node.lineno, node.end_lineno or node.lineno, piece


def apart(found: Iterable[tuple[int, int, str]]) -> Sequence[str]:
    """The statements that are left when, in the order of their hashes, each takes its lines."""
    taken: set[int] = set()
    kept = []
    for first, last, piece in sorted(found, key=lambda statement: digest(statement[2])):
        if taken.isdisjoint(range(first, last + 1)):
            taken.update(range(first, last + 1))
            kept.append(piece)
    return kept


def digest(text: str) -> str:
    """The sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
