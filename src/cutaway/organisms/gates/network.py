"""A transformer with weights written by hand that answers the questions of random circuits.

Each switch is watched by one head; one more head is a backup, which looks away where the first watcher has seen its switch
on; a duplicate sees what the second watcher sees and writes where nobody reads; a head listens to the rival and says "other".
One MLP block holds the circuits: its neurons fire for their own question only. Heads leak a little into all answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.network import Network, wrap
from cutaway.organisms.compiled.distractors import inert_part
from cutaway.organisms.compiled.placing import grid, place
from cutaway.organisms.compiled.program import LETTERS, Part
from cutaway.organisms.compiled.rotate import random_rotation, rotated
from cutaway.organisms.compiled.tokenizer import Words
from cutaway.organisms.compiled.writing import (
    SHARP,
    Gate,
    Head,
    Layout,
    Slot,
    blank,
    every_slot,
    write,
    write_embeddings,
)
from cutaway.organisms.gates.circuits import INPUTS, Circuit, Kind
from cutaway.training.transformer import Shape, Transformer

SWITCHES = 6
"""The last one is the backup's; nobody else watches it."""
WATCHERS = tuple(f"watch {switch}" for switch in range(SWITCHES - 1))
BACKUP, DUPLICATE, RIVAL, CIRCUITS = "backup", "duplicate", "rival", "circuits"
RIVALS = ("calm", "breeze", "wind", "storm")
"""Silent, a little less loud than a circuit, a little louder, and louder than any."""
ANSWERS = ("yes", "no", "other")
STORM = 2.6
LEAK = 0.006
"""Of all heads together less than the margin of a near-tie."""
FREE = 6
"""Slots that are left for parts that write nothing."""


@dataclass(frozen=True, eq=False)
class GateNetwork:
    """A network, its questions' circuits, and where every part lies (addresses by name; inert ones are "inert 0", …).

    `no` is how loud the answer "no" is, and `rivals` how loud the rival's levels are, in units of a circuit that says "yes";
    `gain` logits to the unit.
    """

    network: Transformer
    vocabulary: tuple[str, ...]
    circuits: tuple[Circuit, ...]
    places: dict[str, str]
    no: float
    rivals: tuple[float, ...]
    gain: float
    seed: int

    @cached_property
    def words(self) -> Words:
        """Its tokenizer."""
        return Words(self.vocabulary)

    def rival(self, level: int) -> float:
        """How loud the loudest other answer is."""
        return max(self.no, self.rivals[level])


def gate_network(seed: int) -> GateNetwork:
    """Random circuits, one of each kind and their inputs at random, in random slots among inert parts.

    >>> from cutaway.organisms.gates import gate_network
    >>> [circuit.kind for circuit in gate_network(7000).circuits]
    ['one', 'both', 'either', 'sum', 'most', 'backup', 'weak']
    """
    rng = Random(f"gates {seed}")
    circuits = tuple(_circuit(kind, rng) for kind in INPUTS)
    near, no, gain = rng.uniform(0.1, 0.2), rng.uniform(0.52, 0.65), rng.uniform(6, 12)
    rivals = (0.0, 1 - near, 1 + near, STORM)
    vocabulary = (
        *(word for name in LETTERS[:SWITCHES] for word in (f"{name}-on", f"{name}-off")),
        *RIVALS,
        *(f"{circuit.kind}?" for circuit in circuits),
        *ANSWERS,
    )
    sizes = (("one", 1), ("token", len(vocabulary)), ("on", SWITCHES), ("out", len(vocabulary)), ("spare", 4))
    layout = Layout(sizes)
    parts = _parts(layout, vocabulary, circuits, no, rivals, torch.Generator().manual_seed(rng.getrandbits(31)))
    network, places = _written(layout, parts, gain, rng)
    return GateNetwork(network, vocabulary, circuits, places, no, rivals, gain, seed)


def opened(gates: GateNetwork) -> Network:
    """The network with its words."""
    return wrap(gates.network, gates.words, name=f"gates-{gates.seed}")


def _circuit(kind: Kind, rng: Random) -> Circuit:
    inputs = (WATCHERS[0], BACKUP) if kind == "backup" else tuple(rng.sample(WATCHERS, INPUTS[kind]))
    return Circuit(kind, inputs, rng.uniform(0.35, 0.42))


def _parts(
    layout: Layout,
    vocabulary: tuple[str, ...],
    circuits: tuple[Circuit, ...],
    no: float,
    rivals: tuple[float, ...],
    draw: torch.Generator,
) -> list[Part]:
    T, O, on, one = layout.read("token"), layout.write("out"), layout.write("on"), layout.read("one")
    yes, refusal, other = (O[:, [vocabulary.index(word)]] for word in ANSWERS)

    def watching(switch: int, to: Float[Tensor, "width 1"], query: Float[Tensor, "1 width"] = one) -> Head:
        leak = (torch.rand(3, 1, generator=draw, dtype=torch.float64) * 2 - 1) * LEAK
        both = T[[2 * switch, 2 * switch + 1]].sum(0, keepdim=True)
        return Head(SHARP * query, both, T[[2 * switch]], to + torch.cat([yes, refusal, other], dim=1) @ leak)

    first = vocabulary.index(RIVALS[0])
    levels = T[first : first + len(RIVALS)]
    loud = other @ torch.tensor([rivals], dtype=torch.float64)
    heads = {name: watching(switch, on[:, [switch]]) for switch, name in enumerate(WATCHERS)}
    heads[DUPLICATE] = watching(1, layout.write("spare")[:, [0]])
    heads[BACKUP] = watching(SWITCHES - 1, on[:, [SWITCHES - 1]], one - 2 * layout.read("on")[:1])
    heads[RIVAL] = Head(SHARP * one, levels.sum(0, keepdim=True), levels, loud)
    names = [*WATCHERS, BACKUP]
    neurons = [
        neuron
        for circuit in circuits
        for neuron in _neurons(
            circuit, [on[:, names.index(part)] for part in circuit.inputs], T[vocabulary.index(f"{circuit.kind}?")]
        )
    ]
    gate = Gate(
        torch.stack([*(when for when, _, _ in neurons), one[0]]),
        torch.tensor([*(threshold for _, threshold, _ in neurons), 0.0], dtype=torch.float64),
        torch.cat([*(loudness * yes for _, _, loudness in neurons), no * refusal], dim=1),
    )
    return [
        *(Part(name, head, after=(WATCHERS[0],) if name == BACKUP else ()) for name, head in heads.items()),
        Part(CIRCUITS, gate, after=tuple(heads), final=True),
    ]


def _neurons(
    circuit: Circuit, inputs: list[Float[Tensor, "width"]], asked: Float[Tensor, "width"]
) -> list[tuple[Float[Tensor, "width"], float, float]]:
    """What each neuron reads, its threshold, and how loud it says "yes"; it is silent unless its question is asked."""
    if circuit.kind in ("sum", "weak"):
        loud = (circuit.faint if circuit.kind == "weak" else 1.0, 1.0)
        return [(one + asked, 1.0, weight) for one, weight in zip(inputs, loud)]
    count = len(inputs)  # the question weighs as much as all inputs: without it they stay below the threshold
    together = torch.stack(inputs).sum(0) + count * asked
    least = count + circuit.least - 1.0
    return [(together, least, 1.0), (together, least + 1, -1.0)]


def _written(layout: Layout, parts: list[Part], gain: float, rng: Random) -> tuple[Transformer, dict[str, str]]:
    """The parts in random slots, parts that write nothing in the others, and no meaning on an axis."""
    layers, heads = grid(parts, FREE, rng)
    slots = place(parts, layers, heads, rng)
    carried = max(len(part.what.value_from) for part in parts if isinstance(part.what, Head))
    neurons = max(len(part.what.when) for part in parts if isinstance(part.what, Gate))
    shape = Shape(
        vocab=len(layout.read("token")),
        context=SWITCHES + 2,
        width=layout.width,
        layers=layers,
        heads=heads,
        d_head=max(4, carried),
        hidden=max(8, neurons),
        norm="none",
        positions="none",
        act="relu",
        bias=True,
        scale=1.0,
    )
    network = Transformer(shape).eval()
    blank(network)
    write_embeddings(network, layout, gain)
    for part in parts:
        write(network, slots[part.name], part.what)
    places = {name: slot.address for name, slot in slots.items()}
    draw = torch.Generator().manual_seed(rng.getrandbits(31))
    free: list[Slot] = [slot for slot in every_slot(layers, heads) if slot not in slots.values()]
    for number, slot in enumerate(free):
        write(network, slot, inert_part(layout, slot, draw))
        places[f"inert {number}"] = slot.address
    return rotated(network, random_rotation(layout.width, rng.getrandbits(31))), places
