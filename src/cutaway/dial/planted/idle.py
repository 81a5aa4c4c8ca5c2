"""What stands beside a planted circuit and must not be found: decoys, which respond as it does, and inert parts.

Nothing here writes to a channel that the circuit reads, unless it never wakes. What is left is that norms are shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.dial.planted.wiring import Head, Wiring

DEAD, SHUT = 40.0, 25.0
"""A threshold that no neuron gets over; the score of a sink that leaves nothing to the tokens."""
SPARSE = 5
"""Weights of a row or column of an inert part."""
FAINT = 0.12
"""What an inert part writes, for a reading of 1."""


NEURONS, DEAD_NEURONS = 14, 10
"""Inert and dead neurons of a layer."""


@dataclass(frozen=True)
class Used:
    """What a circuit takes up: its heads, its neurons, the channels that it writes, those that the answers read."""

    heads: tuple[Head, ...]
    neurons: tuple[tuple[int, int], ...]
    written: tuple[int, ...]
    answers: tuple[int, ...]


def used(w: Wiring) -> Used:
    """What is in use in a network in which nothing but a circuit is written."""
    layers, size = range(w.shape.layers), w.shape.d_head
    out = [w.block(layer).attn.out.weight.ne(0) for layer in layers]
    down = [w.block(layer).mlp.down.weight.ne(0) for layer in layers]
    heads = [out[layer].any(0).unflatten(0, (-1, size)).any(1).nonzero()[:, 0].tolist() for layer in layers]
    written = torch.stack([weight.any(1) for weight in (*out, *down)]).any(0)
    one, other = w.network.unembed.weight[list(w.answers)]
    return Used(
        tuple(Head(layer, index) for layer in layers for index in heads[layer]),
        tuple((layer, index) for layer in layers for index in down[layer].any(0).nonzero()[:, 0].tolist()),
        tuple(written.nonzero()[:, 0].tolist()),
        tuple((one != other).nonzero()[:, 0].tolist()),
    )


def surround(w: Wiring) -> None:
    """Decoys and inert parts beside the circuit that is written in `w`."""
    circuit = used(w)
    twins = {channel: w.channels(1)[0] for channel in circuit.written}
    shadow(w, circuit, twins)
    to_both(w, circuit)
    noisy(w)
    w.balance()
    spare = w.spare
    for head in circuit.heads:
        unasked_keys(w, head, 2)
        inert_values(w, head, 3, spare)
    aims = sorted({*circuit.written, *circuit.answers})
    for layer in range(w.shape.layers):
        inert_neurons(w, layer, NEURONS, spare)
        dead_neurons(w, layer, DEAD_NEURONS, aims)
        for which in range(w.free_heads(layer)):
            inert_head(w, layer, spare) if which % 2 else shut_head(w, layer, aims)


def shadow(w: Wiring, circuit: Used, twins: dict[int, int]) -> None:
    """A copy of the whole circuit that writes each of its channels to a twin, and so decides between two other tokens."""
    for channel in circuit.answers:
        w.decide(twins[channel], between=w.tokens(2))
    for head in circuit.heads:
        copy_head(w, head, twins, twins)
    for layer, neuron in circuit.neurons:
        copy_neuron(w, layer, neuron, twins, twins)


@torch.no_grad()
def to_both(w: Wiring, circuit: Used) -> None:
    """Copies of the circuit's heads and neurons that raise both answers alike."""
    (both,) = w.channels(1)
    w.network.unembed.weight[list(w.answers), both] = 1.0
    for head in circuit.heads:
        if w.free_heads(head.layer) > 1:
            copy_head(w, head, {}, dict.fromkeys(circuit.written, both))
    for layer, neuron in circuit.neurons:
        copy_neuron(w, layer, neuron, {}, dict.fromkeys(circuit.written, both))


def noisy(w: Wiring) -> None:
    """Channels on which tokens and positions say what means nothing."""
    for channel in w.channels(6):
        w.feature(channel, {token: 0.5 * normal(w.rng) for token in range(0, w.shape.vocab, 2)})
    for channel in w.channels(2):
        w.place(channel, [0.5 * normal(w.rng) for _ in range(w.shape.context)])


@torch.no_grad()
def copy_head(w: Wiring, head: Head, reads: dict[int, int], writes: dict[int, int]) -> None:
    """A copy of a head in another one, which reads and writes other channels."""
    attn, size, new = w.block(head.layer).attn, w.shape.d_head, w.head(head.layer)
    here, there = (slice(each.index * size, (each.index + 1) * size) for each in (head, new))
    for linear in (attn.query, attn.key, attn.value):
        linear.weight[there] = moved(linear.weight[here], reads)
        linear.bias[there] = linear.bias[here]
    attn.out.weight[:, there] = moved(attn.out.weight[:, here].T, writes).T
    attn.sink[new.index] = attn.sink[head.index]


@torch.no_grad()
def copy_neuron(w: Wiring, layer: int, neuron: int, reads: dict[int, int], writes: dict[int, int]) -> None:
    """A copy of a neuron, which reads and writes other channels."""
    mlp, new = w.block(layer).mlp, w.free_neuron(layer)
    mlp.up.weight[new] = moved(mlp.up.weight[neuron], reads)
    mlp.up.bias[new] = mlp.up.bias[neuron]
    mlp.down.weight[:, new] = moved(mlp.down.weight[:, neuron], writes)


def moved(weight: Float[Tensor, "*row width"], to: dict[int, int]) -> Float[Tensor, "*row width"]:
    """A weight in which what was on some channels is on others."""
    found = weight.clone()
    found[..., list(to)] = 0
    for channel, other in to.items():
        found[..., other] += weight[..., channel]
    return found


@torch.no_grad()
def inert_neurons(w: Wiring, layer: int, count: int, spare: list[int]) -> None:
    """Neurons that read anything and write where nothing of use reads."""
    mlp, every = w.block(layer).mlp, w.readable
    for _ in range(count):
        row = w.free_neuron(layer)
        mlp.up.bias[row] = w.rng.gauss(0, 0.5)
        for channel in w.rng.sample(every, SPARSE):
            mlp.up.weight[row, channel] = normal(w.rng)
        for channel in w.rng.sample(spare, SPARSE):
            mlp.down.weight[channel, row] = FAINT * normal(w.rng)


@torch.no_grad()
def dead_neurons(w: Wiring, layer: int, count: int, aims: list[int]) -> None:
    """Neurons that read anything, never wake, and would write to the answers and to the circuit's own channels."""
    mlp, every = w.block(layer).mlp, w.readable
    for _ in range(count):
        row = w.free_neuron(layer)
        mlp.up.bias[row] = -DEAD
        for channel in w.rng.sample(every, SPARSE):
            mlp.up.weight[row, channel] = normal(w.rng)
        for channel in {*aims, *w.rng.sample(every, SPARSE)}:
            mlp.down.weight[channel, row] = normal(w.rng)


@torch.no_grad()
def inert_head(w: Wiring, layer: int, spare: list[int]) -> None:
    """A head that attends by random features and writes where nothing of use reads."""
    attn, head = w.block(layer).attn, w.head(layer)
    for _ in range(3):
        row = w.matched(head)
        for linear in (attn.query, attn.key):
            sparse_row(w, linear.weight[row])
    inert_values(w, head, 3, spare)


@torch.no_grad()
def shut_head(w: Wiring, layer: int, aims: list[int]) -> None:
    """A head that attends to nothing but its sink, and would write to the answers and to the circuit's own channels."""
    attn, head = w.block(layer).attn, w.head(layer)
    attn.sink[head.index] = SHUT
    for _ in range(3):
        row, value = w.matched(head), w.carried(head)
        for weight in (attn.query.weight[row], attn.key.weight[row], attn.value.weight[value]):
            sparse_row(w, weight)
        for channel in aims:
            attn.out.weight[channel, value] = normal(w.rng)


@torch.no_grad()
def unasked_keys(w: Wiring, head: Head, count: int) -> None:
    """Keys in a head of the circuit that no query asks for."""
    for _ in range(count):
        sparse_row(w, w.block(head.layer).attn.key.weight[w.matched(head)])


@torch.no_grad()
def inert_values(w: Wiring, head: Head, count: int, spare: list[int]) -> None:
    """Values that are brought where nothing of use reads."""
    attn = w.block(head.layer).attn
    for _ in range(count):
        row = w.carried(head)
        sparse_row(w, attn.value.weight[row])
        for channel in w.rng.sample(spare, SPARSE):
            attn.out.weight[channel, row] = FAINT * normal(w.rng)


def sparse_row(w: Wiring, row: Tensor) -> None:
    """A few random weights, in place."""
    for channel in w.rng.sample(w.readable, SPARSE):
        row[channel] = 0.5 * normal(w.rng)


def normal(rng: Random) -> float:
    """A weight away from 0."""
    return rng.choice((-1, 1)) * rng.uniform(0.5, 1.5)
