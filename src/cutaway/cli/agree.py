"""`agree` as a command: which concepts several networks share, each by a sub-model that does the same on the same inputs."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.concepts import asked_about
from cutaway.cli.ending import WrongUse
from cutaway.cli.options import Options, kept, reader
from cutaway.cli.verbs import Name, Several, listed
from cutaway.runs.progress import terminal

if TYPE_CHECKING:
    from cutaway.concepts.match import Questions


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
    asked = questions_of(listed(concepts))
    from cutaway.concepts.natural import shared

    nets = [reader(name, options.device) for name in networks]
    with kept(options.out) as keep:
        found = shared(nets, asked, listed(by), options.seed, folder=keep, progress=terminal())
    return Answer(found.table(), str(found))


def questions_of(words: list[str]) -> list[Questions]:
    """What is asked about these concepts, the decisions of the others as tasks. Raises `WrongUse` if none has decisions."""
    from cutaway.concepts.match import Questions

    found, given = asked_about(words)
    deciding = [one for one in found if one.decisions is not None]
    asked = [replace(about, name=name) for name, about in given.items()]
    asked += [Questions.of(one, deciding) for one in deciding if one.name not in given]
    left = [one.name for one in found if one.decisions is None and one.name not in given]
    if not asked:
        raise WrongUse(
            f"of --concepts {', '.join(words)} none has decisions; expected some: what is only read has no effect"
        )
    if left:
        print(f"left out, no decisions: {', '.join(left)}", file=sys.stderr)
    return asked
