"""Networks with no special support: an encoder, two ResNets, a residual MLP, a block called six times. Exact, and faster.

Nothing about them is known but the order in which their modules run. Every rerun zeroes one head, one channel of one
convolution, or one channel of what one block writes; an encoder's metric reads every position. Batches hold 128
positions or rows, as 8 × 16 tokens do elsewhere, or 8 images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.kept import Kept
from benchmarks.loop import Place, loop
from benchmarks.networks import ResidualMLP, SharedBlock, resnet, seeded, sentence_encoder
from benchmarks.timing import interleave
from cutaway.ledger import count_flops
from cutaway.network import Custom, Edit, LogitDifference, Metric, Network, Site, Sweep, Variant, logits_of, sweep, wrap
from cutaway.network.edit import ZERO

DEPENDS = ("network", "generic.py", "loop.py", "networks.py")
MINUTES = 6.0


@dataclass(frozen=True, eq=False)
class Case:
    """A network, its inputs, a metric, and each rerun both as an address of ours and as a place of the loop."""

    model: nn.Module
    inputs: Any
    metric: Metric
    reruns: list[tuple[Site, Place]]

    def __post_init__(self) -> None:
        if any(site.path is None for site, _ in self.reruns):
            self.net.locate(self.net.batch(self.inputs))  # once for a network, before anything is timed

    @cached_property
    def net(self) -> Network:
        return wrap(self.model)

    def forward(self) -> Any:
        with torch.no_grad():
            return self.model(**self.inputs) if isinstance(self.inputs, dict) else self.model(self.inputs)

    def sweep(self) -> Sweep:
        variants = [Variant((Edit(site, ZERO),)) for site, _ in self.reruns]
        return sweep(self.net, self.inputs, variants, self.metric)

    def loop(self) -> Tensor:
        rows = torch.arange(len(self.inputs if isinstance(self.inputs, Tensor) else next(iter(self.inputs.values()))))
        return loop(
            self.model, self.forward, [place for _, place in self.reruns], lambda output: self.metric(output, rows)
        )

    def facts(self) -> dict:
        found, value = self.sweep(), self.loop()
        away = float((found.value - value).abs().max())
        return {
            "reruns": len(self.reruns),
            "error": away,
            "largest metric": float(value.abs().max()),
            "relative error": away / float(value.abs().max()),
            "notes": list(found.notes),
            "plan": str(found.plan),
            "flops": {"loop": count_flops(self.forward) * len(self.reruns), "sweep": count_flops(self.sweep)},
        }


def measure(kept: Kept, repetitions: int) -> None:
    """One setting a network."""
    for name, make in CASES.items():
        case = make()
        interleave(
            kept, name, {"loop": case.loop, "sweep": case.sweep, "forward": case.forward}, repetitions, case.facts
        )


def encoder() -> Case:
    """22M BERT-shaped, batch 8 × 16, all 72 heads, a fixed direction of the mean over positions."""
    draw = torch.Generator().manual_seed(1)
    direction = torch.randn(384, generator=draw)
    places = []
    for layer in range(6):
        for head in range(12):
            place = Place(
                f"encoder.layer.{layer}.attention.output.dense", "in", (..., slice(head * 32, head * 32 + 32))
            )
            places.append((Site("z", layer).at(head=head), place))
    inputs = {"input_ids": torch.randint(1000, 30000, (8, 16), generator=draw)}
    return Case(sentence_encoder(), inputs, Custom(lambda output: logits_of(output).mean(1) @ direction), places)


def images(depth: int) -> Case:
    """ResNet-18 or -50, 8 images of 64 × 64, two channels of every convolution."""
    model, draw = resnet(depth), torch.Generator().manual_seed(2)
    places = []
    for path, part in model.named_modules():
        if isinstance(part, nn.Conv2d):
            for channel in Random(path).sample(range(part.out_channels), 2):
                places.append((Site("path", path=path).at(channel=channel), Place(path, "out", (slice(None), channel))))
    inputs = {"pixel_values": torch.randn(8, 3, 64, 64, generator=draw)}
    return Case(model, inputs, LogitDifference(torch.arange(8), torch.arange(8) + 500), places)


def residual_mlp() -> Case:
    """12 blocks of width 256, 128 rows, 8 channels of what each block writes."""
    draw = torch.Generator().manual_seed(3)
    places = []
    for block in range(12):
        path = f"blocks.{block}.down"
        for channel in Random(path).sample(range(256), 8):
            places.append((Site("path", path=path).at(channel=channel), Place(path, "out", (..., channel))))
    return Case(seeded(ResidualMLP), torch.randn(128, 64, generator=draw), _first_minus_second(128), places)


def shared_block() -> Case:
    """One block called 6 times, 128 rows, 16 channels of what each call writes."""
    draw = torch.Generator().manual_seed(4)
    places = []
    for call in range(6):
        for channel in Random(call).sample(range(256), 16):
            site = Site("path", path="block.down").at(channel=channel, call=call)
            places.append((site, Place("block.down", "out", (..., channel), call)))
    return Case(seeded(SharedBlock), torch.randn(128, 64, generator=draw), _first_minus_second(128), places)


def _first_minus_second(rows: int) -> LogitDifference:
    return LogitDifference(torch.zeros(rows, dtype=torch.long), torch.ones(rows, dtype=torch.long))


CASES: dict[str, Callable[[], Case]] = {
    "encoder": encoder,
    "ResNet-18": partial(images, 18),
    "ResNet-50": partial(images, 50),
    "residual MLP": residual_mlp,
    "shared block": shared_block,
}
