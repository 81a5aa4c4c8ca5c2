"""A run is a folder: `run.json`, tensors, tables; written beside its name and renamed, so it is whole or absent.

`run.json` lists every other file with its size and SHA-256, so that a half-copied run is noticed when it is opened; but
not the ledger, to which what a run costs later is added.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import platform
import shutil
import uuid
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from cutaway.runs.parquet import load_parquet, save_parquet
from cutaway.runs.table import Table

RUN_FILE = "run.json"
FORMAT = 1
LEDGER = "ledger.jsonl"
GROWING = (LEDGER,)
"""Files that go on growing after a run is whole: not listed, and not compared where an earlier version listed them."""
_VERSIONED = ("torch", "transformers", "numpy")
_EXPECTED = ("format", "kind", "files")


class RunError(Exception):
    """A folder is not a whole run, or a run cannot be written where it was asked for."""


@dataclass(frozen=True)
class Run:
    """A run folder: where it is and what its `run.json` says.

    >>> with new_run(folder, kind="trace", seed=0, arguments={"prompt": "x = 'abc"}) as run:
    ...     run.save_table(nodes, "nodes")
    >>> open_run(folder).load_table("nodes")

    Names are plain file names; the suffix (`.json`, `.parquet`, `.safetensors`) is added.
    """

    path: Path
    info: dict[str, Any]

    @property
    def kind(self) -> str:
        """What made the run: "trace", "submodels", …"""
        return self.info["kind"]

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON value. Raises ValueError for NaN and infinity, which are not JSON."""
        _write_text(self._file(name, ".json"), _json(value))

    def read_json(self, name: str) -> Any:
        """Read what `write_json` wrote."""
        return _read_json(self._file(name, ".json"))

    def save_tensors(self, tensors: Mapping[str, Any], name: str = "tensors") -> None:
        """Write named torch tensors or NumPy arrays as safetensors; tensors that share memory are stored apart."""
        _save_tensors(self._file(name, ".safetensors"), tensors)

    def load_tensors(self, name: str = "tensors", framework: Literal["torch", "numpy"] = "torch") -> dict[str, Any]:
        """Read named tensors, on the CPU. NumPy has no bfloat16: read such a file with torch."""
        from importlib import import_module

        path = self._file(name, ".safetensors")
        if not path.is_file():
            raise RunError(f"{path}: no such tensors; this run has {self._names('.safetensors')}")
        return import_module(f"safetensors.{framework}").load_file(path)

    def save_table(self, table: Table, name: str) -> None:
        """Write a table as parquet."""
        save_parquet(table, self._file(name, ".parquet"))

    def load_table(self, name: str) -> Table:
        """Read a table. Raises RunError naming the tables there are."""
        path = self._file(name, ".parquet")
        if not path.is_file():
            raise RunError(f"{path}: no such table; this run has {self._names('.parquet')}")
        return load_parquet(path)

    def _file(self, name: str, suffix: str) -> Path:
        name = name if name.endswith(suffix) else name + suffix
        if name == RUN_FILE or name.startswith(".") or Path(name).name != name or "\\" in name:
            raise ValueError(f"given the name {name!r}; expected a plain file name other than {RUN_FILE}")
        return self.path / name

    def _names(self, suffix: str) -> str:
        return ", ".join(sorted(path.stem for path in self.path.glob(f"*{suffix}"))) or "none"


@contextmanager
def writing(path: str | os.PathLike[str], *, overwrite: bool = False) -> Generator[Path, None, None]:
    """A new folder beside `path` that becomes `path` when the block ends, and vanishes if it raises.

    A process that is killed leaves only `NAME.tmp-…` beside the name, never a half-written `path`. Raises RunError if
    something is there already; `overwrite=True` replaces an earlier run, never any other folder.
    """
    path = Path(path).absolute()
    _check_free(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    beside.mkdir()
    try:
        yield beside
        _check_free(path, overwrite)
        _put(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def new_run(
    path: str | os.PathLike[str],
    kind: str,
    *,
    seed: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    sources: Iterable[str] = (),
    overwrite: bool = False,
) -> Generator[Run, None, None]:
    """A run to fill; when the block ends its files are listed in `run.json` and the folder takes its name.

    `sources` are the citations due; `run.info` may be added to until the block ends. The run given to the block points
    at the unfinished folder: `open_run(path)` afterwards. Raises RunError as `writing` does, ValueError if an argument
    is not JSON.
    """
    info = {
        "format": FORMAT,
        "kind": kind,
        "cutaway": _version("cutaway"),
        "versions": {name: version for name in _VERSIONED if (version := _version(name))},
        "python": platform.python_version(),
        "seed": seed,
        "arguments": dict(arguments or {}),
        "sources": list(sources),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    _json(info)
    with writing(path, overwrite=overwrite) as folder:
        yield Run(folder, info)
        _write_text(folder / RUN_FILE, _json({**info, "files": _listing(folder)}))


def open_run(path: str | os.PathLike[str], *, verify: bool = False) -> Run:
    """The run at `path`, after checking that every file it lists is there with its size.

    `verify=True` also compares the SHA-256 of every file. Raises RunError saying what was found, expected and to try.
    """
    path = Path(path)
    info = _read_info(path)
    for entry in info["files"]:
        _check_entry(path, entry)
        if entry["name"] in GROWING:
            continue
        _check_file(path / entry["name"], entry, verify)
    return Run(path, info)


def _read_info(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        unfinished = [found.name for found in path.parent.glob(f"{glob.escape(path.name)}.tmp-*")]
        hint = f"unfinished: {', '.join(unfinished)}; run it again" if unfinished else "check the path"
        raise RunError(f"{path}: no such run folder; expected a folder with {RUN_FILE}; {hint}")
    if not (path / RUN_FILE).is_file():
        found = ", ".join(sorted(item.name for item in path.iterdir())[:5]) or "an empty folder"
        raise RunError(f"{path}: found {found}; expected {RUN_FILE}, so this is not a finished run; run it again")
    info = _read_json(path / RUN_FILE)
    missing = [key for key in _EXPECTED if not isinstance(info, dict) or key not in info]
    if missing:
        raise RunError(f"{path / RUN_FILE}: lacks {', '.join(missing)}; expected a run written by cutaway")
    if info["format"] != FORMAT:
        raise RunError(
            f"{path}: run format {info['format']}; this cutaway reads {FORMAT}; use the version that wrote it"
        )
    return info


def _check_entry(path: Path, entry: Any) -> None:
    whole = isinstance(entry, dict) and {"name", "size", "sha256"} <= entry.keys()
    if not whole or Path(entry["name"]).is_absolute() or ".." in Path(entry["name"]).parts:
        raise RunError(f"{path / RUN_FILE}: lists a file as {entry!r}; expected a name inside the run, size and sha256")


def _check_file(path: Path, entry: dict[str, Any], verify: bool) -> None:
    again = "the run was cut short or changed: run it again, or copy it whole"
    if not path.is_file():
        raise RunError(f"{path}: missing; expected {entry['size']} bytes as {RUN_FILE} lists; {again}")
    size = path.stat().st_size
    if size != entry["size"]:
        raise RunError(f"{path}: found {size} bytes; expected {entry['size']} as {RUN_FILE} lists; {again}")
    if verify and _sha256(path) != entry["sha256"]:
        raise RunError(f"{path}: its contents differ from the SHA-256 that {RUN_FILE} lists; {again}")


def _check_free(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not path.is_dir() or not (path / RUN_FILE).is_file():
        raise RunError(f"{path}: something that is not a run is there; expected a free name; choose another")
    if not overwrite:
        raise RunError(f"{path}: a run is there already; choose another name or pass overwrite=True")


def _put(beside: Path, path: Path) -> None:
    old = path.with_name(f"{path.name}.old-{uuid.uuid4().hex[:8]}")
    if path.exists():
        path.rename(old)
    try:
        beside.rename(path)
    except OSError:
        if old.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _listing(folder: Path) -> list[dict[str, Any]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in GROWING)
    return [
        {"name": path.relative_to(folder).as_posix(), "size": path.stat().st_size, "sha256": _sha256(path)}
        for path in files
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _save_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    # torch is imported only for its own tensors: these can be detached, arrays cannot.
    if any(hasattr(value, "detach") for value in tensors.values()):
        from safetensors.torch import save_file

        save_file(_apart(tensors), path)
    else:
        import numpy
        from safetensors.numpy import save_file

        save_file({name: numpy.asarray(value, order="C") for name, value in tensors.items()}, path)


def _apart(tensors: Mapping[str, Any]) -> dict[str, Any]:
    import torch

    apart, seen = {}, set()
    for name, value in tensors.items():
        tensor = torch.as_tensor(value).detach().cpu().contiguous()
        memory = tensor.untyped_storage().data_ptr()
        apart[name] = tensor.clone() if memory in seen else tensor
        seen.add(memory)
    return apart


def _json(value: Any) -> str:
    try:
        return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"given a value that is not JSON ({error}); expected finite numbers, text, lists, maps"
        ) from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path}: no such file in this run") from None
    except ValueError as error:
        raise RunError(f"{path}: not valid JSON ({error}); half-written or foreign; run it again") from error


def _write_text(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
