"""What reading concepts will take, said before it begins: passages, operations, and memory beside the network's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from cutaway.concepts.read.harvest import POSITIONS
from cutaway.concepts.read.question import Question
from cutaway.concepts.read.tokens import tokens_of
from cutaway.concepts.read.twin import PIECE
from cutaway.ledger import count_flops
from cutaway.network import Network, logits_of


@dataclass(frozen=True)
class ReadPlan:
    """`passages` of so many `tokens` go through each of `networks` once (the network and its twins): `operations`
    (floating-point, without what pads a batch) and `memory`, an estimate of the most bytes beside the network's own."""

    passages: int
    tokens: int
    networks: int
    operations: float
    memory: int

    def __str__(self) -> str:
        return (
            f"{self.passages} passages of {self.tokens} tokens in {self.networks} network{'s' * (self.networks > 1)}: about "
            f"{self.operations / 1e9:.4g} GFLOP, {self.memory / 1e6:.0f} MB beside the network"
        )


def planned(net: Network, asked: Sequence[Question], twins: int) -> ReadPlan:
    """What reading these takes where nothing is kept yet; one short passage is run to know. Raises what `tokens_of` raises.

    Memory holds at once: one twin (they are read one after another), and the largest of three: the logits of a batch, the
    largest weight twice (as it is hashed), and a piece of a weight in double precision, as it is redrawn.
    """
    every = {one for each in asked for one in tokens_of(net, each.passages)}
    short = net.batch([list(min(every, key=lambda one: len(one.ids)).ids)])
    said = list[Any]()
    with torch.no_grad():
        operations = count_flops(lambda: said.append(net.run(short).output))
    logits = logits_of(said[0])
    positions, tokens = short.positions or 1, sum(len(one.ids) for one in every)
    sizes = [weight.numel() * weight.element_size() for weight in net.module.parameters()]
    of_batch = POSITIONS.get(net.device.type, POSITIONS["cpu"]) * logits.numel() * logits.element_size() // positions
    largest = max(weight.numel() for weight in net.module.parameters())
    memory = sum(sizes) * (twins > 0) + max(of_batch, 2 * max(sizes), 16 * min(PIECE, largest))
    return ReadPlan(len(every), tokens, 1 + twins, (1 + twins) * operations * tokens / positions, memory)
