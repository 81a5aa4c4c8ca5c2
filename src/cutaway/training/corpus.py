"""A corpus of Python source: the standard library of the running interpreter, split by file.

Every installation of Python carries a few million tokens of real code under the PSF licence, so a network can be
trained with nothing to download. A file's side of the split depends on its text alone: adding files moves no others.
"""

from __future__ import annotations

import hashlib
import platform
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Left out: tests and examples of broken code, tables written as code, text written as code, and what the installation
# itself wrote (build settings hold the paths of one machine).
SKIPPED_FOLDERS = frozenset(
    {"test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "encodings", "pydoc_data", "__pycache__"}
)
SKIPPED_PREFIXES = ("_sysconfigdata", "config-", "sitecustomize", "usercustomize")
VALIDATION_SHARE = 0.04


@dataclass(frozen=True)
class Corpus:
    """Texts for training and for validation, with what they are.

    `hash` is the sha256 of every text in order; two corpora with equal hashes train equal networks. `train` and
    `validation` hold whole files and no file is in both.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    hash: str
    python_version: str

    def __post_init__(self) -> None:
        if not self.train or not self.validation:
            raise ValueError(
                f"a corpus needs texts on both sides; given {len(self.train)} for training and {len(self.validation)} "
                "for validation; try a folder with more files"
            )

    def __str__(self) -> str:
        size = sum(map(len, self.train + self.validation)) / 1e6
        return (
            f"Corpus of Python {self.python_version}: {len(self.train)} files to train on, {len(self.validation)} held "
            f"out, {size:.1f}M characters, sha256 {self.hash[:12]}"
        )


def standard_library(folder: Path | str | None = None) -> Corpus:
    """The sources of the running Python, or of `folder`, in a fixed order.

    Raises FileNotFoundError where an interpreter was installed without its sources.
    """
    root = Path(folder or sysconfig.get_paths()["stdlib"])
    texts = [text for path in source_files(root) if (text := readable(path)) is not None]
    if not texts:
        raise FileNotFoundError(f"no Python sources under {root}; expected a standard library; give its folder")
    return corpus(texts)


def corpus(texts: list[str]) -> Corpus:
    """`texts` split by the hash of each: about 4 % are held out."""
    texts = list(dict.fromkeys(texts))  # the same file twice could fall on both sides
    return Corpus(
        train=tuple(text for text in texts if not held_out(text)),
        validation=tuple(text for text in texts if held_out(text)),
        hash=hashlib.sha256("\0".join(texts).encode()).hexdigest(),
        python_version=platform.python_version(),
    )


def held_out(text: str) -> bool:
    """Whether a text belongs to the validation side; depends on nothing but the text."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) < VALIDATION_SHARE * 2**32


def source_files(root: Path) -> Iterator[Path]:
    """The Python files under `root` that hold code, sorted by their path relative to it."""
    for path in sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix()):
        parts = path.relative_to(root).parts
        if not SKIPPED_FOLDERS & set(parts[:-1]) and not any(part.startswith(SKIPPED_PREFIXES) for part in parts):
            yield path


def readable(path: Path) -> str | None:
    """The text of a file with `\\n` line ends; None if it is empty, is not UTF-8 or does not compile."""
    try:
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a file is not the reader's concern
            compile(text, path.name, "exec", dont_inherit=True)
    except (UnicodeDecodeError, SyntaxError, ValueError):
        return None
    return text if text.strip() else None
