"""Traces to save and show: small ones made by hand, and real ones of the code model."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import nn

import cutaway as cw
from cutaway.decisions import Check, Circuit, Estimate, Joint, Trace
from cutaway.decisions.circuit.circuit import COLUMNS, GROUP_COLUMNS
from cutaway.ledger import Cost
from cutaway.runs import Table

ATTACK = "x = '<script>alert(1)</script>"


def estimate(mean: float, half: float = 0.5) -> Estimate:
    return Estimate(mean, mean - half, mean + half, 8, "donors")


def node(part: str, exact: float, /, **cells: Any) -> dict[str, Any]:
    """A row of the nodes table."""
    state = "used" if abs(exact) > 0.6 else "undecided"
    row = {
        "part": part,
        "layer": 0,
        "kind": "head",
        "within": None,
        "at": 1,
        "token": " =",
        "direct": exact / 2,
        "total": exact * 1.5,
        "exact": exact,
        "low": exact - 0.5,
        "high": exact + 0.5,
        "n": 8,
        "share": exact / -6.0,
        "moved": 1.0,
        "distance": 1.0,
        "state": state,
        "p": 0.01,
        "q": 0.04,
        "selective": state == "used",
        "labels": [],
    }
    return {**row, **cells}


def small(*nodes: dict[str, Any], **fields: Any) -> Trace:
    """A trace of one block and three tokens, made by hand."""
    rows = nodes or (node("z.0[head=1]", -2.0), node("mlp_out.0", 1.0, kind="mlp"), node("z.0[head=0]", 0.1))
    used = [row["part"] for row in rows if row["state"] == "used"]
    made = Trace(
        network="tiny",
        decision=cw.Decision("x = 1", answer="1", instead="2"),
        answers=("1",),
        insteads=("2",),
        tokens=("x", " =", " 1"),
        metric=Estimate(3.0, 3.0, 3.0, 1, "rerun"),
        total=estimate(-6.0),
        floor=0.06,
        baseline="values of 8 other inputs (resample)",
        nodes=Table.of(rows),
        steps=Table.of(
            [
                {"layer": None, "decision": -1.0, "change": None, "used": []},
                {"layer": 0, "decision": 3.0, "change": 4.0, "used": used},
            ]
        ),
        strengths=Table.of([{"part": row["part"], "by_position": [0.0, row["total"], 0.25]} for row in rows]),
        edges=Table({name: [] for name in ("from", "to", "through", "knockout", "share", "telescoping")}),
        checks=(Check("enough: decision that is left with only the named parts", estimate(0.8), estimate(0.1)),),
        completeness=-0.25,
        cost=Cost("trace", None, {}, 5, 0.5, 0.4, 10, 0),
        seed=3,
        notes=("a note & more",),
        settings={"draws": 8, "floor": 0.01},
    )
    return replace(made, **fields)


def edge(start: str, end: str, through: str, knockout: float, /, **cells: Any) -> dict[str, Any]:
    """A row of the edges table."""
    ends = {"low": knockout - 0.25, "high": knockout + 0.25, "n": 8}
    row = {"from": start, "to": end, "through": through, "knockout": knockout, **ends}
    return {**row, "share": 0.1, "telescoping": knockout / 2, "state": "used", "group": None, **cells}


EDGES = (
    edge("z.2[head=1]", "output", "out", -6.0),
    edge("z.0[head=3]", "z.2[head=1]", "k", -4.0, state="used together", group=0),
    edge("mlp_out.0", "z.2[head=1]", "k", 1.0, state="undecided", low=-0.5, high=2.5),
    edge("embed", "z.0[head=3]", "v", -3.0),
)


def circuit(*edges: dict[str, Any], **fields: Any) -> Circuit:
    """A circuit made by hand."""
    names = ["z.0[head=3] → z.2[head=1]/k", "mlp_out.0 → z.2[head=1]/k"]
    group = {"group": 0, "kind": "redundant", "parts": ["z.0[head=3]"], "edges": names, "together": 0.753}
    made = Circuit(
        edges=Table.of(edges or EDGES, columns=COLUMNS),
        groups=Table.of([group], columns=GROUP_COLUMNS),
        layers=Table.of(
            [
                {"before": "0", "edges": 1, "named": 0.9, "unexplained": 0.1},
                {"before": "output", "edges": 1, "named": 1.043, "unexplained": -0.043},
            ]
        ),
        checks=(
            Joint("sufficient: everything else cut", Estimate(0.021, 0.011, 0.031, 8, "inputs"), 0.05, True),
            Joint("minimal: the weakest edge or group cut", Estimate(0.004, 0.004, 0.004, 1, "rerun"), 0.01, False),
        ),
        power=Table.of([{"wrong set": "less one edge", "tried": 20, "passed": 3}]),
        total=estimate(-6.0),
        floor=0.06,
        missing=0.17,
        passes=(10, 8),
        runs=(33, 22),
        verdict="explained",
        group_effects=(estimate(-4.5),),
    )
    return replace(made, **fields)


def linked(*edges: dict[str, Any], **fields: Any) -> Trace:
    """A trace with such a circuit."""
    made = circuit(*edges, **fields)
    return small(edges=made.edges, circuit=made)


@cache
def code_model() -> cw.Network:
    return cw.open("organism:code")


@cache
def quote() -> Trace:
    """A real trace, quick: few draws, nothing tested against chance."""
    return cw.trace(
        code_model(), cw.Decision("x = 'abc", answer="'", instead='"'), draws=4, nulls=0, neurons=2, most=12
    )


@cache
def attack() -> Trace:
    """A real trace of a prompt that looks like a script."""
    return cw.trace(code_model(), cw.Decision(ATTACK, answer="'", instead='"'), draws=4, nulls=0, neurons=0, most=6)


@cache
def rerun() -> cw.Rerun:
    return cw.without(code_model(), quote().decision, quote().used[:2], draws=4, tokens=4)


@cache
def pixels() -> Trace:
    """A trace of a network that has neither tokens nor a residual stream."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(64, 3)]
    net = cw.open(nn.Sequential(*layers), reference=torch.randn(12, 1, 8, 8))
    return cw.trace(net, cw.Decision(torch.randn(2, 1, 8, 8), answer=0, instead=2), draws=4, nulls=0)
