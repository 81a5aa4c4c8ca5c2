"""The tasks of both corpora and some examples of each, drawn once; and a prompt completed to code."""

from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import cutaway.organisms
from cutaway.dial.tasks import Examples, Task, tasks
from cutaway.dial.tiny_python import TinyPython
from cutaway.training.tokenizer import read_tokenizer

PYTHON = TinyPython()
BYTE_PAIRS = read_tokenizer((Path(cutaway.organisms.__file__).parent / "data/code/tokenizer.json").read_text())
TINY = {task.name: task for task in tasks()}
LIBRARY = {f"library {task.name}": task for task in tasks(BYTE_PAIRS)}
ALL: dict[str, Task] = TINY | LIBRARY
CLOSES = {"(": ")", "[": "]", "{": "}", "'": "'", '"': '"'}


@cache
def examples(name: str, split: str = "train", count: int = 24) -> Examples:
    """Examples of a task."""
    return ALL[name].examples(count, split, seed=7000)


def text(name: str, ids: list[int]) -> str:
    """Tokens as text."""
    return BYTE_PAIRS.decode(ids) if name in LIBRARY else PYTHON.decode(ids)


def partners(name: str) -> list[tuple[list[int], list[int]]]:
    """The pairs of prompts."""
    rows = examples(name).rows()
    return list(zip(rows[::2], rows[1::2]))


def changed(one: list[int], other: list[int]) -> int:
    """How many tokens must be exchanged, put in or taken out to make one prompt of the other."""
    steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for tag, a, b, c, d in steps if tag != "equal")


def completed(start: str) -> str | None:
    """A program that begins so, as Python compiles it; None if none of the endings tried makes one."""
    deeper = ":\n" + 20 * " " + "a\n"
    for filler in ("", "1", "()", "red", "a", " a", "(1)"):
        for tail in ("", deeper):
            program = start + filler + closed(start + filler) + tail
            try:
                compile(program, "program", "exec")
            except SyntaxError:
                continue
            return program
    return None


def closed(start: str) -> str:
    """What closes the brackets and strings that are open."""
    marks: list[str] = []
    for line in start.split("\n"):
        for character in "" if line.lstrip().startswith("#") else line:
            if marks and marks[-1] in "'\"":
                marks = marks[:-1] if character == marks[-1] else marks
            elif character in CLOSES:
                marks.append(character)
            elif character in CLOSES.values() and marks:
                marks.pop()
    return "".join(CLOSES[mark] for mark in reversed(marks))
