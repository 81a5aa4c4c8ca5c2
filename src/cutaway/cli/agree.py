"""`agree` as a command: which concepts several networks share, each by a sub-model that does the same on the same inputs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.concepts import asked_about
from cutaway.cli.ending import WrongUse
from cutaway.cli.options import Options, check_whole, kept, reader
from cutaway.cli.verbs import Name, Several, listed
from cutaway.runs.progress import terminal

if TYPE_CHECKING:
    from cutaway.concepts import Concept
    from cutaway.concepts.match import Questions
    from cutaway.network import Network


def agree(
    *networks: Name,
    concepts: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")],
    by: Several = ("heads", "neurons"),
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Says which concepts several networks share: those whose named sets do the same to answers, and are active on the same inputs.

    Parameters
    ----------
    concepts
        As match takes them; those without decisions cannot be compared, and are left out.
    by
        Kinds of parts among which sets are searched: heads, neurons, mlps, …
    """
    if len(networks) < 2:
        raise WrongUse(f"{len(networks)} NETWORK given; expected two or more to compare")
    check_whole(*networks)
    deciding, given = questions_of(listed(concepts))
    from cutaway.concepts.asking import asked_of
    from cutaway.concepts.natural import shared

    nets = told_apart([reader(name, options.device) for name in networks], networks)
    asked = list(asked_of(nets, deciding, given).values())
    with kept(options.out) as keep:
        found = shared(nets, asked, listed(by), options.seed, folder=keep, progress=terminal())
    return Answer(found.table(), str(found))


def told_apart(nets: Sequence[Network], given: Sequence[str]) -> list[Network]:
    """Of networks that have one name, as of folders `one/final` and `two/final`, each by the shortest tail of its path that no
    other has. What is given twice keeps one name."""
    paths = [Path(name).resolve() if Path(name).exists() else Path(name) for name in given]

    def tail(path: Path) -> str:
        others = [one.parts for one in paths if one != path]
        lengths = range(1, len(path.parts))
        short = next((n for n in lengths if all(path.parts[-n:] != one[-n:] for one in others)), len(path.parts))
        return Path(*path.parts[-short:]).as_posix()

    count = Counter(net.name for net in nets)
    return [replace(net, name=tail(path)) if count[net.name] > 1 else net for net, path in zip(nets, paths)]


def questions_of(words: list[str]) -> tuple[list[Concept], dict[str, Questions]]:
    """The concepts with decisions, and what generators ask about theirs. Raises `WrongUse` if there is nothing to ask."""
    found, given = asked_about(words)
    deciding = [one for one in found if one.decisions is not None]
    left = [one.name for one in found if one.decisions is None and one.name not in given]
    if not deciding and not given:
        raise WrongUse(
            f"of --concepts {', '.join(words)} none has decisions; expected some: what is only read has no effect"
        )
    if left:
        print(f"left out, no decisions: {', '.join(left)}", file=sys.stderr)
    return deciding, {name: replace(about, name=name) for name, about in given.items()}
