"""`diff` as a command: what differs between two networks, and the page of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.concepts import asked_about
from cutaway.cli.options import Options, check_whole, kept, reader
from cutaway.cli.verbs import Flag, Name, Several, listed
from cutaway.runs.progress import terminal


def diff(
    a: Name,
    b: Name,
    /,
    *,
    concepts: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")],
    by: Several = ("heads", "neurons"),
    quick: Annotated[bool, Flag] = False,
    page: Path | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Says what differs between two networks: which decisions, and which parts carry that from one to the other.

    Parameters
    ----------
    concepts
        As in match; those with decisions or questions are asked of both networks.
    by
        Kinds of parts that are transplanted: heads, neurons, mlps, …
    quick
        Do not ask what match names in each network alone, which takes much of the time.
    page
        Also write the differences with their evidence as one self-contained HTML page.
    """
    check_whole(a, b)
    chosen, questions = asked_about(listed(concepts))
    import cutaway

    first, second = (reader(name, options.device) for name in (a, b))
    with kept(options.out) as keep:
        found = cutaway.diff(
            first,
            second,
            chosen,
            questions=questions,
            kinds=listed(by),
            catalogue=not quick,
            seed=options.seed,
            folder=keep,
            progress=terminal(),
        )
    return Answer(found, str(found), {} if page is None else {"page": cutaway.page(found, page)})
