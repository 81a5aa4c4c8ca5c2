"""How the cost of understanding grows: one point a network, from folders that hold its training and what was asked of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutaway.ledger import Ledger
from cutaway.runs import RunError, Table, open_run
from cutaway.study.cost.books import Book, CostError, study

if TYPE_CHECKING:
    from cutaway.ledger.scaling import Fit

OUTSIDE = ("embed", "unembed", "bigram")
"""Kinds of parameters that are left out of the non-embedding ones."""
SIZES = {
    "training_flops": "training FLOPs",
    "parameters": "parameters",
    "non_embedding": "non-embedding parameters",
    "neurons": "neurons",
}
"""What a cost is fitted on, in words."""
OF_RATIO = {"sublinear": "falls", "linear": "constant", "superlinear": "rises"}
"""What a verdict says of the cost as a multiple of what it is on."""


@dataclass(frozen=True)
class NetworkCost:
    """One network of a scaling study. size: what networks of one size share; reached: whether understanding got as far as it
    was to get (a search that was stopped or failed is a lower bound); sizes that are not known are None."""

    network: str
    size: str
    training_flops: float
    understanding_flops: float
    reached: bool = True
    parameters: float | None = None
    non_embedding: float | None = None
    neurons: float | None = None


@dataclass(frozen=True)
class Growth:
    """The networks, every candidate fit, and sentences about folders that gave no point."""

    networks: tuple[NetworkCost, ...]
    fits: tuple[Fit, ...]
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        from cutaway.ledger.reference import EXPONENTS
        from cutaway.ledger.scaling import table

        bounds = sum(not one.reached for one in self.networks)
        head = f"{len(self.networks)} networks, of {bounds} of them the cost of understanding is a lower bound"
        return "\n\n".join(
            [
                "\n".join([head, *map(str, self.fits)]),
                f"every fit that was looked at, corrected for how many there are\n{_narrow(table(self.fits))}",
                "\n".join(["exponents that others have named", *map(str, EXPONENTS)]),
                *(["\n".join(f"left out: {one}" for one in self.left_out)] if self.left_out else []),
            ]
        )

    @property
    def table(self) -> Table:
        """One row a network."""
        return Table.of(map(asdict, self.networks))


def _narrow(fits: Table) -> Table:
    """The columns that a terminal has room for; what a verdict rests on stands in the lines above it."""
    names = (
        "fit",
        "sizes",
        "bounds",
        "exponent",
        "95 %",
        "95 %, bootstrap",
        "p curved",
        "AICc over exponential",
        "verdict",
    )
    short = {"95 %, bootstrap": "bootstrap", "AICc over exponential": "ΔAICc"}
    return Table.of({short.get(name, name): row[name] for name in names} for row in fits)


def growth(given: Sequence[Path]) -> Growth:
    """The fits over networks in these folders, or in files of lines ({"network": …, "size": …, "training_flops": …,
    "understanding_flops": …, "reached": …} and sizes).

    A folder is of one network, or its subfolders are, each with one training in it. Raises CostError for no network.
    """
    networks: list[NetworkCost] = []
    left: list[str] = []
    for path in given:
        found, why = (_lines(path), []) if path.is_file() else _folders(path)
        networks, left = networks + found, left + why
    if not networks:
        raise CostError(
            f"{', '.join(map(str, given))}: no network with its training and what understanding it cost, both counted in "
            f"FLOPs{': ' * bool(left)}{'; '.join(left)}; expected folders that hold both"
        )
    return Growth(tuple(networks), fitted({"understanding": networks}), tuple(left))


def fitted(costs: Mapping[str, Sequence[NetworkCost]]) -> tuple[Fit, ...]:
    """For each name of what understanding took: it on every size that is known of all its networks, and as a multiple of
    training; and training on the sizes of the first. Corrected for all together.

    The multiple on training is the same line as the cost on training, less 1: it is told beside, not fitted again.
    """
    from cutaway.ledger.scaling import Point, fits

    candidates: dict[str, list[Point]] = {}
    for name, networks in costs.items():
        for size, words in known(networks).items():
            candidates[f"{name} on {words}"] = [
                Point(getattr(one, size), one.understanding_flops, one.reached, one.size) for one in networks
            ]
    first = next(iter(costs.values()))
    for size, words in known(first).items():
        if size != "training_flops":
            candidates[f"training on {words}"] = [
                Point(getattr(one, size), one.training_flops, size=one.size) for one in first
            ]
    on_training = {f"{name} on {SIZES['training_flops']}": name for name in costs}
    return tuple(
        row
        for one in fits(candidates)
        for row in ((one, ratio(one, on_training[one.name])) if one.name in on_training else (one,))
    )


def ratio(cost: Fit, name: str) -> Fit:
    """A cost on training as a multiple of training: the exponent and everything about it less 1, the same verdict in its words."""
    from cutaway.ledger.scaling import Interval, Power

    called = f"{name} ÷ training on {SIZES['training_flops']}"
    sizes = replace(cost.sizes, y=cost.sizes.y - cost.sizes.x)
    if cost.power is None or cost.interval is None or cost.curvature is None:
        return replace(cost, name=called, sizes=sizes, linear_at=0.0)
    low, high = cost.curvature.local
    return replace(
        cost,
        name=called,
        sizes=sizes,
        linear_at=0.0,
        verdict=OF_RATIO.get(cost.verdict, cost.verdict),
        why=f"as {cost.name} is {cost.verdict}",
        power=Power(sizes),
        interval=Interval(cost.interval.low - 1, cost.interval.high - 1, cost.interval.level),
        curvature=replace(cost.curvature, local=(low - 1, high - 1)),
    )


def known(networks: Sequence[NetworkCost]) -> dict[str, str]:
    """The sizes that are known of all of these networks, with their words."""
    return {size: words for size, words in SIZES.items() if all(getattr(one, size) for one in networks)}


def _folders(path: Path) -> tuple[list[NetworkCost], list[str]]:
    """The networks of a folder, and why some subfolders give none."""
    books = study([path]).books
    groups: dict[Path, list[Book]] = {}
    if sum(_trains(book) for book in books) == 1:
        groups[path] = list(books)
    else:
        for book in books:
            below = book.path.resolve().relative_to(path.resolve()).parts
            if below:
                groups.setdefault(path / below[0], []).append(book)
    found: list[NetworkCost] = []
    left: list[str] = []
    for folder, some in groups.items():
        why = _lack(some)
        left += [f"{folder}: {why}"] if why else []
        found += [] if why else [_grown(folder, some)]
    return found, left


def _lack(books: Sequence[Book]) -> str:
    """Why these books are no network's; empty if they are."""
    trainings = sum(_trains(book) for book in books)
    if trainings != 1:
        return f"{trainings} trainings with FLOPs; expected one network a folder"
    asked = [book.of("discover", "apply") for book in books]
    asked = [ledger for ledger in asked if len(ledger.where(kind="compute"))]
    lacking = sum(not _flops(ledger) for ledger in asked)
    if not asked or lacking:
        return f"{lacking} of its {len(asked)} runs of understanding have no FLOPs; run the commands with --flops"
    return ""


def _grown(folder: Path, books: Sequence[Book]) -> NetworkCost:
    own = next(book for book in books if _trains(book))
    asked = [book.of("discover", "apply") for book in books]
    sizes = _sizes(own.path)
    return NetworkCost(
        network=folder.name or str(folder),
        size=sizes.pop("size", ""),
        training_flops=_flops(own.of("train")),
        understanding_flops=sum(map(_flops, asked)),
        reached=all(any(head.state == "done" for head in ledger.heads) for ledger in asked if len(ledger)),
        **sizes,
    )


def _sizes(path: Path) -> dict[str, Any]:
    """The sizes of a network that `dial` trained; nothing of others."""
    try:
        run = open_run(path)
        config, live = run.read_json("config"), run.read_json("record")["live"]
    except (RunError, KeyError):
        return {}
    of = {kind: counts["of"] for kind, counts in live.items()}
    hidden = config.get("hidden") or 4 * config["width"]
    return {
        "size": json.dumps(config, sort_keys=True),
        "parameters": float(sum(of.values())),
        "non_embedding": float(sum(count for kind, count in of.items() if kind not in OUTSIDE)),
        "neurons": float(hidden * config.get("layers", 2)),
    }


def _lines(file: Path) -> list[NetworkCost]:
    return [_row(row, f"{file}, line {number}") for number, row in _rows(file)]


def _rows(file: Path) -> Iterator[tuple[int, Any]]:
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if text.strip():
            try:
                yield number, json.loads(text)
            except ValueError as error:
                raise CostError(f"{file}, line {number}: no JSON ({error}); expected one object a network") from None


def _row(row: Any, where: str) -> NetworkCost:
    known = {one.name for one in fields(NetworkCost)}
    needed = {"network", "size", "training_flops", "understanding_flops"}
    if not isinstance(row, Mapping) or not needed <= row.keys() <= known:
        given = sorted(row) if isinstance(row, Mapping) else row
        raise CostError(f"{where}: given {given}; expected {sorted(needed)} and, if known, {sorted(known - needed)}")
    for name, value in row.items():
        _check(name, value, where, known=name in needed)
    return NetworkCost(**row)


def _check(name: str, value: Any, where: str, known: bool) -> None:
    """Raises CostError for a value that is not what a field of this name holds."""
    if name in ("network", "size"):
        good, expected = isinstance(value, str), "a text"
    elif name == "reached":
        good, expected = isinstance(value, bool), "true or false"
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
        good, expected = number or (value is None and not known), "a number above 0"
    if not good:
        raise CostError(f"{where}: {name} is {value!r}; expected {expected}")


def _trains(book: Book) -> bool:
    return _flops(book.of("train")) > 0


def _flops(ledger: Ledger) -> float:
    return sum(row["quantity"] for row in ledger.where(resource="flops").totals())
