"""Questions about real code whose answers Python's own parser knows: which quote, which bracket, which name comes next.

They measure a network that predicts code by the decisions it will be taken apart for. Each question is a piece of a
file cut right before its answer; `tokenize` and `ast` say what the answer is.
"""

from __future__ import annotations

import ast
import hashlib
import io
import token as kinds
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BRACKETS = {"(": ")", "[": "]", "{": "}"}
LONGEST = 240  # characters of a prompt: about 100 tokens


@dataclass(frozen=True)
class Question:
    """A prompt, what comes next, and what else could have come; `kind` is what is asked, `group` the answer's class.

    Groups differ in size (most brackets are round), so accuracies are averaged over them.
    """

    kind: str
    group: str
    prompt: str
    answer: str
    others: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """How often a network ranks the answer of one kind of question above the others.

    `balanced` is the mean over groups of the share that is right; `groups` gives each group's (right, asked).
    """

    kind: str
    balanced: float
    groups: dict[str, tuple[int, int]]

    def as_json(self) -> dict[str, Any]:
        return {"balanced_accuracy": round(self.balanced, 4), "right_of": {k: list(v) for k, v in self.groups.items()}}


def questions(texts: Iterable[str], at_most: int = 300) -> list[Question]:
    """Questions of every kind from Python sources, at most this many per kind and group, ordered by their hash."""
    found: dict[tuple[str, str], dict[str, Question]] = defaultdict(dict)
    for text in texts:
        for question in [*quotes(text), *brackets(text), *line_ends(text), *names(text)]:
            if question.prompt.strip() and len(question.prompt) <= LONGEST:
                key = hashlib.sha256(f"{question.prompt}\0{question.answer}".encode()).hexdigest()
                found[question.kind, question.group][key] = question
    return [group[key] for _, group in sorted(found.items()) for key in sorted(group)[:at_most]]


def quotes(text: str) -> Iterator[Question]:
    """Which quote closes this string, seen from the start of its line."""
    for part, line in tokens_of(text):
        mark = part.string[-1:]
        plain = part.type == kinds.STRING and part.start[0] == part.end[0] and not part.string.endswith(mark * 3)
        if plain and len(part.string) > 2 and mark not in line[: part.start[1]]:
            other = '"' if mark == "'" else "'"
            if other not in line[: part.end[1]]:
                yield Question("quote", mark, line[: part.end[1] - 1], mark, (other,))


def brackets(text: str) -> Iterator[Question]:
    """Which bracket closes here, seen from the start of the line on which it was opened."""
    lines, opened = text.splitlines(keepends=True), []
    for part, line in tokens_of(text):
        if part.type == kinds.OP and part.string in BRACKETS:
            opened.append((part.start[0], part.string))
        elif part.type == kinds.OP and part.string in BRACKETS.values() and opened:
            row, start = opened.pop()
            before = "".join(lines[row - 1 : part.start[0] - 1]) + line[: part.start[1]]
            others = tuple(close for close in BRACKETS.values() if close != part.string)
            if before.rstrip()[-1:] != start:  # an empty pair asks for the last character only
                yield Question("bracket", part.string, before, part.string, others)


def line_ends(text: str) -> Iterator[Question]:
    """After the last bracket of a line: a colon (def, class, if …) or the line's end."""
    parts = [*tokens_of(text)]
    for (part, line), (after, _) in pairwise(parts):
        if part.string == ")" and part.type == kinds.OP and after.start[0] == part.end[0]:
            if after.string == ":" and line.lstrip().startswith("def "):
                yield Question("line end", ":", line[: part.end[1]], ":", ("\n",))
            elif after.type == kinds.NEWLINE and line[part.end[1] :].strip() == "":
                yield Question("line end", "newline", line[: part.end[1]], "\n", (":",))


def names(text: str) -> Iterator[Question]:
    """Which argument is copied in `self.name = name` and `name=name`, seen from the def line.

    Group *found* are the copies in the text; *made* puts `self.name =` after the def line of every function.
    """
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef):
            arguments = [argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]]
            arguments = [name for name in arguments if name not in ("self", "cls")]
            head = source_between(text, (function.lineno, 0), (function.body[0].lineno, 0)).rstrip(" ")
            if len(arguments) > 1 and head.count("\n") == 1:
                for name, place in copies(function):
                    if name in arguments:
                        before = source_between(text, (function.lineno, 0), place)
                        yield copy_question("found", before, name, arguments)
                for name in arguments:
                    yield copy_question(
                        "made", f"{head}{' ' * (function.col_offset + 4)}self.{name} = ", name, arguments
                    )


def copy_question(group: str, before: str, name: str, arguments: Sequence[str]) -> Question:
    """The question whose answer is `name`; a space before the name belongs to the answer, as in its token."""
    space = " " if before.endswith(" ") else ""
    others = tuple(space + argument for argument in arguments if argument != name)
    return Question("copied argument", group, before.removesuffix(" "), space + name, others)


def copies(function: ast.FunctionDef) -> Iterator[tuple[str, tuple[int, int]]]:
    """Names copied under their own name in a function, with the (line, byte column) of the copy."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            target, value = node.targets[0].attr, node.value
        elif isinstance(node, ast.keyword):
            target, value = node.arg, node.value
        else:
            continue
        if isinstance(value, ast.Name) and target and target.strip("_") == value.id:
            yield value.id, (value.lineno, value.col_offset)


def source_between(text: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one (line, byte column) of `ast` to another."""
    lines = text.splitlines(keepends=True)[start[0] - 1 : end[0]]
    lines[-1] = lines[-1].encode()[: end[1]].decode()
    return "".join(lines)[start[1] :]


def tokens_of(text: str) -> Iterator[tuple[tokenize.TokenInfo, str]]:
    """The tokens of a source and the physical line on which each ends."""
    lines = text.splitlines(keepends=True)
    for part in tokenize.generate_tokens(io.StringIO(text).readline):
        yield part, lines[part.end[0] - 1] if part.end[0] <= len(lines) else ""


@torch.no_grad()
def last_logits(network: nn.Module, tokenizer: Tokenizer, prompts: Sequence[str]) -> Float[Tensor, "prompt vocab"]:
    """The logits after each prompt; prompts of equal length share a batch, so nothing is padded."""
    rows = [encoding.ids for encoding in tokenizer.encode_batch(list(prompts))]
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        by_length[len(row)].append(index)
    logits = torch.empty(len(rows), tokenizer.get_vocab_size())
    for indices in by_length.values():
        logits[indices] = network(torch.tensor([rows[index] for index in indices]))[:, -1]
    return logits


def first_token(tokenizer: Tokenizer, prompt: str, answer: str) -> int:
    """The id that follows the prompt when the answer does."""
    return tokenizer.encode(prompt + answer).ids[len(tokenizer.encode(prompt).ids)]


def score(network: nn.Module, tokenizer: Tokenizer, asked: Sequence[Question], context: int = 128) -> list[Score]:
    """The scores of each kind of question.

    Only first tokens of answers are compared; a question whose answers all begin with the same one is left out, and so
    is a prompt of more than `context` tokens.
    """
    asked = [question for question in asked if len(tokenizer.encode(question.prompt).ids) <= context]
    logits = last_logits(network, tokenizer, [question.prompt for question in asked])
    results: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for question, row in zip(asked, logits):
        answer = first_token(tokenizer, question.prompt, question.answer)
        others = {first_token(tokenizer, question.prompt, other) for other in question.others} - {answer}
        if others:
            right, total = results[question.kind].get(question.group, (0, 0))
            results[question.kind][question.group] = (right + int(row[answer] > row[sorted(others)].max()), total + 1)
    return [
        Score(kind, sum(right / total for right, total in groups.values()) / len(groups), groups)
        for kind, groups in sorted(results.items())
    ]
