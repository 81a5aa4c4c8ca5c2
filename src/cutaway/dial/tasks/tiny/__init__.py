"""Tasks on tiny Python, written by the samplers of its programs.

- `marks`, `types`, `names`, `blocks`: the tasks, a function each that writes one of two prompts
- `rules`: their true programs
- `asking`: the two put together
"""

from cutaway.dial.tasks.task import Task
from cutaway.dial.tasks.tiny import blocks, marks, names, types
from cutaway.dial.tasks.tiny.asking import CONTEXT, task
from cutaway.dial.tiny_python import TinyPython

ASKED = (*marks.ASKED, *types.ASKED, *names.ASKED, *blocks.ASKED)


def tiny_tasks(python: TinyPython | None = None, context: int = CONTEXT) -> tuple[Task, ...]:
    """All of them, written with the settings of `python` after contexts of at most so many tokens.

    For prompts unlike those of training: a larger `depth`, more comments and apostrophes, a longer context.
    """
    if context < 8:
        raise ValueError(f"context is {context}; expected 8 tokens or more, as a prompt's first line says its split")
    return tuple(task(write, rule, python or TinyPython(), context) for write, rule in ASKED)
