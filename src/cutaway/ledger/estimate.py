"""What understanding a network costs against training it, as an estimate whose every adjustment shows its input."""

from __future__ import annotations

from dataclasses import dataclass

from cutaway.ledger.book import Ledger
from cutaway.ledger.entry import PEAKS, Purpose
from cutaway.ledger.figure import Figure
from cutaway.runs import Table


@dataclass(frozen=True)
class Step:
    """One adjustment: its name, the input that it was given and the ratio after it."""

    name: str
    given: Figure
    ratio: Figure


@dataclass(frozen=True)
class Estimate:
    """Cost of understanding and of training, in one unit; `steps` are the adjustments so far.

    >>> print(imagenet().ratio)
    50,000× (assumed: price of understanding)
    """

    understanding: Figure
    training: Figure
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        self.understanding.to(self.training.unit)
        if self.training.value <= 0 or self.understanding.value < 0:
            raise ValueError(
                f"given {self.understanding} for understanding and {self.training} for training; expected a training "
                "that cost something, and nothing negative"
            )

    @property
    def ratio(self) -> Figure:
        """Understanding over training."""
        return self.understanding / self.training

    def table(self) -> Table:
        """One row an adjustment, in the order in which they were made."""
        rows = [{"adjustment": step.name, "input": str(step.given), "ratio": str(step.ratio)} for step in self.steps]
        return Table.of(rows, ("adjustment", "input", "ratio"))

    def adjusted(
        self, name: str, given: Figure, *, understanding: Figure | None = None, training: Figure | None = None
    ):
        """This estimate with another cost of understanding or training, and what was done."""
        after = Estimate(understanding or self.understanding, training or self.training, self.steps)
        return Estimate(after.understanding, after.training, (*self.steps, Step(name, given, after.ratio)))


def imagenet() -> Estimate:
    """The estimate behind 50,000×: $50 to train a classifier of ImageNet, 10 person-years at $250k to understand it.

    From the discussion under D. Filan, "An Analytic Perspective on AI Alignment", Alignment Forum 2020.
    """
    time = Figure(10, "person-year", "declared", "time of understanding", 2.0)
    price = Figure(250_000, "USD/person-year", "assumed", "price of understanding", 1.5)
    return Estimate((time * price).to("USD"), Figure(50, "USD", "declared", "training", 2.0))


def spent(ledger: Ledger, resource: str, purpose: Purpose | None = None, name: str = "") -> Figure:
    """What a ledger says was spent of a resource ("flops", "person-hour", "USD"), failed and aborted phases included.

    Raises ValueError if there is nothing, if the units differ, or for a peak, of which there is no sum.
    """
    if resource in PEAKS:
        raise ValueError(f"given {resource}, which does not add up; expected a resource such as 'flops' or 'cpu_s'")
    chosen = ledger.where(lambda head: purpose is None or head.purpose == purpose, resource=resource)
    rows = chosen.totals().rows()
    if len(rows) != 1:
        units = [row["unit"] for row in rows]
        known = sorted({(head.resource, head.purpose or "no purpose") for head in ledger.heads})
        raise ValueError(
            f"given {resource!r} of {purpose or 'any purpose'}: found {units or 'no entries'}; expected entries of one unit; "
            f"this ledger has {', '.join(f'{one} ({why})' for one, why in known) or 'none'}"
        )
    (row,) = rows
    return Figure(
        row["quantity"],
        row["unit"],
        row["provenance"],
        name or f"{purpose or 'all'} {resource}",
        note="; ".join(row["notes"]),
    )
