"""The networks that the dial's benchmarks look into: trained once, kept in a folder that is not committed, opened by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.kept import RESULTS, code_of
from cutaway.dial.plan import Plan
from cutaway.dial.store import Stored, load
from cutaway.dial.sweep import ASKED, losses_of, run

TRAINING = (
    "dial/corpora.py",
    "dial/operations.py",
    "dial/plan.py",
    "dial/pressure",
    "dial/sparse",
    "dial/tiny_python",
    "dial/train.py",
    "dial/transformer.py",
    "training/loop.py",
)
"""What a network's weights hang on."""
EXAMPLES = 256


@cache
def home() -> Path:
    """The folder of networks trained with the code as it is now."""
    return RESULTS / f"dial.tmp-{code_of(TRAINING)}"


def trained(plan: Plan) -> dict[str, Any]:
    """The row of one run: what a sweep tells of it, and the loss of every task (examples of seed `ASKED`)."""
    row = run(plan, str(home()))
    return {**row, "task losses": losses_of(row, str(home()), EXAMPLES), "asked seed": ASKED}


def stored(plan: Plan, name: str) -> Stored:
    """The network of a row; trained again where its folder is gone."""
    if not (home() / name).is_dir():
        run(plan, str(home()))
    return load(home() / name)


def row_of(rows: list[dict[str, Any]], plan: Plan) -> dict[str, Any]:
    """The row of a plan's run."""
    asked = plan.given
    same = [name for name in asked if name != "lr"]  # a row has the rate that was used
    return next(row for row in rows if all(row[name] == asked[name] for name in same))
