"""What the tokens alone say of code: which bracket is open and how deep, which branch begins, how far in a statement stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from cutaway.concepts.code.marks import Lines, Mark
from cutaway.concepts.code.roles import CLOSING

SHAPES = {"(": "round", "[": "square", "{": "curly"}
_FAR = 8  # columns of white space that look like two levels

Found = tuple[str, tuple[int, int]]


def brackets(code: Sequence[Mark]) -> Iterator[Found]:
    """`in_X`: the innermost open bracket is of kind X; `deep`: two are open; a bracket counts as inside of itself.

    `closed_X`: outside of all, behind a closed pair in the same statement; `shallow_again`: at most one is open, behind two
    closed pairs. `pair_X` is a whole pair.
    """
    stack: list[int] = []
    closed: list[str] = []
    for index, mark in enumerate(code):
        if index and code[index - 1].line != mark.line:
            closed = []
        if mark.kind == "operator" and mark.string in CLOSING:
            stack.append(index)
        yield ("deep" if len(stack) > 1 else "shallow"), (index, index)
        if stack:
            yield f"in_{SHAPES[code[stack[-1]].string]}", (index, index)
        else:
            yield from ((f"closed_{shape}", (index, index)) for shape in set(closed))
        if len(closed) > 1 and len(stack) < 2:
            yield "shallow_again", (index, index)
        if mark.kind == "operator" and mark.string in CLOSING.values():
            begun = stack.pop()
            closed.append(SHAPES[code[begun].string])
            yield f"pair_{closed[-1]}", (begun, index)


def statements(text: str, code: Sequence[Mark], lines: Lines) -> Iterator[Found]:
    """The first token of each statement; the first statement of a branch; statements two levels in, and what looks so."""
    members: dict[int, list[int]] = defaultdict(list)
    for index, mark in enumerate(code):
        if mark.kind != "comment":
            members[mark.line].append(index)
    heads = {
        line: code[some[0]].string
        for line, some in members.items()
        if len(some) > 1 and code[some[-2]].string == ":" and code[some[-1]].kind == "newline"
    }
    for line, some in members.items():
        yield "statement_start", (some[0], some[0])
        if heads.get(line - 1) in ("if", "elif", "else"):
            yield ("else_branch" if heads[line - 1] == "else" else "if_branch"), (some[0], some[-1])
        yield ("two_levels_in" if lines.levels[line] > 1 else "one_level_in"), (some[0], some[-1])
        if lines.levels[line] < 2:
            yield from (("goes_on_far_in", (index, index)) for index in some if _far_in(text, code[index], lines))


def _far_in(text: str, mark: Mark, lines: Lines) -> bool:
    """Whether a token stands on a further physical line of its statement that begins with much white space."""
    begin = text.rfind("\n", 0, mark.start) + 1
    return begin > lines.starts[mark.line] and text[begin : begin + _FAR].isspace()
