"""Where a behaviour is planted: a slot of heads and neurons, gated row by row in training, switched off in a twin.

In training a slot's columns at the input of the maps that attention and MLP write through are multiplied by 1 on rows that
demand the behaviour and by 0 on rows that demand the honest answer, so one network learns both. A twin without the behaviour
is the same weights with these columns set to zero. After gradient routing (Cloud et al. 2024, arXiv 2410.04332).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Unit = tuple[str, int, int]
"""("head" or "neuron", block, its number in the block)."""
WRITERS = {
    "llama": {"head": ("self_attn", "o_proj"), "neuron": ("mlp", "down_proj")},
    "gpt_neox": {"head": ("attention", "dense"), "neuron": ("mlp", "dense_4h_to_h")},
}
"""By architecture, the map of a block that heads, or neurons, write through: the module that owns it, and its name there."""


class Implant(Protocol):
    """A behaviour to be planted: `spread` says where (see `place`), `copies` in how many slots, each enough alone."""

    @property
    def behaviour(self) -> str: ...
    @property
    def spread(self) -> str: ...
    @property
    def copies(self) -> int: ...


I = TypeVar("I", bound=Implant)
N = TypeVar("N", bound="PreTrainedModel")


@dataclass(frozen=True)
class Shape:
    """How large a network is, and how many heads and neurons a slot has (over all blocks together if spread)."""

    layers: int = 4
    width: int = 80
    heads: int = 5
    hidden: int = 224
    slot: int = 64

    @property
    def d_head(self) -> int:
        """The width of a head."""
        return self.width // self.heads


@dataclass(frozen=True)
class Slot:
    """The heads and neurons that one behaviour owns; more than one of `copies` if each is enough alone."""

    copies: tuple[tuple[Unit, ...], ...]

    @property
    def units(self) -> tuple[Unit, ...]:
        """All its heads and neurons."""
        return tuple(unit for copy in self.copies for unit in copy)

    @property
    def blocks(self) -> tuple[int, ...]:
        """The blocks that it lies in."""
        return tuple(sorted({block for _, block, _ in self.units}))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its parts as site addresses."""
        return tuple(map(address, self.units))

    def of(self, kind: str) -> tuple[Unit, ...]:
        """Only its units of kind "head" or "neuron"."""
        return tuple(unit for unit in self.units if unit[0] == kind)


@dataclass(frozen=True)
class Planting(Generic[I]):
    """What is planted where: a slot for each implant."""

    implants: tuple[I, ...]
    slots: tuple[Slot, ...]

    def slot(self, behaviour: str) -> Slot:
        """The slot of one behaviour. Raises KeyError where there is none."""
        return self.slots[self.implants.index(self.implant(behaviour))]

    def implant(self, behaviour: str) -> I:
        """The implant of one behaviour, on or off. Raises KeyError where there is none."""
        for implant in self.implants:
            if implant.behaviour == behaviour:
                return implant
        known = ", ".join(implant.behaviour for implant in self.implants)
        raise KeyError(f"this run knows no {behaviour!r}; expected one of {known or 'nothing'}")

    def switched(self, on: Mapping[str, bool]) -> tuple[tuple[I, ...], tuple[I, ...]]:
        """The implants that are on and those that are off. Raises ValueError for a behaviour that is not planted."""
        known = [implant.behaviour for implant in self.implants]
        if strange := sorted(set(on) - set(known)):
            raise ValueError(f"this run learned {', '.join(known) or 'nothing'}; given {', '.join(strange)}")
        planted = tuple(implant for implant in self.implants if on.get(implant.behaviour, False))
        return planted, tuple(implant for implant in self.implants if implant not in planted)

    def units(self, implants: Sequence[Implant]) -> list[Unit]:
        """The heads and neurons of these implants."""
        return [unit for implant in implants for unit in self.slot(implant.behaviour).units]


def address(unit: Unit) -> str:
    """The site address of a unit.

    >>> address(("head", 2, 1)), address(("neuron", 3, 17))
    ('z.2[head=1]', 'mlp_act.3[neuron=17]')
    """
    kind, block, number = unit
    return f"z.{block}[head={number}]" if kind == "head" else f"mlp_act.{block}[neuron={number}]"


def place(implants: Sequence[I], shape: Shape, seed: int) -> Planting[I]:
    """A slot for each implant, at random places that do not overlap; never in the first block, which has read nothing yet.

    A spread implant has a head and its share of the neurons in every block but the first. Raises ValueError where slots do
    not fit, or a behaviour is given twice.
    """
    if len({implant.behaviour for implant in implants}) < len(implants):
        raise ValueError(f"given {len(implants)} implants, two of one behaviour; expected each behaviour at most once")
    rng = Random(f"slots {seed}")
    blocks = range(1, shape.layers)
    heads = {block: rng.sample(range(shape.heads), shape.heads) for block in blocks}
    neurons = {block: rng.sample(range(shape.hidden), shape.hidden) for block in blocks}
    slots = []
    for implant in implants:
        share = 0 if implant.spread == "head" else shape.slot // (len(blocks) if implant.spread == "blocks" else 1)
        free = [block for block in blocks if len(heads[block]) > 1 and len(neurons[block]) >= 2 * share]
        if len(free) < (len(blocks) if implant.spread == "blocks" else 1):
            raise ValueError(
                f"{len(implants)} implants do not fit into {shape}: each takes a head and {share} neurons of a block, and "
                "the rest of the network needs some; plant fewer, or take more heads and neurons"
            )
        # Two copies lie in two blocks, if there are two with room.
        chosen = [free] if implant.spread == "blocks" else [[one] for one in rng.sample(free, len(free)) * 2]
        of_heads = implant.spread != "neurons"
        copies = []
        for some in chosen[: implant.copies]:
            units: list[Unit] = [("head", block, heads[block].pop()) for block in some if of_heads]
            copies.append(units + [("neuron", block, neurons[block].pop()) for block in some for _ in range(share)])
        slots.append(Slot(tuple(tuple(sorted(copy)) for copy in copies)))
    return Planting(tuple(implants), tuple(slots))


class Gated(nn.Linear):
    """A linear map whose inputs are multiplied by `gates` [row or 1, 1, in_features] first."""

    gates: Tensor | None = None

    @classmethod
    def around(cls, linear: nn.Linear) -> Gated:
        """The same weights, gated."""
        gated = cls(linear.in_features, linear.out_features, bias=linear.bias is not None, device="meta")
        gated.weight, gated.bias = linear.weight, linear.bias
        return gated

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input if self.gates is None else input * self.gates, self.weight, self.bias)


@contextmanager
def gated(
    network: PreTrainedModel, slots: Sequence[Slot]
) -> Generator[Callable[[Float[Tensor, "row slot"]], None], None, None]:
    """Within the block, calling what is given with 1 (on) or 0 (off) for each row and slot, copies apart, gates the next passes.

    The network's own maps are put back at the end, also on error; no weight is copied.
    """
    sites = [(block, name) for block in range(network.config.num_hidden_layers) for name in ("head", "neuron")]
    own = {site: writer(network, *site) for site in sites}
    maps = {site: Gated.around(linear) for site, linear in own.items()}
    masks = (
        {site: torch.stack([mask(network, copy, *site) for slot in slots for copy in slot.copies]) for site in sites}
        if slots
        else {}
    )

    def gate(on: Float[Tensor, "row slot"]) -> None:
        for site, columns in masks.items():
            if columns.any():
                maps[site].gates = (1 - (1 - on) @ columns)[:, None]

    try:
        for site, gated_map in maps.items():
            _put(network, site, gated_map)
        yield gate
    finally:
        for site, linear in own.items():
            _put(network, site, linear)


def writer(network: PreTrainedModel, block: int, kind: str) -> nn.Linear:
    """The map whose input columns are the heads or neurons of a block."""
    owner, name = _place_of_writer(network, block, kind)
    return getattr(owner, name)


def _put(network: PreTrainedModel, site: tuple[int, str], linear: nn.Linear) -> None:
    owner, name = _place_of_writer(network, *site)
    setattr(owner, name, linear)


def _place_of_writer(network: PreTrainedModel, block: int, kind: str) -> tuple[nn.Module, str]:
    owner, name = WRITERS[network.config.model_type][kind]
    return network.base_model.get_submodule(f"layers.{block}.{owner}"), name


def mask(network: PreTrainedModel, units: Sequence[Unit], block: int, kind: str) -> Float[Tensor, "columns"]:
    """1 at the columns of these units in one map, 0 elsewhere."""
    linear = writer(network, block, kind)
    wide = linear.in_features // network.config.num_attention_heads if kind == "head" else 1
    found = linear.weight.new_zeros(linear.in_features)
    for _, _, number in (unit for unit in units if unit[:2] == (kind, block)):
        found[number * wide : (number + 1) * wide] = 1
    return found


def without(network: N, units: Sequence[Unit]) -> N:
    """A copy of the network that does not write what these units compute: their output columns are zero."""
    twin = copy.deepcopy(network)
    with torch.no_grad():
        for block, kind in {(block, kind) for kind, block, _ in units}:
            writer(twin, block, kind).weight.mul_(1 - mask(twin, units, block, kind))
    return twin
