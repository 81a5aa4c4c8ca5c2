"""The circuits of one task in the shipped pair, beside each other: sizes as they were found, claims run again now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutaway.dial.prune.claims import Verified, verify
from cutaway.dial.prune.saved import KIND, Saved, read
from cutaway.dial.reading import Table as Reading
from cutaway.dial.reading import table
from cutaway.dial.shipping.networks import NAMES, PREFIX, TASK, circuit_folder, shipped
from cutaway.dial.store import Stored
from cutaway.dial.tasks import Task, task_named
from cutaway.runs import Table, open_run

ALONE, BESIDE = "sufficient: the rest at its mean", "sufficient: the rest live at random"
"""The claims whose losses are shown, as `prune.claims` words them."""
COUNT = 128
"""Fresh examples that claims are run on."""
EXAMPLES, WINDOWS = 128, 128
"""Examples and windows that say what nodes respond to, and what edges bring."""


@dataclass(frozen=True, eq=False)
class Side:
    """A shipped network with its saved circuit, what that was worth when it was found, and its claims, run again."""

    name: str
    stored: Stored
    saved: Saved
    worth: Mapping[str, Any]
    verified: Verified

    def numbers(self) -> dict[str, Any]:
        """A row: loss in nats per token, live parameters of all; the circuit's size in four ways; its loss now, in nats."""
        record, (edges, nodes) = self.stored.record, self.saved.circuit.size
        measured = {row["claim"]: row["measured"] for row in self.verified.claims}
        live, of = record.alive
        return {
            "network": PREFIX + self.name,
            "tokens": record.tokens,
            "loss": record.held_out,
            "live": live,
            "of": of,
            "edges": edges,
            "nodes": nodes,
            "null": self.worth["null"],
            "bits": self.worth["bits"]["total"],
            "target": self.saved.settings.target,
            "alone": measured.get(ALONE),
            "beside": measured.get(BESIDE),
            "held": self.verified.held,
            "claims": len(self.verified.claims),
        }


@dataclass(frozen=True, eq=False)
class Beside:
    """The two sides, and the small circuit as a table: what its nodes respond to, and what each edge is worth."""

    task: Task
    sides: tuple[Side, ...]
    reading: Reading

    @property
    def numbers(self) -> Table:
        """A row for each side."""
        return Table.of(side.numbers() for side in self.sides)

    @property
    def compared(self) -> Table:
        """The same in words, a column for each side."""
        rows = self.numbers.rows()
        return Table.of(
            {"": what} | {row["network"]: of(row) for row in rows}
            for what, of in {
                "loss on held-out tokens, nats each": lambda row: f"{row['loss']:.3f}",
                "parameters that are not 0": lambda row: f"{row['live']:,} of {row['of']:,}",
                "the circuit: edges": lambda row: f"{row['edges']}",
                "… nodes": lambda row: f"{row['nodes']}",
                "… bits to tell it": lambda row: f"{row['bits']:,.0f}",
                "edges of random connected sets of as many nodes": lambda row: f"{row['null']:g}",
                "its loss now, alone (guessing: 0.693)": lambda row: _nats(row["alone"]),
                "… with the rest live at random": lambda row: _nats(row["beside"]),
                "claims that hold now": lambda row: f"{row['held']} of {row['claims']}",
            }.items()
        )

    @property
    def ratios(self) -> str:
        """How many times the edges, in words."""
        (small, large), times = self.numbers.rows(), "×"
        raw, null = large["edges"] / max(1, small["edges"]), large["null"] / max(1, small["null"])
        return (
            f"{large['network']} needs {raw:.0f}{times} the edges of {small['network']}; divided by what counting alone makes of "
            f"it, {raw / null:.1f}{times}. One network of each kind: an example, not a measurement"
        )

    @property
    def found_by(self) -> str:
        """The command that finds the small circuit again."""
        side = self.sides[0]
        how = side.saved.settings
        return f"cutaway dial prune {PREFIX}{side.name} --task {self.task.name} --searches {how.searches} --seed {how.seed}"

    def __str__(self) -> str:
        small, count = self.sides[0], self.sides[0].verified.count
        return "\n".join(
            [
                f"{self.task.name}: {self.task.about}",
                "In two networks that came to about the same loss on tiny Python, one of them with few weights "
                f"(claims run on {count} fresh examples):",
                str(self.compared),
                f"{self.ratios}.",
                "",
                f"All of the circuit of {PREFIX}{small.name}, with the loss without each edge "
                f"({self.reading.loss:.3f} with all):",
                *map(str, self.reading.edges),
                f"`{self.found_by}` finds it anew.",
            ]
        )


def beside(task: str = TASK, seed: int = 0, count: int = COUNT) -> Beside:
    """The shipped circuits of a task; their claims run again on `count` fresh examples, of which each `seed` gives others."""
    asked = task_named(task)
    sides = tuple(side(name, asked, seed, count) for name in NAMES)
    small = sides[0]
    texts = [small.stored.tokenizer.id_to_token(token) or "" for token in range(small.stored.network.shape.vocab)]
    examples = asked.examples(EXAMPLES, "selection", seed)
    reading = table(small.saved.circuit, small.stored.network, small.stored.windows[:WINDOWS], examples, texts)
    return Beside(asked, sides, reading)


def side(name: str, task: Task, seed: int, count: int) -> Side:
    """One network, its circuit, and its claims run again."""
    stored, folder = shipped(name), circuit_folder(name, task.name)
    worth = open_run(folder).read_json(KIND)
    return Side(name, stored, read(folder), worth, verify(folder, stored.network, task, seed, count))


def _nats(loss: float | None) -> str:
    return "not claimed" if loss is None else f"{loss:.3f}"
