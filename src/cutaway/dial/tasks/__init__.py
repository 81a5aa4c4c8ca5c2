"""Decisions between two next tokens with exact answers, in minimal pairs.

- `task`: `Task`, `Examples`, `loss`, `solved`, and the control `shuffled`
- `naming`: `tasks()` and `task_named(name)`
- `tiny`: the tasks on tiny Python
- `library`: the tasks on the standard library's byte-pair tokens
"""

from cutaway.dial.tasks.naming import task_named, tasks
from cutaway.dial.tasks.task import CHANCE, SPLITS, Examined, Examples, Pair, Task, loss, margins, shuffled, solved

__all__ = [
    "CHANCE",
    "SPLITS",
    "Examined",
    "Examples",
    "Pair",
    "Task",
    "loss",
    "margins",
    "shuffled",
    "solved",
    "task_named",
    "tasks",
]
