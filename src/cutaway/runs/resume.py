"""A map that survives being stopped: every result is a small file, and what is done is not done again."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from cutaway.runs.engine import Engine, InProcess
from cutaway.runs.progress import Progress, silent

Item = TypeVar("Item")


def resumable(
    folder: str | os.PathLike[str],
    fn: Callable[[Item], Any],
    items: Iterable[Item],
    key: Callable[[Item], Any],
    engine: Engine | None = None,
    progress: Progress = silent,
) -> list[Any]:
    """The results of `fn` over `items`, in their order, each stored under `folder` as it is done.

    `key(item)` is a JSON value that holds everything the result depends on (item, seed, hash of the network): a result
    is reused only if its key is the same. Results pass through JSON also when they are fresh, so tuples become lists
    and a resumed map gives what an uninterrupted one gives. Ctrl-C, or an error in `fn`, keeps what is done and is
    raised on. A shard that cannot be read is computed again and noted to `progress`.

    Raises ValueError if two items have one key, or if a key or result is not JSON.
    """
    items, folder = list(items), Path(folder)
    keys = [_canonical(key(item)) for item in items]
    _check_distinct(keys)
    shards = [folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.json" for text in keys]
    folder.mkdir(parents=True, exist_ok=True)
    progress.start(len(items), folder.name)
    try:
        done = {index: shard for index in range(len(items)) if (shard := _read(shards[index], keys[index], progress))}
        progress.advance(len(done))
        missing = [index for index in range(len(items)) if index not in done]
        with closing(_mapped(engine or InProcess(), fn, [items[index] for index in missing])) as results:
            for position, result in results:
                index = missing[position]
                done[index] = _write(shards[index], keys[index], result)
                progress.advance(1)
    finally:
        progress.finish()
    return [done[index]["result"] for index in range(len(items))]


def _mapped(engine: Engine, fn: Callable[[Item], Any], items: list[Item]) -> Generator[tuple[int, Any], None, None]:
    # A generator of our own, so that closing it also closes an engine that gives a plain iterator.
    yield from engine.map(fn, items)


def _canonical(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    except TypeError as error:
        raise ValueError(
            f"given a key or result that is not JSON ({error}); expected numbers, text, lists, maps"
        ) from error


def _check_distinct(keys: list[str]) -> None:
    repeated = [text for text, count in Counter(keys).items() if count > 1]
    if repeated:
        raise ValueError(f"two items have the key {repeated[0]}; expected distinct keys; put what differs into the key")


def _read(path: Path, key: str, progress: Progress) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        shard = json.loads(path.read_text(encoding="utf-8"))
        if _canonical(shard["key"]) == key and "result" in shard:
            return shard
    except (ValueError, KeyError, TypeError):
        pass
    progress.note(f"{path}: not a whole result for this key; computed again")
    return None


def _write(path: Path, key: str, result: Any) -> dict[str, Any]:
    text = '{"key": ' + key + ', "result": ' + _canonical(result) + "}"
    beside = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
    return json.loads(text)
