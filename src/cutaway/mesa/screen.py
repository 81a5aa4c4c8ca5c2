"""Is there an optimizer inside? Every sign of a network, and the verdict they give under limits that were frozen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cutaway.mesa.signs import SIGNS
from cutaway.mesa.signs.battery import Battery, battery
from cutaway.mesa.subject import Subject
from cutaway.mesa.tasks import Task
from cutaway.mesa.verdict.evidence import Evidence
from cutaway.mesa.verdict.limits import Limits
from cutaway.mesa.verdict.verdict import NAMES, Verdict, decide
from cutaway.runs import Table

GROUND_NAMES = frozenset(NAMES.values())


@dataclass(frozen=True)
class Screened:
    """What the signs read of a network, what they add up to, and the digest of the limits."""

    verdict: Verdict
    battery: Battery
    limits: str

    def table(self) -> Table:
        """Every sign: what it asks, value, null, whether it is a ground of the verdict, its course by layer, CPU seconds."""
        return Table.of(
            {
                "sign": sign.name,
                "asks": sign.asks,
                "value": self.battery.readings[sign.name].value,
                "null": list(self.battery.readings[sign.name].null),
                "a ground": sign.name in GROUND_NAMES,
                "by layer": [round(each, 3) for each in self.battery.readings[sign.name].course],
                "cpu_s": self.battery.costs[sign.name].seconds,
            }
            for sign in SIGNS
        )

    def record(self) -> dict[str, Any]:
        """The verdict with everything behind it, as JSON values."""
        return {
            **asdict(self.verdict),
            "orders": self.verdict.orders,
            "limits": self.limits,
            "signs": self.table().rows(),
        }

    def __str__(self) -> str:
        shown = Table.of({name: row[name] for name in ("sign", "value", "asks")} for row in self.table())
        return f"{self.verdict}\n\n{shown}\n{self.battery.cost.seconds:.1f} CPU s; limits {self.limits}"


def screen(subject: Subject, task: Task, seed: int = 0, limits: Limits | None = None) -> Screened:
    """The verdict on a network, on novel problems of a task (default: under the limits that come with the package).

    Errors: `TooShallow` for fewer than two layers; answers that are not finite.
    """
    limits = limits or Limits.shipped()
    subject.start(task.draw(2, seed))  # an opened network shows its blocks once it has run
    read = battery(subject, task, seed)
    return Screened(decide(Evidence.of(read), limits), read, limits.digest)
