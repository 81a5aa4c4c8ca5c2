"""A circuit made by hand with steps, shares of names, other stand-ins and other examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.study.made import linked

from cutaway.decisions import Trace
from cutaway.runs import Table


def step(part: str, at: int | None, /, **cells: Any) -> dict[str, Any]:
    """A row of the table of steps."""
    row: dict[str, Any] = {"layer": 0, "part": part, "at": at, "token": " =", "alike": 1.0, "labels": []}
    row |= {"reads": [], "through": [], "read at": [], "share": [], "knockout": [], "writes": [], "into": []}
    return {**row, "effect": -1.0, "low": -1.5, "high": -0.5, **cells}


def reading(*ends: tuple[str, str, list[int | None]]) -> dict[str, list]:
    """What a step read: parts, ways in, positions."""
    read = {"reads": [part for part, *_ in ends], "through": [way for _, way, _ in ends]}
    count = len(ends)
    return {**read, "read at": [places for *_, places in ends], "share": [0.1] * count, "knockout": [-1.0] * count}


STEPS = (
    step("embed", 1, layer=None, writes=["z.0[head=3]", "z.0[head=3]"], into=["v", "q"], effect=-9.0),
    step("embed", None, layer=None, token=None, alike=None, writes=["mlp_out.0"], into=["mlp"], effect=-0.01, low=None),
    step(
        "z.0[head=3]",
        -1,
        labels=["looks back"],
        alike=0.25,
        **reading(("embed", "v", [4, 2, 3, None]), ("embed", "q", [-1])),
        writes=["output"],
        into=["out"],
        effect=-4.0,
    ),
    step("output", -1, layer=None, **reading(("z.0[head=3]", "out", [-1])), effect=None, low=None, high=None),
)
CARRIED = (
    {"what": "named", "share": 0.625, "low": 0.5, "high": 0.75, "n": 8, "edges": 2, "parts": ["z.0[head=3]"]},
    {
        "what": "unnamed",
        "share": 0.5,
        "low": None,
        "high": None,
        "n": 8,
        "edges": 3,
        "parts": ["mlp_out.0", "z.2[head=1]"],
    },
    {"what": "unexplained", "share": -0.125, "low": -0.2, "high": 0.0, "n": 8, "edges": 90, "parts": []},
)
WORDS = "dead under resample, alive under zero: carries a constant"
OTHERS = (
    {"from": "every edge", "to": None, "through": None, "here": -6.0, "mean": -5.0, "zero": -30.0, "words": ""},
    {"from": "mlp_out.0", "to": "z.2[head=1]", "through": "k", "here": 0.0, "mean": 0.01, "zero": -7.5, "words": WORDS},
    {"from": "embed", "to": "output", "through": "out", "here": -2.0, "mean": -2.5, "zero": -3.5, "words": ""},
)
STABILITY = (
    {"examples": "resampled", "n": 8, "Jaccard": 0.93, "low": 0.85, "times": 60},
    {"examples": "rephrased", "n": 4, "Jaccard": 0.5, "low": None, "times": 1},
)


def stepped(steps: Any = STEPS, **fields: Any) -> Trace:
    """A trace with such a circuit."""
    trace = linked()
    tables = {"steps": steps, "carried": CARRIED, "others": OTHERS, "stability": STABILITY, **fields}
    assert trace.circuit is not None
    return replace(trace, circuit=replace(trace.circuit, **{name: Table.of(rows) for name, rows in tables.items()}))
