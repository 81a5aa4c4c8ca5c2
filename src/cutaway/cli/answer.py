"""What a command gives: a value and how it reads; printed as text or as one JSON document."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from cutaway.cli.options import Common, Options
from cutaway.ledger.meter import Cost
from cutaway.runs.table import Table

if TYPE_CHECKING:
    from cutaway.ledger import Entry

RECEIPT = ("fired", "moved", "relative", "distance")  # its figures; the rest of it are tensors


@dataclass(frozen=True)
class Answer:
    """`value` is what `--out` saves and the JSON document's "result", `text` is what a person reads.

    `also` is said beside the result: {"page": a file}. `save(folder, arguments=…, costs=…)` is how `--out` saves it where
    that is not `cutaway.save` of the value. `entries` go into the ledger beside what was metered; `booked`: what it cost is
    in the ledgers of folders that it wrote itself; `module`, `submodel`: what of the network it was spent on, if on a part.
    """

    value: Any
    text: str
    also: Mapping[str, Any] = field(default_factory=dict)
    save: Callable[..., Any] | None = None
    entries: Sequence[Entry] = ()
    booked: bool = False
    module: str = ""
    submodel: str = ""


def show(answer: Answer, verb: str, options: Common, cost: Cost) -> None:
    """Prints the answer on stdout, and for people what it cost on stderr."""
    also = dict(answer.also)
    if isinstance(options, Options) and options.out is not None:
        also["saved"] = options.out
    if options.as_json:
        document = {"verb": verb, "result": answer.value, "seed": options.seed, **also, "cost": cost}
        print(json.dumps(plain(document), ensure_ascii=False, allow_nan=False), flush=True)
        return
    print(answer.text, *(f"{name}: {value}" for name, value in also.items()), sep="\n", flush=True)
    print(cost, file=sys.stderr)


def plain(value: Any) -> Any:
    """A value as JSON: dataclasses as objects, tables as lists of rows, NaN and infinity as null, the rest as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Table):
        return plain(value.rows())
    if type(value).__name__ == "Receipt":  # by name: the module of receipts imports torch
        return {"site": str(value.site), **{name: plain(getattr(value, name)) for name in RECEIPT}}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value)
