"""Exact reruns of compiled organisms by plain torch hooks: any part's output can be swapped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor

from cutaway.organisms import compiled
from cutaway.organisms.compiled import Organism
from cutaway.training.transformer import Transformer

DONORS = 8


def place(network: Transformer, address: str) -> tuple[torch.nn.Module, slice]:
    """The module whose input (a head) or output (an MLP block) is the part, and the part's channels in it."""
    if address.startswith("mlp_out."):
        return network.blocks[int(address.removeprefix("mlp_out."))].mlp, slice(None)
    layer, head = (int(number) for number in address.removeprefix("z.").rstrip("]").split("[head="))
    size = network.shape.d_head
    return network.blocks[layer].attn.out, slice(head * size, (head + 1) * size)


@torch.no_grad()
def rerun(network: Transformer, rows: Tensor, swap: dict[str, Tensor], seen: dict[str, Tensor] | None = None) -> Tensor:
    """Logits at the last position with the parts in `swap` replaced, by plain torch hooks; values go to `seen`."""
    handles = []

    def change(address: str, whole: Tensor, channels: slice) -> Tensor:
        if seen is not None:
            seen[address] = whole[..., channels].clone()
        if address not in swap:
            return whole
        whole = whole.clone()
        whole[..., channels] = swap[address]
        return whole

    for address in sorted(swap) if seen is None else sorted(compiled.parts(network)):
        module, channels = place(network, address)
        if address.startswith("z."):
            handles.append(
                module.register_forward_pre_hook(lambda _, given, a=address, c=channels: (change(a, given[0], c),))
            )
        else:
            handles.append(module.register_forward_hook(lambda _, given, out, a=address, c=channels: change(a, out, c)))
    try:
        return network(rows)[:, -1]
    finally:
        for handle in handles:
            handle.remove()


class Bench:
    """Brute force on one organism: prompts × donors as rows of one batch, clean rows in a batch of the same shape."""

    def __init__(self, organism: Organism, donors: Tensor) -> None:
        self.network, self.repeats = organism.network, len(donors)
        self.donors = donors.repeat(len(organism.prompts), 1)
        self.rows, self.others = (self.spread(rows) for rows in (organism.prompts, organism.counterfactuals))
        self.answers, self.instead = (self.spread(ids) for ids in (organism.answers, organism.instead))
        self.clean = self.metric({})

    def spread(self, rows: tuple) -> Tensor:
        return torch.tensor(rows).repeat_interleave(self.repeats, 0)

    def metric(self, swap: dict[str, Tensor]) -> Tensor:
        logits, each = rerun(self.network, self.rows, swap), torch.arange(len(self.rows))
        return logits[each, self.answers] - logits[each, self.instead]

    def values(self, rows: Tensor) -> dict[str, Tensor]:
        seen: dict[str, Tensor] = {}
        rerun(self.network, rows, {}, seen)
        return seen


@cache
def total(organism: Organism) -> float:
    """The effect of all parts at once taken from a donor: mean over prompts and the whole reference."""
    bench = Bench(organism, organism.reference)
    return (bench.clean - bench.metric(bench.values(bench.donors))).mean().abs().item()


@cache
def effects(organism: Organism, baseline: str) -> dict[str, Tensor]:
    """The effect of each part alone on each prompt (with each donor, for the baseline "resample")."""
    bench = Bench(organism, organism.reference[:DONORS] if baseline == "resample" else organism.reference[:1])
    values = bench.values(bench.donors if baseline == "resample" else bench.others)
    values = constant(organism, values, baseline)
    return {address: bench.clean - bench.metric({address: value}) for address, value in values.items()}


def constant(organism: Organism, values: dict[str, Tensor], baseline: str) -> dict[str, Tensor]:
    """Zeros, or the mean over rows and positions of the reference, in the shape of `values`; else `values` themselves."""
    if baseline == "zero":
        return {address: torch.zeros_like(value) for address, value in values.items()}
    if baseline != "mean":
        return values
    seen: dict[str, Tensor] = {}
    rerun(organism.network, organism.reference, {}, seen)
    return {address: seen[address].mean((0, 1)).expand_as(value) for address, value in values.items()}


def joint(organism: Organism, parts: Iterable[str], baseline: str) -> Tensor:
    """The effect of taking `parts` away together, on each prompt (with each donor, for the baseline "resample")."""
    bench = Bench(organism, organism.reference[:DONORS] if baseline == "resample" else organism.reference[:1])
    values = bench.values(bench.donors if baseline == "resample" else bench.others)
    values = constant(organism, values, baseline)
    return bench.clean - bench.metric({address: values[address] for address in parts})


def share(effect: Tensor, organism: Organism) -> float:
    """The mean effect as a share of the total."""
    return effect.mean().abs().item() / total(organism)
