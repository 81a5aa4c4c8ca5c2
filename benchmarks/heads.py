"""All heads of a language model, zeroed one at a time: as variants of a sweep, and as places of the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.loop import Place, loop
from cutaway.network import Edit, LogitDifference, Network, Site, Variant, wrap
from cutaway.network.edit import ZERO
from cutaway.network.plan import Plan
from cutaway.network.sweep import Sweep, Sweeper


@dataclass(frozen=True, eq=False)
class Heads:
    """A model, a batch of random tokens, a decision at the last position, and every head of every block.

    `projection` is the path of attention's output projection, whose input holds the heads side by side. `last` edits only
    the last position.
    """

    model: nn.Module
    projection: str
    layers: int
    heads: int
    width: int
    batch: int
    length: int
    last: bool = False

    def __post_init__(self) -> None:
        self.net.locate(self.net.batch(self.inputs))  # once for a network, before anything is timed

    @cached_property
    def inputs(self) -> dict[str, Tensor]:
        vocabulary = self.model.config.vocab_size
        draw = torch.Generator().manual_seed(self.batch * 1000 + self.length)
        return {"input_ids": torch.randint(0, vocabulary, (self.batch, self.length), generator=draw)}

    @cached_property
    def net(self) -> Network:
        return wrap(self.model)

    @property
    def metric(self) -> LogitDifference:
        return LogitDifference(torch.arange(self.batch) + 5, torch.arange(self.batch) + 50)

    @property
    def all(self) -> list[tuple[int, int]]:
        """(block, head) of every head."""
        return [(layer, head) for layer in range(self.layers) for head in range(self.heads)]

    def sample(self, count: int) -> list[tuple[int, int]]:
        """`count` heads at random: a rerun of the loop costs the same for each."""
        return sorted(Random(0).sample(self.all, count))

    def variants(self) -> list[Variant]:
        """Every head as an edit."""
        where: dict[str, Any] = {"pos": -1} if self.last else {}
        return [Variant((Edit(Site("z", layer).at(head=head, **where), ZERO),)) for layer, head in self.all]

    def place(self, head: tuple[int, int]) -> Place:
        """A head as a place of the loop."""
        d_head = self.width // self.heads
        channels = slice(head[1] * d_head, (head[1] + 1) * d_head)
        position = -1 if self.last else slice(None)
        return Place(self.projection.format(head[0]), "in", (slice(None), position, channels))

    def sweep(self, shortcuts: bool = True) -> Sweep:
        """Ours, at its default settings."""
        return Sweeper(self.net, self.net.batch(self.inputs), self.variants(), self.metric, shortcuts=shortcuts).run()

    def sweep_without_trim(self) -> Sweep:
        """Ours, but the last block computes every position."""
        return WholeLastBlock(self.net, self.net.batch(self.inputs), self.variants(), self.metric).run()

    def loop(self, heads: Sequence[tuple[int, int]], **forward: Any) -> Tensor:
        """The loop over `heads`: the metric [heads, batch]."""
        run = partial(self.model, **self.inputs, use_cache=False, **forward)
        rows = torch.arange(self.batch)
        return loop(self.model, run, [self.place(head) for head in heads], lambda output: self.metric(output, rows))

    def forward(self) -> Any:
        """One plain forward pass, all logits."""
        with torch.no_grad():
            return self.model(**self.inputs, use_cache=False)

    def error(self, found: Sweep, heads: Sequence[tuple[int, int]]) -> dict[str, float]:
        """How far the sweep is from the loop: of the metric, of the effect, and the largest metric."""
        place = {head: i for i, head in enumerate(self.all)}
        value = self.loop(heads)
        mine = [place[head] for head in heads]
        clean = self.metric(self.forward(), torch.arange(self.batch))
        return {
            "heads compared": len(heads),
            "error": float((found.value[mine] - value).abs().max()),
            "error of effect": float((found.effect[mine] - (value - clean)).abs().max()),
            "largest metric": float(value.abs().max()),
        }


class WholeLastBlock(Sweeper):
    """A sweep whose last block computes every position; the unembedding still only what the metric reads."""

    def prepare(self) -> Plan:
        plan = super().prepare()
        self.trim = replace(self.trim, cut=self.trim.cut[:1])  # no setting of `sweep` asks for this yet
        return plan


def gpt2_heads(batch: int, length: int, last: bool = False) -> Heads:
    """The 144 heads of a network of GPT-2-small's shape."""
    from benchmarks.networks import gpt2_small

    return Heads(gpt2_small(), "transformer.h.{}.attn.c_proj", 12, 12, 768, batch, length, last)
