"""What reading will take is said before it begins, and is what it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.concepts.read.world import SITE, agreement, network

from cutaway.concepts.read import planned, question, read_all, reader
from cutaway.runs.progress import Silent


@dataclass
class Heard(Silent):
    """What was noted, and how many passages were announced."""

    notes: list[str] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)

    def start(self, total: int, what: str) -> None:
        self.totals.append(total)

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_the_plan_counts_the_passages_that_are_read(tmp_path: Any) -> None:
    net, asked, heard = network(), question(agreement()), Heard()
    plan = planned(net, [asked, asked], twins=2)
    reader(net, tmp_path, [SITE]).fill([asked.passages, asked.passages], heard)
    assert heard.totals == [plan.passages] and plan.tokens > plan.passages and plan.networks == 3


def test_a_twin_takes_the_memory_of_the_network_once_however_many_there_are() -> None:
    net, asked = network(), [question(agreement())]
    none, one, three = (planned(net, asked, twins) for twins in (0, 1, 3))
    weights = sum(4 * weight.numel() for weight in net.module.parameters())
    assert one.memory - none.memory == weights and three.memory == one.memory
    assert three.operations == 4 * none.operations > 0


def test_the_plan_is_said_before_anything_is_read() -> None:
    heard = Heard()
    read_all(network(), [agreement()], sites=[SITE], twins=1, permutations=19, progress=heard)
    assert heard.notes[0].startswith("plan: ") and "in 2 networks" in heard.notes[0]
