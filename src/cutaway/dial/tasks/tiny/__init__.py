"""Tasks on tiny Python, written by the samplers of its programs.

- `marks`, `types`, `names`, `blocks`: the tasks, a function each that writes one of two prompts
- `rules`: their true programs
- `asking`: the two put together
"""

from cutaway.dial.tasks.task import Task
from cutaway.dial.tasks.tiny import blocks, marks, names, types
from cutaway.dial.tasks.tiny.asking import task
from cutaway.dial.tiny_python import TinyPython

ASKED = (*marks.ASKED, *types.ASKED, *names.ASKED, *blocks.ASKED)


def tiny_tasks(python: TinyPython | None = None) -> tuple[Task, ...]:
    """All of them, their contexts written with the settings of `python`."""
    return tuple(task(write, rule, python or TinyPython()) for write, rule in ASKED)
