"""How a command ends: its exit status, and one sentence on stderr instead of a traceback."""

from __future__ import annotations

import os
import sys

FAILED, WRONG, STOPPED = 1, 2, 130
DEBUG = "CUTAWAY_DEBUG"


class WrongUse(Exception):
    """The command line asks for something that there is not."""


class Stopped(Exception):
    """The user stopped the work; says where it is kept."""


def is_an_answer(error: Exception) -> bool:
    """Whether an error is about the user's data or network: one of ours, a refused value, a file, memory."""
    ours = type(error).__module__.startswith("cutaway.")
    return ours or isinstance(error, ValueError | OSError | MemoryError) or _is_out_of_memory(error)


def wants_traceback() -> bool:
    """Whether the environment asks for tracebacks."""
    return os.environ.get(DEBUG, "") not in ("", "0")


def sentence(error: Exception) -> str:
    """The error on one line."""
    if isinstance(error, MemoryError) or _is_out_of_memory(error):
        said = " ".join(str(error).split()) if isinstance(error, MemoryError) and str(error) else "out of memory"
        return f"{said}; look at fewer --parts, take fewer --draws and --nulls, or give a shorter prompt"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror.lower()}"
    return " ".join(str(error).split()) or type(error).__name__


def say(text: str, status: int) -> int:
    """Writes the sentence to stderr and gives the status back."""
    print(f"cutaway: {text}", file=sys.stderr)
    return status


def reader_left() -> int:
    """Ends quietly when whoever reads stdout has read enough (`cutaway trace … | head`)."""
    os.dup2(
        os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
    )  # else Python complains once more as it closes stdout
    return 0


def _is_out_of_memory(error: Exception) -> bool:
    return type(error).__name__ == "OutOfMemoryError"  # torch's, by name: torch may not be imported
