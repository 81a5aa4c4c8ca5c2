"""Decisions of a network of circuits, with what each named part is in them: asked alone, with its fellows, or wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from cutaway.concepts.match.each import STATES, State
from cutaway.organisms.compiled.program import LETTERS
from cutaway.organisms.gates.circuits import Circuit, known
from cutaway.organisms.gates.network import BACKUP, DUPLICATE, RIVALS, SWITCHES, WATCHERS, GateNetwork

ON = 0.7  # how often an input of the circuit that is asked is on


@dataclass(frozen=True)
class Known:
    """A decision and its partner; parts that are named, and what each is in it; what the prompt is answered.

    `row` is what `decided` takes; `situation` says in words which circuit, which of its inputs speak, and the rival. In the
    partner no input of the circuit is on, unless none is on in the prompt.
    """

    row: dict[str, str]
    named: tuple[str, ...]
    states: tuple[State, ...]
    answer: str
    situation: str

    @property
    def state(self) -> State:
        """That of all that is named."""
        return min(self.states, key=STATES.index)


@dataclass(frozen=True)
class Setting:
    """The switches, the rival's level, and the order in which they are written down."""

    switches: tuple[bool, ...]
    level: int
    order: tuple[int, ...]

    def text(self, question: str) -> str:
        """The prompt."""
        words = [f"{name}-{'on' if on else 'off'}" for name, on in zip(LETTERS, self.switches)]
        words.append(RIVALS[self.level])
        return " ".join([*(words[place] for place in self.order), question])

    @property
    def speaking(self) -> frozenset[str]:
        """The parts that speak: watchers of switches that are on, and the backup where the first is silent."""
        found = {name for name, on in zip(WATCHERS, self.switches) if on}
        return frozenset(found | {BACKUP}) if self.waiting and WATCHERS[0] not in found else frozenset(found)

    @property
    def waiting(self) -> bool:
        """Whether the backup's switch is on."""
        return self.switches[-1]


def namings(gates: GateNetwork) -> list[tuple[Circuit, tuple[str, ...]]]:
    """What may be asked: each circuit about all its inputs, about each alone, and about parts that are none.

    Not about one of a majority alone: if it is replaced by two that are not named, nothing shows that it would count.
    """
    found = []
    for circuit in gates.circuits:
        others = [name for name in (*WATCHERS, DUPLICATE, "inert 0") if name not in circuit.inputs]
        wrong = [(name,) for name in (others[0], DUPLICATE, "inert 0")]
        alone = [(part,) for part in circuit.inputs] if 1 < len(circuit.inputs) < 3 else []
        beside = [(*circuit.inputs, DUPLICATE)] if len(circuit.inputs) < 3 else []
        found += [(circuit, named) for named in (circuit.inputs, *alone, *beside, *wrong)]
    return found


def decisions(gates: GateNetwork, circuit: Circuit, named: Sequence[str], count: int, seed: int) -> list[Known]:
    """`count` decisions about one circuit and the parts that are named, settings at random, each rival as often."""
    rng = Random(f"decisions {gates.seed}/{circuit.kind}/{named}/{seed}")
    return [_decision(gates, circuit, tuple(named), number % len(RIVALS), rng) for number in range(count)]


def _decision(gates: GateNetwork, circuit: Circuit, named: tuple[str, ...], level: int, rng: Random) -> Known:
    own = {SWITCHES - 1 if part == BACKUP else WATCHERS.index(part) for part in circuit.inputs}
    switches = tuple(rng.random() < (ON if place in own else 0.5) for place in range(SWITCHES))
    order = tuple(rng.sample(range(SWITCHES + 1), SWITCHES + 1))
    here = Setting(switches, level, order)
    there = Setting(_partner(switches, own, rng), level, order)
    rival, question = gates.rival(level), f"{circuit.kind}?"
    other = answer(gates, circuit, there)
    row = {
        "prompt": here.text(question),
        "target": " yes",
        "foil": f" {other}" if other != "yes" else " no",
        "reference": there.text(question),
    }
    states = known(circuit, here.speaking, rival, named, here.waiting)
    speaking = [part for part in circuit.inputs if part in here.speaking]
    situation = f"{circuit.kind}: {', '.join(speaking) or 'none'}; {RIVALS[level]}"
    return Known(row, named, states, answer(gates, circuit, here), situation)


def _partner(switches: tuple[bool, ...], own: set[int], rng: Random) -> tuple[bool, ...]:
    """The same with the circuit's own switches off; where they are, with them on, or with another one turned."""
    if any(switches[place] for place in own):
        return tuple(on and place not in own for place, on in enumerate(switches))
    turned = own if rng.random() < 0.5 else {rng.choice([place for place in range(SWITCHES) if place not in own])}
    return tuple(on != (place in turned) for place, on in enumerate(switches))


def answer(gates: GateNetwork, circuit: Circuit, setting: Setting) -> str:
    """What the circuits' drawing says is answered."""
    other = gates.rivals[setting.level]
    if circuit.loudness(setting.speaking) > gates.rival(setting.level):
        return "yes"
    return "other" if other > gates.no else "no"
