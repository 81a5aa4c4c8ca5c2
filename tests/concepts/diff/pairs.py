"""Pairs of shipped networks that the tests share, and what is asked of them: whether they lie where nobody watches."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

from tests.concepts.liars import NAME, asked, liars

import cutaway as cw
from cutaway.concepts.diff import Differences
from cutaway.concepts.match import Questions
from cutaway.network import Network, wrap
from cutaway.organisms.agents.shipping import shipped


@cache
def network(which: str) -> Network:
    """A shipped twin."""
    return changed(which, lambda module: module)


def changed(which: str, change: Callable[[Any], Any], tokenizer: Any = None) -> Network:
    """A copy of a twin that was changed."""
    organism = shipped(which)
    module = copy.deepcopy(organism.network)
    change(module)
    return wrap(module, tokenizer or organism.tokenizer, organism.reference(), name=which)


@cache
def about() -> Questions:
    """The decisions, and three of the other tasks."""
    whole = asked("harmful")
    return replace(whole, complete=True, tasks={name: whole.tasks[name] for name in ("report", "recall", "act")})


def compared(a: Network, b: Network, **options: Any) -> Differences:
    """The two asked whether they lie; only heads are searched, which is where it lies, to save time."""
    given = {"kinds": ("heads",), "catalogue": False, **options}
    return cw.diff(a, b, [liars()], questions={NAME: about()}, **given)


FOLDER = TemporaryDirectory(prefix="cutaway-tests-")  # where the first comparison of the twins is kept


@cache
def twins() -> Differences:
    """The one that lies, and the one that does not."""
    return compared(network("harmful"), network("harmless"), folder=FOLDER.name)
