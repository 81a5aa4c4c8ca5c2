"""A network in which some nodes stand at their mean: the losses of a task under several masks at once.

A node is a channel of a site: what a sublayer reads or writes, a query, key, value or neuron. A masked node has its mean over
the corpus at every position. Masks are one vector over all nodes, in the order of `addresses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from cutaway.dial.tasks import Examples
from cutaway.dial.transformer import At, SparseTransformer


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of a network in one row, and what each is at on average over a corpus.

    `brought` is the mean of what the heads bring together, which the attention's output matrix reads.
    """

    sizes: dict[str, int]
    means: Float[Tensor, "node"]
    brought: dict[str, Float[Tensor, "channel"]]

    def __len__(self) -> int:
        return len(self.means)

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each site's nodes are in the row."""
        found, start = {}, 0
        for address, size in self.sizes.items():
            found[address] = slice(start, start + size)
            start += size
        return found

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """The address of each node (`mlp_act.1[neuron=17]`)."""
        return tuple(named(site, index) for site, size in self.sizes.items() for index in range(size))

    @cached_property
    def order(self) -> Int[Tensor, "node"]:
        """A rank for each node within its site that does not depend on how the network numbers its channels."""
        ranks = [self.means[part].argsort(stable=True).argsort() + part.start for part in self.slices.values()]
        return torch.cat(ranks)


def named(site: str, index: int) -> str:
    """The address of a channel of a site: `mlp_act.1` and 17 -> `mlp_act.1[neuron=17]`."""
    return f"{site}[{'neuron' if site.startswith('mlp_act') else 'channel'}={index}]"


@torch.no_grad()
def nodes_of(network: SparseTransformer, windows: Int[Tensor, "window position"]) -> Nodes:
    """The nodes of `network`, with their means over the positions of `windows` of a corpus."""
    sums: dict[str, Tensor] = {}

    def note(address: str, x: Tensor) -> Tensor:
        sums[address] = sums.get(address, 0) + x.double().sum((0, 1))
        return x

    for part in windows.split(64):
        network.stream(part, at=note)
    means = {address: (total / windows.numel()).float() for address, total in sums.items()}
    brought = {address: mean for address, mean in means.items() if address.startswith("z.")}
    kept = {address: mean for address, mean in means.items() if address not in brought}
    return Nodes({address: len(mean) for address, mean in kept.items()}, torch.cat(list(kept.values())), brought)


def margins(
    network: SparseTransformer, nodes: Nodes, examples: Examples, masks: Float[Tensor, "mask node"]
) -> Float[Tensor, "mask example"]:
    """Logit of the answer minus that of the other for each mask (1: as it is, 0: at the mean) and example."""
    count, moved = len(masks), (1 - masks) * nodes.means

    def at(address: str, x: Tensor) -> Tensor:
        part = nodes.slices.get(address)
        if part is None:
            return x
        here = x.unflatten(0, (count, -1))
        return torch.addcmul(moved[:, None, None, part], here, masks[:, None, None, part]).flatten(0, 1)

    return _preferred(network, examples, count, at)


def own_margins(network: SparseTransformer, examples: Examples) -> Float[Tensor, "example"]:
    """The same of the network as it is."""
    return _preferred(network, examples)[0]


def losses(
    network: SparseTransformer, nodes: Nodes, examples: Examples, masks: Float[Tensor, "mask node"]
) -> Float[Tensor, "mask example"]:
    """The task's loss in nats for each mask and example: −log p of the answer, of the two."""
    return F.softplus(-margins(network, nodes, examples, masks))


def _preferred(network: SparseTransformer, examples: Examples, count: int = 1, at: At | None = None) -> Tensor:
    """The margins of `count` runs of all examples, stacked for `at`; [run, example]."""
    found = []
    for few in examples.by_length:
        prompts, last, answer, other = (
            each.repeat(count, *[1] * (each.ndim - 1)) for each in (few.prompts, few.last, few.answer, few.other)
        )
        stream = network.stream(prompts, at=at, last=last)[:, 0]
        tokens = prompts[torch.arange(len(last)), last]
        found.append(network.preference(stream, tokens, answer, other).unflatten(0, (count, -1)))
    return torch.cat(found, dim=1)[:, examples.place]


def complements(nodes: Nodes, count: int, seed: int) -> Float[Tensor, "draw node"]:
    """Random complements: in each draw every node is live with a chance that is itself drawn from 0 to 1.

    A node's fate does not depend on how the network numbers its channels.
    """
    generator = torch.Generator().manual_seed(seed)
    share = torch.rand(count, 1, generator=generator)
    return (torch.rand(count, len(nodes), generator=generator) < share).float()[:, nodes.order]


def with_rest(kept: Float[Tensor, "node"], draws: Float[Tensor, "draw node"]) -> Float[Tensor, "mask node"]:
    """The kept nodes alone, then with the rest masked at random."""
    return torch.cat([kept[None], kept + (1 - kept) * draws])
