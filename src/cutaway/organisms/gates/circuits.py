"""Circuits of which it is known what caused each answer: one cause, AND, OR, a majority, a backup, a push that is not needed.

A prompt sets switches, says how loud a rival is, and asks one question. Every question has a circuit that says "yes" as loud
as its inputs make it; "no" is always said, and the rival says "other". The loudest is answered. Which input was used, and
which was idle, is a table over those settings: it is read off the drawing of the circuit, no network is run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from cutaway.concepts.match.each import State

Kind = Literal["one", "both", "either", "sum", "most", "backup", "weak"]
INPUTS: dict[Kind, int] = {"one": 1, "both": 2, "either": 2, "sum": 2, "most": 3, "backup": 2, "weak": 2}
"""How many inputs a circuit has, by kind. It says "yes" with loudness 1 if

- one: its input is on; both: both are (AND); either: any is (OR, no louder for two); most: two of three are;
- backup: the first is, or the second, which is silent wherever the first speaks;

and as loud as they are together: sum: 1 for each that is on; weak: 1 for the second, `faint` for the first."""


@dataclass(frozen=True)
class Circuit:
    """What one question asks: the kind and its inputs, which are parts by name. `faint` is the first of a weak one's."""

    kind: Kind
    inputs: tuple[str, ...]
    faint: float

    def __post_init__(self) -> None:
        if len(self.inputs) != INPUTS[self.kind]:
            raise ValueError(
                f"a circuit {self.kind!r} has {INPUTS[self.kind]} inputs; given {', '.join(self.inputs) or 'none'}"
            )

    @property
    def least(self) -> int:
        """How many of its inputs must be on for it to say anything."""
        return 2 if self.kind in ("both", "most") else 1

    def loudness(self, speaking: Collection[str]) -> float:
        """How loud "yes" is when these parts speak."""
        on = [part in speaking for part in self.inputs]
        if self.kind == "weak":
            return self.faint * on[0] + on[1]
        if self.kind == "sum":
            return float(sum(on))
        return float(sum(on) >= self.least)


def known(
    circuit: Circuit, speaking: Collection[str], rival: float, named: Sequence[str], waiting: bool = False
) -> tuple[State, ...]:
    """What each named part is in a decision for "yes" in which these speak and the loudest other answer is as loud as `rival`.

    `waiting`: whether the backup would speak if the first did not. Parts that are no input, or silent, are idle.
    """
    replaced = waiting and circuit.kind == "backup" and circuit.inputs[1] not in named
    return tuple(
        _known(circuit, speaking, rival, part, replaced) if part in circuit.inputs and part in speaking else "idle"
        for part in named
    )


def _known(circuit: Circuit, speaking: Collection[str], rival: float, part: str, replaced: bool) -> State:
    """The table, for an input that speaks. `replaced`: the first of a backup's, where the second is not named and waits."""
    on, loud = sum(one in speaking for one in circuit.inputs), circuit.loudness(speaking)
    if loud == 0:  # of an AND or a majority that lacks one: nothing comes of it
        return "idle"
    if loud < rival:
        return "active but overruled"
    match circuit.kind:
        case "one" | "both":
            return "used"
        case "backup":
            return "overdetermined" if replaced else "used"
        case "either":
            return "overdetermined" if on == 2 else "used"
        case "most":
            return "overdetermined" if on == 3 else "used"
        case "sum":  # against a rival that one alone does not beat, both are needed
            return "overdetermined" if on == 2 and rival < 1 else "used"
        case "weak":
            return "active but not needed" if part == circuit.inputs[0] and rival < 1 else "used"
