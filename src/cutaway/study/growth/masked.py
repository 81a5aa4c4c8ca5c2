"""A network that keeps a share of each of its heads and neurons, row by row; the rest is at what it is on other inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.network import Batch, Network, Port, Site, logits_of
from cutaway.network.passes import Pass, Touch

SITES = ("z.*", "mlp_act.*")
"""Where the parts of a network lie: its heads, and the neurons of its MLPs."""
Means = Mapping[Site, Tensor]
LogProbabilities = Float[Tensor, "rows vocab"]


@dataclass(frozen=True)
class Parts:
    """Every head and neuron of a network, in the order of `sites`; a mask is a row of `count` shares, a set one of 0 and 1."""

    sites: tuple[Site, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, net: Network, batch: Batch) -> Parts:
        """Those that a network shows on a batch. Raises `AddressError` where it has no heads or no neurons that are known."""
        net.locate(batch)
        sites = tuple(net.expand(SITES))
        seen = net.read(batch.take(torch.arange(1)), *sites)
        return cls(sites, tuple(seen[str(site)].shape[2] for site in sites))

    @property
    def count(self) -> int:
        """How many parts there are."""
        return sum(self.sizes)

    @property
    def names(self) -> list[str]:
        """The address of every part."""
        axis = {"z": "head", "mlp_act": "neuron"}
        return [
            f"{site}[{axis[site.point]}={place}]" for site, size in zip(self.sites, self.sizes) for place in range(size)
        ]

    def split(self, masks: Float[Tensor, "rows part"]) -> list[Tensor]:
        """The mask of each site's parts."""
        return list(masks.split(self.sizes, dim=1))


@torch.no_grad()
def means(net: Network, parts: Parts, inputs: Batch, at_once: int = 64) -> Means:
    """What every part is in the mean over inputs, at each position: [1, position, …] by site."""
    sums: dict[Site, Tensor] = {}
    for rows in torch.arange(inputs.rows).split(at_once):
        seen = net.read(inputs.take(rows), *parts.sites)
        for site in parts.sites:
            value = seen[str(site)].sum(0, keepdim=True)
            sums[site] = sums[site] + value if site in sums else value
    return {site: value / inputs.rows for site, value in sums.items()}


def answers(
    net: Network,
    parts: Parts,
    batch: Batch,
    masks: Float[Tensor, "rows part"] | None = None,
    instead: Means | None = None,
) -> LogProbabilities:
    """What the network says comes after the last position, with its parts kept by these masks and the rest at `instead`.

    Without masks: as it is. Masks that require gradients get them.
    """
    touches = [] if masks is None or instead is None else _kept(net, parts, masks, instead)
    graph = masks is not None and masks.requires_grad
    output = Pass(net.wiring, [*touches, *_last(net)], gradients=graph)(batch)
    return logits_of(output)[:, -1].log_softmax(-1)


def _kept(net: Network, parts: Parts, masks: Tensor, instead: Means) -> list[Touch]:
    return [
        Touch(net.writable(site), _Faded(share, instead[site])) for site, share in zip(parts.sites, parts.split(masks))
    ]


@dataclass(frozen=True, eq=False)
class _Faded:
    """Each part of a site at share · itself + (1 − share) · what is put instead."""

    share: Float[Tensor, "rows part"]
    instead: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        share = self.share[:, None, :, None] if x.ndim == 4 else self.share[:, None]
        return self.instead + share * (x - self.instead)


def _last(net: Network) -> list[Touch]:
    """The unembedding of the last position alone."""
    head = net.layout.ports.get(("logits", None))
    return [] if head is None else [Touch(Port(head.module, "in"), lambda x: x[:, -1:])]
