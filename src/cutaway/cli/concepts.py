"""`match` as a command: concepts by name or file, the network's verdicts, and the page of their evidence."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.ending import WrongUse
from cutaway.cli.options import Options, kept, reader
from cutaway.cli.verbs import Name, Several, listed
from cutaway.runs.progress import terminal

if TYPE_CHECKING:
    from cutaway.concepts import Concept
    from cutaway.concepts.code import CodeConcepts
    from cutaway.concepts.match import Questions

LIBRARY, CODE, ORGANISM = "library", "code", "organism:"


def match(
    network: Name,
    /,
    *,
    concepts: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")],
    by: Several = ("heads", "neurons"),
    permutations: int = 19,
    twins: int = 2,
    page: Path | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Says of every concept whether the network has it: present, topic only, absent or not testable, and why.

    Parameters
    ----------
    concepts
        With commas or spaces between them: "library" (all that are shipped), names of it, folders with a concept.toml,
        folders of such folders, tables of text and label (csv, tsv, jsonl, parquet), organism:agents, organism:quiz,
        organism:code-pair or organism:reader (what these organisms were made to do, and do not, with the questions that show
        it), code (Python's grammar, from the standard library), names of it such as code.comment, or code:FOLDER (from the
        .py files in a folder).
    by
        Kinds of parts among which a set is searched that has the concept's decisions: heads, neurons, mlps, …
    permutations
        Searches with permuted labels that READ stands against; 19 at least.
    twins
        Copies of the network with random weights that READ stands against.
    page
        Also write the verdicts with their evidence as one self-contained HTML page.
    """
    chosen, questions = asked_about(listed(concepts))
    import cutaway

    net = reader(network, options.device)
    with kept(options.out) as keep:
        found = cutaway.match(
            net,
            chosen,
            questions=questions,
            permutations=permutations,
            twins=twins,
            kinds=listed(by),
            seed=options.seed,
            folder=keep,
            progress=terminal(),
        )
    return Answer(found, str(found), {} if page is None else {"page": cutaway.page(found, page)})


def asked_about(words: Sequence[str]) -> tuple[list[Concept], dict[str, Questions]]:
    """The concepts of these names, files, folders and generators, and what generators ask about theirs."""
    from cutaway.organisms.asked import concepts_asked

    generators = [word for word in words if word.startswith(ORGANISM)]
    others = [word for word in words if word not in generators]
    found = concepts_named(others) if others or not generators else []
    questions: dict[str, Questions] = {}
    for word in generators:
        generated, asked = concepts_asked(word.removeprefix(ORGANISM))
        found, questions = found + generated, questions | asked
    return found, questions


def concepts_named(words: Sequence[str]) -> list[Concept]:
    """The concepts of these names, files and folders. Raises `WrongUse` for none, ConceptError for what there is not."""
    from cutaway.concepts import library, read_concept
    from cutaway.concepts.files import SUFFIXES
    from cutaway.concepts.reading import TOML

    if not words:
        raise WrongUse("--concepts was given nothing; expected library, names of its concepts, or files of your own")
    found: list[Concept] = []
    for word in words:
        path = Path(word)
        if word == LIBRARY:
            found += library().values()
        elif word == CODE or word.startswith(f"{CODE}:"):
            found += code_named(word).values()
        elif word.startswith(f"{CODE}.") and not path.exists() and path.suffix not in SUFFIXES:
            found.append(code_named(CODE)[word])  # which says why there is none
        elif word in library() or not (path.exists() or path.suffix in SUFFIXES or path.parent != Path()):
            found.append(library()[word])  # which says what names are near
        elif path.is_dir() and not (path / TOML).is_file():
            found += library(path).values()
        else:
            found.append(read_concept(path))
    return found


@cache
def code_named(word: str) -> CodeConcepts:
    """The code concepts of the standard library, or of the folder behind `code:`; says on stderr what there is none of.

    Raises `WrongUse` where no folder is given, ConceptError for one that cannot be used.
    """
    from cutaway.concepts import ConceptError
    from cutaway.concepts.code import code_concepts, folder_sources, standard_library_sources

    folder = word.removeprefix(CODE).removeprefix(":")
    if word != CODE and not folder:
        raise WrongUse("--concepts was given code: without a folder; expected code:FOLDER; or give code alone")
    found = code_concepts(standard_library_sources() if word == CODE else folder_sources(folder))
    if not found:
        name, why = next(iter(found.left_out.items()))
        raise ConceptError(
            f"{folder}: given {found.parsed} Python files, too few for any concept ({name}: {why}); "
            "give a larger corpus, or code for the standard library"
        )
    if missing := [name for name in found.left_out if "," not in name]:
        print(f"too rare in {folder or 'the standard library'}: {', '.join(missing)}", file=sys.stderr)
    if found.unparsed:
        print(f"not parsed: {', '.join(found.unparsed)}", file=sys.stderr)
    return found
