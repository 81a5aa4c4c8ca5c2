"""Tasks on the standard library's byte-pair tokens: one line of code after some others, cut where the next token is certain.

Quotes, brackets, commas, colons and newlines are always tokens of their own (`cutaway.training.tokenizer`); a tokenizer that
would merge an answer into its prompt, or split it, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from cutaway.dial.tasks.task import Pair, Task
from cutaway.training.tokenizer import PAD

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WORDS = (
    *("name", "data", "value", "result", "line", "key", "path", "args", "text", "item", "node", "code", "file", "size"),
    *("start", "end", "index", "count", "message", "default", "mode", "level", "state", "type", "info", "entry"),
)
CALLS = ("len", "str", "list", "tuple", "repr", "sorted", "iter", "set", "print", "isinstance", "getattr", "format")
CONTEXTS = (
    "{0} = {1}.{2}",
    "{0} = self.{1}",
    "self.{0} = {1}",
    "{0} = {1}({2})",
    "{0} = self.{1}({2})",
    "{0} = {1}[{2}]",
    "{0}.append({1})",
    "{0}, {1} = {2}",
    "{0} = {1} + {2}",
    "{0} = []",
    "{0} = None",
    "import {0}",
    "# {0} of the {1}",
)
"""The lines before what is asked."""

Ask = tuple[Callable[[Random], tuple[str, str]], Callable[[str], str]]
"""Draws two prompts' last lines; and the rule: the answer from a prompt's text."""


def last(text: str) -> str:
    """The line at the end of a text."""
    return text.rpartition("\n")[2]


def opened(text: str) -> str:
    """The last bracket or quote that is still open on the last line, or an empty string."""
    closes = {"(": ")", "[": "]", "{": "}"}
    marks: list[str] = []
    for character in last(text):
        if character in "'\"":
            if marks and marks[-1] == character:
                marks.pop()
            else:
                marks.append(character)
        elif character in closes:
            marks.append(character)
        elif marks and character == closes.get(marks[-1]):
            marks.pop()
    return marks[-1] if marks else ""


def closing(text: str) -> str:
    """What closes the last open mark; a colon after a header, otherwise the end of the line."""
    word = last(text).split(" ", 1)[0]
    return {"(": ")", "[": "]", "{": "}", "": ":" if word in ("def", "if") else "\n"}.get(opened(text), opened(text))


def two(rng: Random, template: str, first: str, second: str, words: Sequence[str] = WORDS) -> tuple[str, str]:
    """A template's words filled in, and its `@` by what the two prompts differ in."""
    filled = template.format(*rng.sample(words, 3), call=rng.choice(CALLS))
    return filled.replace("@", first), filled.replace("@", second)


def indents(rng: Random) -> tuple[str, str]:
    """A header at the first or the second level, and the end of its line."""
    return two(rng, "def {0}({1}):\n    {2} = {1}\n@if {1}:\n", "    ", "")


ASKED: dict[str, tuple[str, *Ask]] = {
    "quote_kind": (
        "Which quotation mark closes a string: the kind that opened it.",
        lambda rng: two(rng, "{0} = @{1}", "'", '"'),
        closing,
    ),
    "bracket_kind": (
        "Which bracket closes a list or a tuple.",
        lambda rng: two(rng, "{0} = @{1}, {2}", "[", "("),
        closing,
    ),
    "call_index": (
        "Which bracket closes a call or an index.",
        lambda rng: two(rng, "{0} = {1}@{2}", "(", "["),
        closing,
    ),
    "bracket_depth": (
        "Whether a list or the call around it is closed: one list is open or two.",
        lambda rng: two(rng, "{0} = {call}(@{1}, {2}]", "[", "[["),
        closing,
    ),
    "line_end": (
        "Whether a line ends or a bracket is still open.",
        lambda rng: two(rng, "{0} = @{1}, {2}]", "[", "[["),
        closing,
    ),
    "dict_list": (
        "What follows the first string: a colon in a dict, a comma in a list.",
        lambda rng: two(rng, "{0} = @'{1}'", "{", "["),
        lambda text: ":" if opened(text) == "{" else ",",
    ),
    "def_call": (
        "What follows a bracket: a colon after a function's parameters, the next line after a call's arguments.",
        lambda rng: two(rng, "@{0}({1}, {2})", "def ", ""),
        closing,
    ),
    "if_call": (
        "What follows a call: a colon after `if`, otherwise the next line.",
        lambda rng: two(rng, "@{0}({1}, {2})", "if ", ""),
        closing,
    ),
    "for_while": (
        "What follows the first name of a loop: `in` after `for`, a colon after `while`.",
        lambda rng: two(rng, "@ {0}", "for", "while"),
        lambda text: " in" if last(text).startswith("for") else ":",
    ),
    "with_as": (
        "What follows an opened file: `as` after `with`, a colon after `for`.",
        lambda rng: two(rng, "@ open({0})", "with", "for line in"),
        lambda text: " as" if last(text).startswith("with") else ":",
    ),
    "from_import": (
        "What follows a module's name: `import` after `from`, the next line after `import`.",
        lambda rng: two(rng, "@ {0}", "from", "import"),
        lambda text: " import" if last(text).startswith("from") else "\n",
    ),
    "indent": (
        "How far the line after a colon is indented: one level further than the line with the colon.",
        indents,
        lambda text: "        " if text.rsplit("\n", 2)[1].startswith(" ") else "    ",
    ),
}


def library_tasks(tokenizer: Tokenizer) -> tuple[Task, ...]:
    """The tasks for a tokenizer of code, each after one or two lines made from `CONTEXTS`.

    Raises ValueError where the tokenizer has no single token for an answer.
    """
    newline = frozenset({answer_token(tokenizer, "x", "\n")})
    return tuple(task(name, about, draw, rule, tokenizer, newline) for name, (about, draw, rule) in ASKED.items())


def task(
    name: str,
    about: str,
    draw: Callable[[Random], tuple[str, str]],
    rule: Callable[[str], str],
    tokenizer: Tokenizer,
    newline: frozenset[int],
) -> Task:
    """One of the tasks, in a tokenizer's ids."""

    def sample(rng: Random) -> Pair:
        before = "".join(context(rng) + "\n" for _ in range(rng.randint(1, 2)))
        first, second = (before + prompt for prompt in draw(rng))
        answers = tuple(answer_token(tokenizer, prompt, rule(prompt)) for prompt in (first, second))
        return Pair((ids(tokenizer, first), ids(tokenizer, second)), (answers[0], answers[1]))

    def answer(tokens: Sequence[int]) -> int:
        text = tokenizer.decode(list(tokens), skip_special_tokens=True)
        return answer_token(tokenizer, text, rule(text))

    return Task(name, about, sample, answer, newline, tokenizer.token_to_id(PAD) or 0)


def context(rng: Random) -> str:
    """A line of code."""
    return rng.choice(CONTEXTS).format(*rng.sample(WORDS, 3))


def ids(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    """A text's tokens, with those that the tokenizer always adds."""
    return tuple(tokenizer.encode(text).ids)


def answer_token(tokenizer: Tokenizer, prompt: str, answer: str) -> int:
    """The one token that an answer is after a prompt; ValueError if it is merged with the prompt or is several."""
    before, whole = ids(tokenizer, prompt), ids(tokenizer, prompt + answer)
    if whole[: len(before)] != before:
        raise ValueError(
            f"the tokenizer merges the answer {answer!r} into the prompt that ends in {prompt[-20:]!r}; expected an answer that "
            "is a token of its own; try one of cutaway.training.tokenizer"
        )
    if len(whole) != len(before) + 1:
        raise ValueError(
            f"the answer {answer!r} is {len(whole) - len(before)} tokens after {prompt[-20:]!r}; expected one; train the "
            "tokenizer with a larger vocabulary"
        )
    return whole[-1]
