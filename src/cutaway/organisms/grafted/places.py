"""Where a neuron can be planted in any network: the matrices that make it, the matrix that reads it; proved by a run.

The neurons of a block are the input of its MLP's last matrix, so that one row (of a gated MLP two, of one matrix or of two)
makes a neuron and one column says what it writes. Which matrices those are is not known by name: rows are zeroed for a pass,
and they are a neuron's if that neuron alone falls silent. A network without blocks has neurons between one linear layer and
the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.network import Batch, Network, Site

Weights = dict[str, Tensor]
"""Parameters by name that stand in for a network's own: nothing is edited in place."""
TRIED = 1  # the neuron that is silenced to prove which rows are whose


class PlantError(ValueError):
    """A network into which nothing can be planted: the message says what was given, what is expected, what to try."""


@dataclass(frozen=True)
class Place:
    """The neurons of one MLP: those modules in `reads` have rows that make neuron i (i, and count + i of one that is twice as
    large), and column i of the module `writes` is what it says; `site` is its address but for the number."""

    site: Site
    reads: tuple[str, ...]
    writes: str
    neurons: int
    by: str = "neuron"

    def address(self, neuron: int) -> str:
        """Where a match would say that this neuron is."""
        return str(self.site.at(**{self.by: neuron}))

    @property
    def given(self) -> str:
        """What the neurons read."""
        return f"path.{self.reads[0]}:in"

    @property
    def active(self) -> str:
        """The neurons themselves."""
        return f"path.{self.writes}:in"

    @property
    def written(self) -> str:
        """What they write, together."""
        return f"path.{self.writes}:out"


def places(net: Network, batch: Batch) -> list[Place]:
    """Where neurons can be planted, in the order of the blocks. Raises PlantError where there is none."""
    net.locate(batch)
    if any(parameter.dtype not in FLOATS for parameter in net.module.parameters()):
        raise PlantError(
            f"{net.name} has quantised weights; expected float32, bfloat16, float16 or float64; open it so"
        )
    blocks = net.sites("mlp_act.*")
    known = [place for site in blocks if (place := _of_block(net, batch, site))] if blocks else _between(net, batch)
    if not known:
        raise PlantError(
            f"{net.name} has no MLP whose neurons are rows of one matrix and columns of the next; a plant needs one: "
            "try a decoder, an encoder or an MLP that is not made of experts or convolutions"
        )
    return known


FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def with_rows(
    net: Network, weights: Weights, place: Place, neuron: int, row: Float[Tensor, "given"], bias: float
) -> Weights:
    """The weights with every row that makes this neuron replaced."""
    new = dict(weights)
    for module in place.reads:
        rows = slice(neuron, None, place.neurons)
        new[f"{module}.weight"] = changed = _matrix(net, new, module).clone()
        _upright(net, module, changed)[rows] = row.to(changed)
        if (name := f"{module}.bias") in _parameters(net):
            new[name] = new.get(name, _parameters(net)[name]).clone()
            new[name][rows] = bias
    return new


def with_column(net: Network, weights: Weights, place: Place, neuron: int, column: Float[Tensor, "written"]) -> Weights:
    """The weights with what this neuron writes replaced."""
    changed = _matrix(net, weights, place.writes).clone()
    _upright(net, place.writes, changed)[:, neuron] = column.to(changed)
    return {**weights, f"{place.writes}.weight": changed}


def columns(net: Network, place: Place) -> Float[Tensor, "neuron written"]:
    """What each neuron writes."""
    return _upright(net, place.writes, _matrix(net, {}, place.writes)).T


def biased(net: Network, place: Place) -> bool:
    """Whether what makes the neurons has a bias."""
    return f"{place.reads[0]}.bias" in _parameters(net)


def _of_block(net: Network, batch: Batch, site: Site) -> Place | None:
    """The neurons of a block, with the matrices of that block which are proved to make them."""
    port, block = net.port(site), net.port(Site("resid_post", site.layer)).module
    sizes = {name: found for name in net.wiring.modules if (found := _sizes(net, name))}
    if port.side != "in" or port.module not in sizes:
        return None
    count, width = sizes[port.module]
    fits = [
        name
        for name, (reads, makes) in sizes.items()
        if name.startswith(f"{block}.") and name != port.module and reads == width and makes in (count, 2 * count)
    ]
    proved = [name for name in fits if _makes(net, batch, Place(site, (name,), port.module, count), width)]
    return Place(site, tuple(proved), port.module, count) if proved else None


def _between(net: Network, batch: Batch) -> list[Place]:
    """The outputs of each linear layer that the next one reads, in a network without blocks."""
    linear = {name: found for name in net.wiring.modules if (found := _sizes(net, name))}
    return [
        place
        for one, after in pairwise(linear)
        if linear[one][1] == linear[after][0]
        and _makes(
            net,
            batch,
            place := Place(Site("path", path=one, side="out"), (one,), after, linear[one][1], "channel"),
            linear[one][0],
        )
    ]


def _makes(net: Network, batch: Batch, place: Place, width: int) -> bool:
    """Whether rows of zeros silence the neuron that is tried, and leave the others what they were."""
    weights = with_rows(net, {}, place, TRIED, torch.zeros(width), 0.0)
    was, now = (net.run(batch, read=[place.active], weights=some).read[place.active] for some in (None, weights))
    others = torch.arange(now.shape[-1], device=now.device) != TRIED
    return bool((now[..., TRIED] == 0).all()) and torch.equal(was[..., others], now[..., others])


def _sizes(net: Network, module: str) -> tuple[int, int] | None:
    """How many numbers a matrix reads and makes; None for a module that is none."""
    part = net.wiring.modules[module]
    if not (isinstance(part, nn.Linear) or type(part).__name__ == "Conv1D"):
        return None
    makes, reads = _upright(net, module, _matrix(net, {}, module)).shape
    return reads, makes


def _matrix(net: Network, weights: Weights, module: str) -> Tensor:
    """A module's matrix as it is stored."""
    name = f"{module}.weight"
    return weights.get(name, _parameters(net)[name])


def _upright(net: Network, module: str, matrix: Tensor) -> Float[Tensor, "makes reads"]:
    """A matrix as a Linear has it: GPT-2's Conv1D keeps its own transposed."""
    return matrix if isinstance(net.wiring.modules[module], nn.Linear) else matrix.T


def _parameters(net: Network) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in net.module.named_parameters(remove_duplicate=False)}
