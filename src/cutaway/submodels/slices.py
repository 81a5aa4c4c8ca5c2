"""Sub-models that are slices of the network as it is: heads, neurons, channels, experts, whole blocks.

The code is the tensor itself, so there is no rest, decode is the identity, and zeroing a slice that a matrix reads is the
same as zeroing that matrix's columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.network import Network, Site
from cutaway.network.site import AXIS_OF
from cutaway.submodels.decomposition import OfSite

# Which sites a kind is sliced from, and by which selector ("" is the whole tensor).
KINDS = {
    "heads": (("z", "head"), ("cross_z", "head")),
    "neurons": (("mlp_act", "neuron"),),
    "experts": (("experts", "expert"),),
    "mlps": (("mlp_out", ""),),
    "attentions": (("attn_out", ""), ("cross_out", "")),
    "mixers": (("mixer_out", ""),),
    "blocks": (("attn_out", ""), ("cross_out", ""), ("mixer_out", ""), ("mlp_out", "")),
}


@dataclass(frozen=True)
class Slice(OfSite):
    """The parts of one tensor: `by` "head", "neuron", "channel" or "expert"; `by=""` makes the whole tensor one part.

    `axis` is where the parts lie in the tensor, `count` how many there are and `size` how many coordinates each has.
    """

    by: str
    axis: int
    count: int
    size: int

    @property
    def name(self) -> str:
        return f"{self.site}" + (f" by {self.by}" if self.by else "")

    @property
    def atoms(self) -> int:
        return self.count * self.size

    @cached_property
    def parts(self) -> Mapping[str, Sequence[int]]:
        if not self.by:
            return {str(self.site): range(self.atoms)}
        ranges = (range(i * self.size, (i + 1) * self.size) for i in range(self.count))
        return {str(self.site.at(**{self.by: i})): atoms for i, atoms in enumerate(ranges)}

    def encode(self, h: Mapping[Site, Tensor]) -> Float[Tensor, "*lead atoms"]:
        """The tensor with its sliced axes last and flat."""
        x = h[self.site]
        if self.by == "head":
            return x.flatten(-2)
        return x.movedim(self.axis, -1)

    def decode(self, code: Float[Tensor, "*lead atoms"], site: Site) -> Tensor:
        """The code in the tensor's own shape."""
        if self.by == "head":
            return code.unflatten(-1, (self.count, self.size))
        return code.movedim(-1, self.axis)

    def weight_edit(self, net: Network, part: str) -> dict[str, Tensor] | None:
        """The reading matrix with the part's columns zeroed: heads and neurons that one matrix reads."""
        port = net.port(self.site)
        layer = self.site.layer
        if self.by == "head" and self.site.point == "z" and layer is not None:
            reader = net.layout.projections.get(layer)
        else:
            reader = port.module if port.side == "in" and self.by in ("neuron", "channel") else None
        if reader is None:
            return None
        matrix = net.wiring.modules[reader]
        weight = matrix.weight
        if not isinstance(weight, Tensor) or weight.ndim != 2:
            return None
        edited = weight.detach().clone()
        columns = list(self.parts[part])
        if isinstance(matrix, nn.Linear):
            edited[:, columns] = 0
        else:  # GPT-2's Conv1D keeps its matrix transposed
            edited[columns] = 0
        return {f"{reader}.weight": edited}

    def describe(self) -> dict[str, Any]:
        return {
            "kind": "slice",
            "site": str(self.site),
            "by": self.by,
            "axis": self.axis,
            "count": self.count,
            "size": self.size,
        }

    def tensors(self) -> dict[str, Tensor]:
        return {}


def slice_of(net: Network, site: Site | str, by: str, like: Tensor | None = None) -> Slice:
    """The parts of the tensor at `site`. `like` is one value of it; without one the network is run to see its shape."""
    site = Site.parse(site).whole
    if like is None:
        like = net.read(net.probe(), site)[str(site)]
    axes = net.port(site).axes_for(like.ndim)
    if not by:
        return Slice(site, "", like.ndim - 1, 1, like.shape[-1])
    port = net.port(site)
    axis = port.axis(by, axes, site)
    size = like.shape[axis + 1] if by == "head" else 1
    return Slice(site, by, axis, like.shape[axis], size)


def slices(net: Network, kinds: Sequence[str], inputs: Any = None) -> list[Slice]:
    """Every slice of these kinds that the network has, in the order of its blocks.

    `kinds`: heads, neurons, experts, mlps, attentions, mixers, blocks, or `channels` (outputs of every weighted leaf
    module of a network without blocks, the last one apart: its outputs are the answer).
    """
    if isinstance(kinds, str):
        raise ValueError(f"kinds of slice were given as the text {kinds!r}; expected a list: try [{kinds!r}]")
    batch = net.probe() if inputs is None else net.batch(inputs)
    net.locate(batch)
    wanted: list[tuple[Site, str]] = []
    for kind in kinds:
        if kind == "channels":
            wanted += [(site, "channel") for site in leaf_outputs(net)]
            continue
        if kind == "modules":
            wanted += [(site, "") for site in leaf_outputs(net)]
            continue
        if kind not in KINDS:
            raise ValueError(f"unknown kind of slice {kind!r}; expected {', '.join(KINDS)}, channels or modules")
        for point, by in KINDS[kind]:
            wanted += [(site, by) for site in net.sites(f"{point}.*")]
    seen = net.run(batch.take(torch.arange(1)), read=[site for site, _ in wanted]).read
    found = [slice_of(net, site, by, seen[str(site)]) for site, by in dict.fromkeys(wanted)]
    return sorted(found, key=lambda one: -1 if one.site.layer is None else one.site.layer)


def kinds_of(net: Network) -> list[str]:
    """The kinds of slice that a network has, once its sites are located."""
    found = [kind for kind, places in KINDS.items() if any(net.sites(f"{point}.*") for point, _ in places)]
    return found + (["channels", "modules"] if leaf_outputs(net) else [])


def leaf_outputs(net: Network) -> list[Site]:
    """Output sites of the weighted leaf modules in order, the last one apart."""
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.RNN, nn.LSTM, nn.GRU)
    names = [name for name, part in net.wiring.modules.items() if isinstance(part, kinds) and name]
    return [Site("path", path=name, side="out") for name in names[:-1]]


assert all(by in AXIS_OF or not by for places in KINDS.values() for _, by in places)
