"""Parts that a decision does not use: inert ones, decoys and noise.

All of them read the residual stream like real parts. What differs is where they write: nowhere, where nothing reads, or
so faintly that their largest effect is a stated share of the total.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.organisms.compiled.measuring import Question, largest_effect
from cutaway.organisms.compiled.writing import Gate, Head, Layout, Slot, write
from cutaway.training.transformer import Transformer

NOISE_BOUND = 0.004
"""No noise part or decoy moves any prompt by more than this share of the total effect, whatever takes its place."""
CARRIED, NEURONS = 4, 8
"""Coordinates of a random head, neurons of a random gate."""
LOUDEST = 0.03
"""The largest scale of a faint part's weights."""
DEAD = 1000.0
"""A threshold that no input reaches."""


def normal(rows: int, columns: int, draw: torch.Generator) -> Float[Tensor, "rows columns"]:
    """Independent standard normal weights."""
    return torch.randn(rows, columns, generator=draw, dtype=torch.float64)


def random_features(count: int, layout: Layout, draw: torch.Generator) -> Float[Tensor, "count width"]:
    """Rows that read random mixtures of everything but the spare subspace, which nothing may read."""
    rows = normal(count, layout.width, draw)
    return rows - rows @ layout.write("spare") @ layout.read("spare")


def random_reader(layout: Layout, slot: Slot, draw: torch.Generator) -> Head | Gate:
    """A head or gate that attends, or fires, by random features of the stream, and writes nothing."""
    if slot.head is None:
        when = random_features(NEURONS, layout, draw)
        return Gate(when, normal(NEURONS, 1, draw)[:, 0] - 1, torch.zeros_like(when).T)
    query, key, value = (random_features(CARRIED, layout, draw) for _ in range(3))
    return Head(query, key, value, torch.zeros_like(value).T)


def writer(part: Head | Gate) -> Float[Tensor, "width carried"]:
    """The columns through which `part` writes."""
    return part.value_to if isinstance(part, Head) else part.then


def rewritten(part: Head | Gate, columns: Float[Tensor, "width carried"]) -> Head | Gate:
    """`part`, writing through `columns` instead."""
    return replace(part, value_to=columns) if isinstance(part, Head) else replace(part, then=columns)


def inert_part(layout: Layout, slot: Slot, draw: torch.Generator) -> Head | Gate:
    """A part that is computed and written nowhere, or an MLP block that writes but whose neurons never fire."""
    part = random_reader(layout, slot, draw)
    if isinstance(part, Gate) and torch.rand(1, generator=draw) < 0.5:
        return Gate(part.when, torch.full_like(part.threshold, DEAD), normal(layout.width, len(part.when), draw))
    return part


@dataclass(frozen=True, eq=False)
class Faint:
    """A part that writes `loud` where nothing reads it, and `quiet` where it matters, scaled to an effect of `share`.

    `share` is of the total effect, for the prompt and donor at which it is largest; 0 leaves `quiet` out.
    """

    slot: Slot
    part: Head | Gate
    loud: Float[Tensor, "width carried"]
    quiet: Float[Tensor, "width carried"]
    share: float

    def at(self, scale: float) -> Head | Gate:
        return rewritten(self.part, self.loud + scale * self.quiet)


def decoy_part(layout: Layout, slot: Slot, model: Head | Gate | None, draw: torch.Generator) -> Faint:
    """Reads like the used part `model` (or at random), writes as much, but into the spare subspace.

    Half of the decoys also touch the logits, with at most a tenth of the bound on noise.
    """
    part = random_reader(layout, slot, draw) if model is None else model
    spare, carried = layout.write("spare"), writer(part).shape[1]
    loud = spare @ normal(spare.shape[1], carried, draw) / spare.shape[1] ** 0.5
    touches = torch.rand(1, generator=draw).item() < 0.5
    quiet = layout.write("out") @ normal(layout.write("out").shape[1], carried, draw)
    return Faint(slot, part, loud, quiet, 0.1 * NOISE_BOUND if touches else 0.0)


def noise_part(layout: Layout, slot: Slot, model: Head | Gate | None, draw: torch.Generator) -> Faint:
    """A faint echo of the used part `model`, always pulling the same way; or, without one, faint random writing."""
    share = NOISE_BOUND * (0.5 + 0.4 * torch.rand(1, generator=draw).item())
    if model is not None:
        return Faint(slot, model, torch.zeros_like(writer(model)), writer(model), share)
    part = random_reader(layout, slot, draw)
    quiet = normal(layout.width, writer(part).shape[1], draw)
    return Faint(slot, part, torch.zeros_like(quiet), quiet, share)


def write_faint(network: Transformer, parts: list[Faint], question: Question, total: float) -> None:
    """Writes `parts` into `network` so that the largest effect of each is its `share` of `total`.

    Effects of this size are close to linear in the scale: a few rounds of the rule of three over a few donors suffice,
    and a last one over all donors only turns down. What hardly anything reads stays at `LOUDEST`, below its share.
    """
    few = replace(question, donors=question.donors[::8])
    touching = [part for part in parts if part.share]
    scales = dict.fromkeys((part.slot for part in touching), 1e-3)

    def rescaled(part: Faint, question: Question) -> float:
        found = largest_effect(network, question, part.slot)
        return scales[part.slot] * part.share * total / max(found, 1e-9)

    for part in parts:
        write(network, part.slot, part.at(scales.get(part.slot, 0.0)))
    for part in touching * 3:
        scales[part.slot] = min(rescaled(part, few), LOUDEST)
        write(network, part.slot, part.at(scales[part.slot]))
    for part in touching:
        scales[part.slot] = min(rescaled(part, question), scales[part.slot])
        write(network, part.slot, part.at(scales[part.slot]))
