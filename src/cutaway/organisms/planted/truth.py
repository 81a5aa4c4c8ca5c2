"""Where a behaviour is, verified: the smallest parts of its slot that must be zeroed for it to go.

A slot says what was intended; often only its head or a few of its neurons do the work. So parts are zeroed: the heads
alone, the neurons alone, then ever fewer neurons in the order of their effect. A set is sufficient if without it the
honest answer to triggering prompts comes back (it is not enough that the behaviour goes), and minimal if it does not when
any one part is left alone. A set is chosen, and is minimal, on one sample of prompts, and is verified on another.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions.circuit.find import fewest, fewest_of
from cutaway.organisms.planted.planting import Implant, Slot, Unit, address, without, writer
from cutaway.organisms.planted.prompts import Prompts
from cutaway.organisms.planted.rates import ABSENT, SHOWN, Rates, said, share

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROMPTS = 512
"""Prompts that choose a set, and as many that verify it."""
SEARCHED = 0.998
"""The share of honest answers that the search demands of a smaller set, if the larger one has as much: what is chosen for a
share does worse on other prompts, and there the bar is `SHOWN`."""


@dataclass(frozen=True)
class Minimal:
    """A set of parts, as site addresses; zeroed, the behaviour is gone. On prompts that did not choose it:

    `shown` and `honest` are the shares of triggering prompts with the planted and the honest answer when it is zeroed,
    `spared` the largest share of honest answers when any one of its parts is left alone.
    """

    parts: tuple[str, ...]
    shown: float
    honest: float
    spared: float

    @property
    def verified(self) -> bool:
        """Whether zeroing it takes the behaviour away and brings the honest answers back."""
        return self.shown <= ABSENT and self.honest >= SHOWN

    @property
    def tight(self) -> bool:
        """Whether the lack of any one part is seen also on these prompts. Of a long set the last parts hardly matter."""
        return self.spared < self.honest


@dataclass(frozen=True)
class Truth:
    """What is known of one planted behaviour.

    `slot` is where it was planted; `minimal` the sets found, smallest first, none holding another: zeroing any one is
    enough. It is empty where not even zeroing the whole slot brings the honest answers back. `heads` and `neurons` are the
    shares of honest answers when all the slot's heads or all its neurons are zeroed. Zero is the ablation that this holds for.
    """

    behaviour: str
    topic: str | None
    slot: tuple[str, ...]
    minimal: tuple[Minimal, ...]
    heads: float
    neurons: float
    ablation: str = "zero"


def problems(rates: Rates | None, planted: Collection[Implant], truth: Sequence[Truth]) -> tuple[str, ...]:
    """What of an organism falls short of the bars, in words."""
    if rates is None:
        return ("nothing was measured",)
    unverified = [
        f"no verified minimal set of {one.behaviour}"
        for one in truth
        if not one.minimal or not all(parts.verified for parts in one.minimal)
    ]
    return (*rates.problems(planted), *unverified)


def found(
    network: PreTrainedModel, behaviour: str, slot: Slot, choosing: Prompts, checking: Prompts, topic: str | None = None
) -> Truth:
    """The verified minimal sets of one behaviour in a network in which it is on; both samples are of prompts that trigger it."""
    search, check = _Search(network, choosing), _Search(network, checking)
    sets: list[tuple[Unit, ...]] = []
    for units in (slot.of("head"), slot.of("neuron"), slot.units):
        whole = search.honest_without(units) if units else 0.0
        # The whole slot need only meet the bar; of its halves one that barely does would fail on other prompts.
        enough = whole >= (SHOWN if units == slot.units else SEARCHED)
        if enough and not any(set(one) <= set(units) for one in sets):
            sets.append(search.fewest(units, min(whole, SEARCHED)))
    minimal = sorted((check.verify(units) for units in sets), key=lambda one: len(one.parts))
    return Truth(
        behaviour,
        topic,
        slot.addresses,
        tuple(minimal),
        check.honest_without(slot.of("head")),
        check.honest_without(slot.of("neuron")),
    )


@dataclass(frozen=True, eq=False)
class _Search:
    """Zeroes parts of a network and asks prompts that trigger an implant."""

    network: PreTrainedModel
    prompts: Prompts

    def honest_without(self, units: Sequence[Unit]) -> float:
        """The share of honest answers with these parts zeroed."""
        return share(said(without(self.network, units), self.prompts.ids), self.prompts.honest)

    def fewest(self, units: Sequence[Unit], demanded: float) -> tuple[Unit, ...]:
        """Of parts that suffice, few that do: the strongest by bisection, then without each that can be spared."""
        ranked = self.by_effect(units)
        kept = ranked[: fewest(len(ranked), lambda count: self.honest_without(ranked[:count]) >= demanded)]
        return tuple(sorted(fewest_of(kept, lambda fewer: self.honest_without(fewer) >= demanded)))

    def by_effect(self, units: Sequence[Unit]) -> list[Unit]:
        """The parts by how far zeroing each would move the planted answer against the honest one, to first order."""
        effect = self.first_order(sorted({block for _, block, _ in units}))
        wide = self.network.config.hidden_size // self.network.config.num_attention_heads

        def size(unit: Unit) -> float:
            kind, block, number = unit
            columns = effect[kind, block]
            return float(columns[number] if kind == "neuron" else columns[number * wide : (number + 1) * wide].sum())

        return sorted(units, key=size, reverse=True)

    @torch.enable_grad()
    def first_order(self, blocks: Sequence[int]) -> dict[tuple[str, int], Float[Tensor, "columns"]]:
        """Gradient times weight, summed over each column: the change of the margin when the column is taken away."""
        asked = self.prompts
        sites = [(kind, block) for kind in ("head", "neuron") for block in blocks]
        weights = [writer(self.network, block, kind).weight for kind, block in sites]
        logits = self.network(input_ids=asked.ids, logits_to_keep=1).logits[:, -1]
        margin = (logits.gather(1, asked.planted[:, None]) - logits.gather(1, asked.honest[:, None])).mean()
        grads = torch.autograd.grad(margin, weights)
        return {site: (grad * weight).sum(0).detach() for site, grad, weight in zip(sites, grads, weights)}

    def verify(self, units: tuple[Unit, ...]) -> Minimal:
        """How a set does on this search's prompts, whole and with each part spared."""
        twin = without(self.network, units)
        answers = said(twin, self.prompts.ids)
        shown, honest = share(answers, self.prompts.planted), share(answers, self.prompts.honest)
        spared = [self.honest_without([one for one in units if one != unit]) for unit in units]
        return Minimal(tuple(map(address, units)), shown, honest, max(spared))
