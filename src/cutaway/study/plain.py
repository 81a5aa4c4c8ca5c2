"""Values of the package as JSON and back: dataclasses by name, tensors as safetensors, tables as parquet, nothing pickled.

Text, numbers, lists and maps stand as they are. Everything else is an object whose key "$" says what it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any

from torch import Tensor

from cutaway.decisions import Check, Circuit, Decision, Estimate, Joint, Rerun, Trace
from cutaway.ledger import Cost
from cutaway.network import Batch, Site
from cutaway.network.edit import Receipt
from cutaway.runs import Run, RunError, Table
from cutaway.submodels import Curve, SubModel, load_submodels, save_submodels

KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (Batch, Check, Circuit, Cost, Curve, Decision, Estimate, Joint, Receipt, Rerun, Site, Trace)
}


@dataclass(frozen=True)
class NotStored:
    """Stands for a function that a run cannot hold: a decision with it can be read, but not posed again."""

    name: str

    def __call__(self, *inputs: Any) -> Any:
        """Raises RunError: the function is not here."""
        raise RunError(
            f"the function {self.name} was not stored with this run (functions never are); "
            "make the decision again: dataclasses.replace(decision, metric=the function)"
        )


@dataclass
class Writer:
    """Turns values into JSON; what JSON cannot hold goes to files of `run`."""

    run: Run
    tensors: dict[str, Tensor] = field(default_factory=dict)
    unstored: list[str] = field(default_factory=list)

    def plain(self, value: Any, place: str) -> Any:
        """`value` as JSON. Raises TypeError for what cannot be stored.

        `place` names the file that it may need; it is "" for the value itself, whose fields then name theirs.
        """
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"$": "number", "is": str(value)}
        if isinstance(value, tuple):
            return {"$": "tuple", "of": self._list(value, place)}
        if isinstance(value, list):
            return self._list(value, place)
        if isinstance(value, Mapping):
            return self._map(value, place)
        return self._other(value, place)

    def finish(self) -> None:
        """Writes the tensors that were met."""
        if self.tensors:
            self.run.save_tensors(self.tensors)

    def _list(self, values: list[Any] | tuple[Any, ...], place: str) -> list[Any]:
        return [self.plain(value, _inside(place, index)) for index, value in enumerate(values)]

    def _map(self, values: Mapping[Any, Any], place: str) -> dict[str, Any]:
        if all(isinstance(key, str) for key in values) and "$" not in values:
            return {key: self.plain(value, _inside(place, key)) for key, value in values.items()}
        pairs = [self._list((key, value), _inside(place, index)) for index, (key, value) in enumerate(values.items())]
        return {"$": "map", "of": pairs}

    def _other(self, value: Any, place: str) -> dict[str, Any]:
        if isinstance(value, Tensor):
            self.tensors[place] = value
            return {"$": "tensor", "name": place}
        if isinstance(value, Table):
            return self._table(value, place)
        if isinstance(value, SubModel):
            save_submodels([value], self.run.path / place)
            return {"$": "SubModel", "folder": place}
        if is_dataclass(value) and type(value).__name__ in KINDS:
            inner = {one.name: self.plain(getattr(value, one.name), _inside(place, one.name)) for one in fields(value)}
            return {"$": type(value).__name__, **inner}
        if hasattr(value, "tolist"):
            return {"$": "array", "of": self.plain(value.tolist(), place), "type": str(value.dtype)}
        if callable(value):
            name = value.name if isinstance(value, NotStored) else getattr(value, "__qualname__", type(value).__name__)
            self.unstored.append(name)
            return {"$": "function", "name": name}
        raise TypeError(
            f"{place} is a {type(value).__name__}, which cannot be stored; "
            "expected text, numbers, tensors, arrays, lists or maps of these: convert it first"
        )

    def _table(self, table: Table, place: str) -> dict[str, Any]:
        # Parquet has no table without columns.
        if table.columns:
            self.run.save_table(table, place)
        return {"$": "Table", "name": place if table.columns else None}


@dataclass
class Reader:
    """Turns what a `Writer` wrote back into values."""

    run: Run
    _tensors: dict[str, Tensor] | None = None

    def value(self, plain: Any) -> Any:
        """The value. Raises RunError for what this version does not know."""
        if isinstance(plain, list):
            return [self.value(one) for one in plain]
        if not isinstance(plain, dict):
            return plain
        if "$" not in plain:
            return {key: self.value(one) for key, one in plain.items()}
        kind = plain["$"]
        if kind in KINDS:
            return self._dataclass(KINDS[kind], plain)
        if kind not in _READ:
            raise RunError(
                f"{self.run.path}: holds a value of kind {kind!r}, which this cutaway does not know; update it"
            )
        return _READ[kind](self, plain)

    def tensor(self, name: str) -> Tensor:
        """A stored tensor, on the CPU."""
        if self._tensors is None:
            self._tensors = self.run.load_tensors()
        return self._tensors[name]

    def _dataclass(self, kind: Any, plain: dict[str, Any]) -> Any:
        known = {one.name: one for one in fields(kind)}
        missing = [name for name, one in known.items() if name not in plain and _required(one)]
        strange = sorted(plain.keys() - known.keys() - {"$"})
        if missing or strange:
            what = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(strange)}"
            raise RunError(
                f"{self.run.path}: its {kind.__name__} {what}; another version wrote it: use that, or run it again"
            )
        return kind(**{name: self.value(plain[name]) for name in known if name in plain})


def _inside(place: str, name: str | int) -> str:
    return f"{place}.{name}" if place else str(name)


def _required(one: Any) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _array(reader: Reader, plain: dict[str, Any]) -> Any:
    import numpy

    return numpy.asarray(reader.value(plain["of"]), dtype=plain["type"])


_READ: dict[str, Callable[[Reader, dict[str, Any]], Any]] = {
    "number": lambda reader, plain: float(plain["is"]),
    "tuple": lambda reader, plain: tuple(reader.value(plain["of"])),
    "map": lambda reader, plain: {reader.value(key): reader.value(one) for key, one in plain["of"]},
    "tensor": lambda reader, plain: reader.tensor(plain["name"]),
    "array": _array,
    "function": lambda reader, plain: NotStored(plain["name"]),
    "Table": lambda reader, plain: Table({}) if plain["name"] is None else reader.run.load_table(plain["name"]),
    "SubModel": lambda reader, plain: load_submodels(reader.run.path / plain["folder"])[0],
}
