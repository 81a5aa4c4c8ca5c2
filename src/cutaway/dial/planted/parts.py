"""What programs are put together from: heads that look for a mark, that add up, that look one place back."""

from __future__ import annotations

import torch

from cutaway.dial.planted.wiring import Head, Reads, Wiring

CONTEXT = 12
"""Positions of every planted network."""
SHARP = 7.0
"""Score of a wanted key over the others: little of the attention leaks, and gradients still pass."""
STEP = 5.0
"""Score by which one place is over the next, where keys are graded."""
LENGTH = 10
"""Tokens of the prompts of programs that add up: what a head averages over, without its sink."""
UNIT = 0.4
"""What a head that adds up writes for 1: sums would otherwise move the norms."""


def looking(w: Wiring, layer: int, keys: Reads, reads: Reads, writes: Reads, query: Reads | None = None) -> Head:
    """A head that attends by `keys` (and, where `query` is given, by what it says here) and carries what is there."""
    head = w.head(layer)
    w.look(head, keys, query, ask=0.0 if query else 1.0)
    w.carry(head, reads, writes)
    return head


def adding(w: Wiring, layer: int, *carried: tuple[int, int]) -> Head:
    """A head that attends to everything alike, so that it adds up: `UNIT` × the sum of each channel goes to another one."""
    head = w.head(layer)
    for read, written in carried:
        w.carry(head, {read: 1}, {written: UNIT * (LENGTH + 1)})
    return head


def previous(w: Wiring, reads: Reads, writes: Reads) -> Head:
    """A head that looks one place back: −(p − 1 − p′)² is 2 (p − 1) p′ − p′² and what no choice of p′ changes."""
    at, square = w.channels(2)
    half = CONTEXT / 2
    places = [place / half - 1 for place in range(CONTEXT)]
    w.place(at, places)
    w.place(square, [place**2 for place in places])
    head = w.head(0)
    w.look(head, {at: half}, {at: 2 * STEP * half}, ask=-2 * STEP)
    w.look(head, {square: -STEP * half**2}, ask=1.0)
    w.carry(head, reads, writes)
    with torch.no_grad():
        w.block(0).attn.sink[head.index] = -100.0
    return head


def layers(w: Wiring) -> tuple[int, int]:
    """A layer for heads, and one for the neurons that read what they bring."""
    first = w.rng.randrange(w.shape.layers)
    return first, w.rng.randrange(first, w.shape.layers)
