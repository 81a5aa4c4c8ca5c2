"""The tasks of a corpus, and one of them by its name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from cutaway.dial.tasks.library import library_tasks
from cutaway.dial.tasks.task import Task
from cutaway.dial.tasks.tiny import tiny_tasks
from cutaway.dial.tiny_python import TinyPython

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def tasks(corpus: TinyPython | Tokenizer | None = None) -> tuple[Task, ...]:
    """The tasks of a corpus: tiny Python with these settings (default), or the standard library in a tokenizer's tokens."""
    if corpus is None or isinstance(corpus, TinyPython):
        return tiny_tasks(corpus)
    return library_tasks(corpus)


def task_named(name: str, corpus: TinyPython | Tokenizer | None = None) -> Task:
    """One task of a corpus; ValueError with the nearest names where there is none of this name."""
    found = {task.name: task for task in tasks(corpus)}
    if name not in found:
        near = get_close_matches(name, found, n=3, cutoff=0.4) or sorted(found)
        raise ValueError(f"there is no task {name!r}; did you mean {' or '.join(near)}?")
    return found[name]
