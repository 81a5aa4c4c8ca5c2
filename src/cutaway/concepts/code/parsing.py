"""A source with all that `tokenize` and `ast` say of its tokens and words."""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterator

from cutaway.concepts.code.layout import brackets, statements
from cutaway.concepts.code.marks import Places, Source, between, tokens, within_defs
from cutaway.concepts.code.roles import by_tokens, roles_of
from cutaway.concepts.code.wording import words


def parse(name: str, text: str) -> Source:
    """A source with its roles. Raises SyntaxError, ValueError (null bytes) or RecursionError where Python cannot parse it.

    >>> source = parse("a.py", "for i in range(3):\\n    pass\\n")
    >>> [source.code[first].string for first, _ in source.ranges["loop_variable"]]
    ['i']
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in a file is not the reader's concern
        tree = ast.parse(text)
    places = Places(text)
    code, lines = tokens(text, places)
    begins = [mark.start for mark in code]
    ranges: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for node in _nodes(tree):
        for role, part in roles_of(node):
            if (pair := between(begins, *places.of_node(part))) is not None:
                ranges[role].append(pair)
        for role, pair in by_tokens(node, code, begins, places):
            ranges[role].append(pair)
    for role, pair in [*brackets(code), *statements(text, code, lines)]:
        ranges[role].append(pair)
    found = list(words(text, code, _docstrings(tree, places), lines.starts))
    roles: dict[str, list[int]] = defaultdict(list)
    for index, (_, holds) in enumerate(found):
        for role in holds:
            roles[role].append(index)
    inside = tuple(mark for mark, _ in found)
    return Source(name, text, within_defs(lines, tree, places), code, inside, dict(ranges), dict(roles))


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node but those in f-strings, whose places differ between versions of Python."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        yield node
        if not isinstance(node, ast.JoinedStr):
            # Operators and contexts, of which there are many, hold nothing and have no place.
            left += (one for one in ast.iter_child_nodes(node) if one._fields)


def _docstrings(tree: ast.Module, places: Places) -> frozenset[int]:
    """Where the docstrings of a source begin."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found.add(places.of_node(first.value)[0])
    return frozenset(found)
