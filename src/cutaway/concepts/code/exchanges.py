"""Decisions about code: prompts in twos, one edit apart, whose right next tokens differ because the structure does.

Real code is cut before a token that the structure decides on (which quote closes, a colon or the line's end, `in` after the
target of a for), and one token before it is exchanged so that the structure is gone. Exchanged, not left out: causal reruns
put the values of one prompt in the place of the other's, token by token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cutaway.concepts.code.marks import Mark, Source
from cutaway.concepts.code.roles import CLOSING
from cutaway.concepts.code.wording import opened


@dataclass(frozen=True)
class Exchange:
    """A prompt that ends at `cut`, with the answer `target`; with the text from `start` to `end` replaced by `by`: `foil`.

    A space before an answer belongs to it, as in the tokens of code models.
    """

    cut: int
    line: int
    start: int
    end: int
    by: str
    target: str
    foil: str


_HEADS = ("def ", "class ", "async def ", "from ", "import ", "@")
Exchanger = Callable[[Source], Iterator[Exchange]]


def keyword(role: str, swaps: Mapping[str, str], answers: tuple[str, ...], foil: str, lead: bool = True) -> Exchanger:
    """The token before a stretch in this role is exchanged, where the token behind it is one of the answers.

    `lead`: only where that token begins its statement.
    """

    def exchanges(source: Source) -> Iterator[Exchange]:
        for first, last in source.ranges.get(role, ()):
            word, after = source.code[first - 1], source.code[last + 1]
            if (
                first
                and word.string in swaps
                and after.string in answers
                and not (lead and _before(source, word).strip())
            ):
                by = swaps[word.string]
                if by != "return" or source.lines.scopes[word.line] is not None:  # return stands in defs only
                    yield _exchange(source, last, (word.start, word.end), by, foil)

    return exchanges


def header(role: str) -> Exchanger:
    """The word def or class as raise: behind the bracket comes a colon, or the line's end."""

    def exchanges(source: Source) -> Iterator[Exchange]:
        for first, last in source.ranges.get(role, ()):
            mark, after = source.code[first], source.code[last + 1]
            plain = not any(one.string in (":", "metaclass") for one in source.code[first:last])
            if after.string == ":" and source.code[last].string == ")" and plain and not _before(source, mark).strip():
                yield _exchange(source, last, (mark.start, mark.end), "raise", "\n")

    return exchanges


def bracket(role: str, opening: str, by: str, held: bool = False) -> Exchanger:
    """An opening bracket is exchanged for another kind; `held`: the role is what the brackets hold, else it holds both.

    Where the role holds the brackets, those of calls and subscripts are left out.
    """

    def exchanges(source: Source) -> Iterator[Exchange]:
        for pair in source.ranges.get(role, ()):
            first, last = (pair[0] - 1, pair[1] + 1) if held else pair
            begun, inside = source.code[first], source.code[first + 1 : last]
            whole = begun.string == opening and source.code[last].string == CLOSING[opening] and inside
            free = not any(one.kind in ("comment", "keyword") or one.string in ("=", ":", "*", "**") for one in inside)
            left = source.code[first - 1]
            display = left.kind not in ("name", "string") and left.string not in (")", "]")
            if whole and free and (held or display) and not _before(source, begun).lstrip().startswith(_HEADS):
                yield _exchange(source, last - 1, (begun.start, begun.end), by, CLOSING[by])

    return exchanges


def outer_call(source: Source) -> Iterator[Exchange]:
    """The bracket of a call around a call as a minus sign: what comes is a second bracket, or the line's end."""
    for (first, last), (inner, _) in zip(source.ranges.get("outer_call", ()), source.ranges.get("inner_call", ())):
        code = source.code
        ends = code[last + 1].kind == "newline" and [one.string for one in code[last - 1 : last + 1]] == [")", ")"]
        if ends and code[inner - 1].string == "(" and _depth(code[first:last]) == 1:
            yield _exchange(source, last - 1, (code[inner - 1].start, code[inner - 1].end), "-", "\n")


def quoted_argument(source: Source) -> Iterator[Exchange]:
    """A string that could be a name, its opening quote a minus sign: a quote comes next, or what follows the argument."""
    for index, mark in enumerate(source.code[:-1]):
        after = source.code[index + 1]
        if mark.kind == "string" and after.string in (")", "]") and mark.string[0] in "'\"":
            quoted = opened(mark)
            bare = not source.text[mark.start - 1].isspace()  # many tokenizers join a space and a minus sign
            if bare and len(quoted.quotes) == 1 and source.text[quoted.start : quoted.end].isidentifier():
                yield Exchange(quoted.end, mark.line, mark.start, quoted.start, "-", quoted.quotes, after.string)


def other_quote(source: Source) -> Iterator[Exchange]:
    """A single-quoted string in a line without other quotes, opened with a double quote."""
    for mark, before, body in _strings(source, "'"):
        if not set("'\"") & set(before + body):
            yield Exchange(mark.end - 1, mark.line, mark.start, mark.start + 1, '"', "'", '"')


def fewer_quotes(source: Source) -> Iterator[Exchange]:
    """A triple-quoted string on one line, opened with one quote."""
    for mark, before, body in _strings(source, '"""'):
        if not set("'\"") & set(before + body):
            yield Exchange(mark.end - 3, mark.line, mark.start, mark.start + 3, '"', '"""', '"')


def lost_brace(source: Source) -> Iterator[Exchange]:
    """An f-string that ends in the braces of a name, the opening one an at sign."""
    text = source.text
    for index in source.roles.get("f_expression", ()):
        mark = source.words[index]
        if (
            text[mark.start - 1] == "{"
            and text[mark.end : mark.end + 1] == "}"
            and text[mark.end + 1 : mark.end + 2] in "'\""
        ):
            yield Exchange(mark.end, mark.line, mark.start - 1, mark.start, "@", "}", text[mark.end + 1])


def lambda_word(source: Source) -> Iterator[Exchange]:
    """The word lambda before one parameter as not: a colon comes next, or what follows the argument."""
    for first, last in source.ranges.get("lambda_whole", ()):
        word, colon, after = source.code[first], source.code[first + 2], source.code[last + 1]
        if colon.string == ":" and after.string in (")", ",", "]"):
            yield _exchange(source, first + 1, (word.start, word.end), "not", after.string)


def comprehension_for(source: Source) -> Iterator[Exchange]:
    """The for of a comprehension as a comma: `in` comes next, or the bracket that closes."""
    whole = source.ranges.get("comprehension_whole", ())
    for (_, end), (first, last) in zip(whole, source.ranges.get("comprehension_target", ())):
        word, before = source.code[first - 1], source.code[first - 2]
        if source.code[last + 1].string == "in" and source.code[end].string in (")", "]") and before.line == word.line:
            yield _exchange(source, last, (before.end, word.end), ",", source.code[end].string)


def conditional_if(source: Source) -> Iterator[Exchange]:
    """The if of `a if b else c` as and: `else` comes next, or what follows the expression."""
    whole = source.ranges.get("ternary_whole", ())
    for (_, end), (first, last) in zip(whole, source.ranges.get("ternary_condition", ())):
        word, after = source.code[first - 1], source.code[end + 1]
        if word.string == "if" and source.code[last + 1].string == "else" and after.string in ("\n", ")", ",", "]"):
            yield _exchange(source, last, (word.start, word.end), "and", after.string)


def first_key(source: Source) -> Iterator[Exchange]:
    """The first key of a dictionary in a list's bracket: a colon comes next, or a comma."""
    yield from keyword("first_key", {"{": "["}, (":",), ",", lead=False)(source)


def import_as(source: Source) -> Iterator[Exchange]:
    """An import of one module under another name as a with line: the line ends, or a colon comes."""
    names = {last for last, _ in source.ranges.get("alias", ())}
    for first, last in source.ranges.get("import_statement", ()):
        word, held = source.code[first], source.code[first + 1 : last]
        one = word.string == "import" and not any(mark.string == "," for mark in held)
        if one and last in names and source.code[last + 1].kind == "newline":
            yield _exchange(source, last, (word.start, word.end), "with", ":")


EXCHANGES: dict[str, Exchanger] = {
    "inside_string": quoted_argument,
    "single_quoted": other_quote,
    "triple_quoted": fewer_quotes,
    "f_string_expression": lost_brace,
    "round_bracket": bracket("pair_round", "(", "["),
    "square_bracket": bracket("plain_list", "[", "("),
    "curly_bracket": bracket("plain_list", "[", "{"),
    "bracket_depth_2": outer_call,
    "argument": bracket("argument", "(", "[", held=True),
    "subscript": bracket("subscript", "[", "(", held=True),
    "parameter": header("def_header"),
    "base_class": header("class_header"),
    "import_line": keyword("imported_module", {"import": "from"}, ("\n",), " import"),
    "from_module": keyword("from_module", {"from": "import"}, ("import",), "\n"),
    "alias": import_as,
    "variable_annotation": keyword("variable_annotation", {":": " ="}, ("=",), "\n", lead=False),
    "returned": keyword("returned", {"return": "if"}, ("\n",), ":"),
    "yielded": keyword("yielded", {"yield": "while"}, ("\n",), ":"),
    "raised": keyword("raised", {"raise": "except"}, ("\n",), ":"),
    "asserted": keyword("asserted", {"assert": "while"}, ("\n",), ":"),
    "condition": keyword("condition", {"if": "return", "elif": "return"}, (":",), "\n"),
    "loop_variable": keyword("loop_target", {"for": "return"}, ("in",), "\n"),
    "with_item": keyword("with_item", {"with": "return"}, (":", "as"), "\n"),
    "except_type": keyword("except_type", {"except": "raise"}, (":", "as"), "\n"),
    "comprehension_variable": comprehension_for,
    "conditional_expression": conditional_if,
    "lambda_parameter": lambda_word,
    "dictionary_key": first_key,
}


def _exchange(source: Source, last: int, replaced: tuple[int, int], by: str, foil: str) -> Exchange:
    """The exchange whose prompt ends with token `last`; the target is the token behind it, with the space before it."""
    mark, after = source.code[last], source.code[last + 1]
    space = " " if source.text[mark.end : after.start].startswith(" ") and after.kind != "newline" else ""
    return Exchange(mark.end, mark.line, *replaced, by, space + after.string, foil)


def _before(source: Source, mark: Mark) -> str:
    """What stands before a token in its statement."""
    return source.text[source.lines.starts[mark.line] : mark.start]


def _depth(some: tuple[Mark, ...]) -> int:
    """How many brackets are open behind these tokens."""
    return sum((one.string in CLOSING) - (one.string in CLOSING.values()) for one in some)


def _strings(source: Source, quotes: str) -> Iterator[tuple[Mark, str, str]]:
    """Strings on one line with these quotes and no prefix; what stands before in the line, and their body."""
    for mark in source.code:
        if mark.kind == "string" and mark.string.startswith(quotes) and "\n" not in mark.string:
            quoted = opened(mark)
            body = source.text[quoted.start : quoted.end]
            if quoted.quotes == quotes and body.strip() == body and body and "\\" not in body:
                yield mark, source.text[source.lines.starts[mark.line] : mark.start], body
