"""A corpus of Python sources to take concepts from: texts, a folder, or a fixed choice of the standard library."""

from __future__ import annotations

import hashlib
import os
import re
import sysconfig
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cutaway.concepts.rules import NOT_STATED, ConceptError
from cutaway.training.corpus import held_out, source_files

CHOSEN = 160  # files of the standard library
_RARE = re.compile(r"\) -> |:= |\bnonlocal ")
SMALLEST, LARGEST = 2_000, 60_000  # characters of one


@dataclass(frozen=True)
class Sources:
    """Source texts by name; `unread` are files that are no text, by name, with the reason."""

    texts: Mapping[str, str]
    unread: Mapping[str, str]
    licence: str = NOT_STATED
    origin: str = NOT_STATED


def sources_of(given: Sources | Iterable[str] | str | os.PathLike[str]) -> Sources:
    """Sources from texts (numbered from 1), or from the `.py` files of a folder. Raises ConceptError where there are none."""
    if isinstance(given, Sources):
        return given
    if isinstance(given, str | os.PathLike):
        return folder_sources(given)
    texts = {f"source {number}": text for number, text in enumerate(given, 1)}
    if not texts:
        raise ConceptError("given no sources; expected texts of Python files; give some, or the path of a folder")
    return Sources(texts, {}, origin="sources that were given")


def folder_sources(folder: str | os.PathLike[str]) -> Sources:
    """The `.py` files in a folder and those below, by their paths within it. Raises ConceptError where there are none."""
    root = Path(folder)
    if not root.is_dir():
        what = "a text or a file" if root.exists() else "no such folder"
        raise ConceptError(
            f"{_short(str(folder))}: {what}; expected a folder of Python files; check the path, or give texts as a list"
        )
    texts, unread = _read(root, sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()))
    if not texts and not unread:
        raise ConceptError(f"{folder}: holds no .py file; expected Python sources; give the folder that they are in")
    return Sources(texts, unread, origin=f"generated from the Python files in {root.name or root}")


def standard_library_sources() -> Sources:
    """A fixed choice of this Python's own sources: first those that the code model was not trained on, then those
    that hold what is rare here (annotations, `:=`, nonlocal), then by hash.

    Raises ConceptError where an interpreter was installed without its sources.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    texts, _ = _read(root, list(source_files(root)))
    fit = {name: text for name, text in texts.items() if SMALLEST <= len(text) <= LARGEST}
    if not fit:
        raise ConceptError(
            "this Python came without the sources of its standard library; expected some; give code:FOLDER instead"
        )
    order = sorted(fit, key=lambda name: (not held_out(fit[name]), not _RARE.search(fit[name]), _hash(name)))
    chosen = {name: fit[name] for name in order[:CHOSEN]}
    return Sources(chosen, {}, "LicenseRef-PSF-2.0", "generated from the Python standard library")


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _read(root: Path, paths: Iterable[Path]) -> tuple[dict[str, str], dict[str, str]]:
    texts, unread = dict[str, str](), dict[str, str]()
    for path in paths:
        name = path.relative_to(root).as_posix()
        try:
            with tokenize.open(path) as file:  # in the encoding that the file declares
                texts[name] = file.read()
        except (SyntaxError, UnicodeDecodeError, OSError) as error:
            unread[name] = f"cannot be read: {error}"
    return texts, unread


def _short(text: str) -> str:
    line = text.splitlines()[0] if text.strip() else text
    return repr(line if len(line) <= 60 else line[:59] + "…")
