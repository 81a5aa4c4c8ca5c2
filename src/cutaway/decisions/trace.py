"""The value that a traced decision is: which sub-models it used, in the order of the layers, and what each was worth.

Two claims are never one word (`used`: removing it changes this decision beyond the floor; `selective`: more than chance).
The result is two tables and a page of figures, not an object graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cutaway.decisions.circuit.circuit import Circuit
from cutaway.decisions.decision import Decision
from cutaway.decisions.estimate import Estimate
from cutaway.decisions.same import same
from cutaway.ledger.meter import Cost
from cutaway.runs.table import Table

FLOOR = 0.01  # of the total effect
SELECTIVE = 0.05  # the false discovery rate at which parts are called selective


@dataclass(frozen=True)
class Check:
    """A joint claim about the named set: `share` of the total effect, with the same for random sets of equal size.

    `control` is the mean over `controls` random sets, `p` the rank of the named set among them: (1 + those that do as well
    or better) / (1 + controls). None where there are no controls.
    """

    what: str
    share: Estimate
    control: Estimate
    p: float | None = None
    controls: int = 0

    def __str__(self) -> str:
        interval = f"[{self.share.low:.0%}, {self.share.high:.0%}]"
        rank = "" if self.p is None else f" (p = {self.p:.2g}, {self.controls} sets)"
        return f"{self.what}: {self.share.mean:.0%} {interval}, random sets of equal size {self.control.mean:.0%}{rank}"


@dataclass(frozen=True)
class Trace:
    """A decision, step by step.

    `nodes`: one row a part, strongest first. `steps`: the decision as it stands after each block. `strengths`: the
    first-order effect of each part at each position. `edges`: links between parts (empty unless they were asked for),
    `circuit` what holds of them together. Effects are changes of the decision when a part is taken away: negative means
    that it spoke for the answer.
    """

    network: str
    decision: Decision
    answers: tuple[str, ...]
    insteads: tuple[str, ...]
    tokens: tuple[str, ...]
    metric: Estimate
    total: Estimate
    floor: float
    baseline: str
    nodes: Table
    steps: Table
    strengths: Table
    edges: Table
    checks: tuple[Check, ...]
    completeness: float | None
    cost: Cost
    seed: int
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    circuit: Circuit | None = None

    @property
    def used(self) -> list[str]:
        """Addresses of the parts that this decision used, strongest first (neurons inside a part apart)."""
        return [row["part"] for row in self.nodes if row["state"] == "used" and row["within"] is None]

    @property
    def selective(self) -> list[str]:
        """Addresses of the used parts that matter more than chance (q ≤ 0.05)."""
        return [row["part"] for row in self.nodes if row["selective"] and row["state"] == "used"]

    def __str__(self) -> str:
        from cutaway.decisions.show import show

        return show(self)

    def __eq__(self, other: object) -> bool:
        """By contents, tensors too."""
        return same(self, other)

    __hash__ = None

    def _repr_html_(self) -> str:
        return self.nodes._repr_html_()
