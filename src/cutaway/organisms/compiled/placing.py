"""Where the parts of a program go: random slots of a grid of layers and heads that keep the order of execution."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from cutaway.organisms.compiled.program import Part
from cutaway.organisms.compiled.writing import Head, Slot, every_slot


def depth(parts: Sequence[Part]) -> int:
    """The fewest layers in which `parts`, listed in order of execution, can run."""
    earliest: dict[str, Slot] = {}
    for part in parts:
        before = [earliest[name] for name in part.after]
        head = 0 if isinstance(part.what, Head) else None
        layer = 0
        taken = [] if head is not None else list(earliest.values())  # a layer has one MLP block and many heads
        while Slot(layer, head) in taken or any(slot.time >= Slot(layer, head).time for slot in before):
            layer += 1
        earliest[part.name] = Slot(layer, head)
    return 1 + max(slot.layer for slot in earliest.values())


def grid(parts: Sequence[Part], others: int, rng: Random) -> tuple[int, int]:
    """Random numbers of layers and heads with room for `parts` and at least `others` more."""
    layers, heads = depth(parts) + rng.randint(0, 2), rng.randint(2, 4)
    while layers * (heads + 1) < len(parts) + others:
        if rng.random() < 0.5:
            layers += 1
        else:
            heads += 1
    return layers, heads


def place(parts: Sequence[Part], layers: int, heads: int, rng: Random) -> dict[str, Slot]:
    """A random slot for each part, of its kind and later than everything it comes after (by rejection)."""
    slots = every_slot(layers, heads)
    for _ in range(100_000):
        chosen = {
            part.name: rng.choice([slot for slot in slots if (slot.head is not None) == isinstance(part.what, Head)])
            for part in parts
        }
        if len(set(chosen.values())) == len(parts) and in_order(parts, chosen):
            return chosen
    raise ValueError(f"{len(parts)} parts do not fit in order into {layers} layers of {heads} heads; give more layers")


def in_order(parts: Sequence[Part], chosen: dict[str, Slot]) -> bool:
    """Whether every part runs after the parts it reads."""
    return all(chosen[name].time < chosen[part.name].time for part in parts for name in part.after)
