"""Where a neuron can be planted in any network: the matrices that make it, the matrix that reads it; proved by a run.

The neurons of a block are the input of its MLP's last matrix, so that one row (of a gated MLP two, of one matrix or of two)
makes a neuron and one column says what it writes. Which matrices those are is not known by name: rows are zeroed for a pass,
and they are a neuron's if that neuron alone falls silent. A network without blocks has neurons between one linear layer and
the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    found = [_of_block(net, batch, site) for site in net.sites("mlp_act.*")] or _between(net, batch)
    known = [one for one in found if one is not None]
    if not known:
        raise PlantError(
            f"{net.name} has no MLP whose neurons are rows of one matrix and columns of the next; a plant needs one: "
            "try a decoder, an encoder or an MLP that is not made of experts or convolutions"
        )
    return known


FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def silent(net: Network, batch: Batch, place: Place, weights: Mapping[str, Tensor]) -> bool:
    """Whether with these weights the neuron that is tried is always 0, and the others are what they were."""
    was, now = (net.run(batch, read=[place.active], weights=some).read[place.active] for some in (None, weights))
    others = torch.arange(now.shape[-1], device=now.device) != TRIED
    return bool((now[..., TRIED] == 0).all()) and torch.equal(was[..., others], now[..., others])


def rows_of(net: Network, place: Place, module: str, neuron: int) -> list[int]:
    """The rows of a matrix that make a neuron."""
    return list(range(neuron, _sizes(net.wiring.modules[module])[1], place.neurons))


def with_rows(
    net: Network, weights: Weights, place: Place, neuron: int, row: Float[Tensor, "given"], bias: float
) -> Weights:
    """The weights with every row that makes this neuron replaced."""
    new = dict(weights)
    for module in place.reads:
        rows, (name, matrix) = rows_of(net, place, module, neuron), _matrix(net, new, module)
        if isinstance(net.wiring.modules[module], nn.Linear):
            matrix[rows] = row.to(matrix)
        else:  # GPT-2's Conv1D keeps its matrix transposed
            matrix[:, rows] = row.to(matrix)[:, None]
        new[name] = matrix
        if net.wiring.modules[module].bias is not None:
            name = f"{module}.bias"
            new[name] = new.get(name, net.wiring.modules[module].bias.detach()).clone()
            new[name][rows] = bias
    return new


def with_column(net: Network, weights: Weights, place: Place, neuron: int, column: Float[Tensor, "written"]) -> Weights:
    """The weights with what this neuron writes replaced."""
    name, matrix = _matrix(net, weights, place.writes)
    if isinstance(net.wiring.modules[place.writes], nn.Linear):
        matrix[:, neuron] = column.to(matrix)
    else:
        matrix[neuron] = column.to(matrix)
    return {**weights, name: matrix}


def columns(net: Network, place: Place) -> Float[Tensor, "neuron written"]:
    """What each neuron writes."""
    matrix = net.wiring.modules[place.writes].weight.detach()
    return matrix.T if isinstance(net.wiring.modules[place.writes], nn.Linear) else matrix


def biased(net: Network, place: Place) -> bool:
    """Whether what makes the neurons has a bias."""
    return net.wiring.modules[place.reads[0]].bias is not None


def _of_block(net: Network, batch: Batch, site: Site) -> Place | None:
    """The neurons of a block, with the matrices of that block which are proved to make them."""
    port, block = net.port(site), net.port(Site("resid_post", site.layer)).module
    if port.side != "in" or (sizes := _sizes(net.wiring.modules[port.module])) is None:
        return None
    inside = [name for name, part in net.wiring.modules.items() if name.startswith(f"{block}.") and _sizes(part)]
    fits = [name for name in inside if name != port.module and _sizes(net.wiring.modules[name])[1] in _times(sizes[0])]
    width = _sizes(net.wiring.modules[port.module])[1]
    proved = []
    for name in fits:
        one = Place(site, (name,), port.module, sizes[0])
        nothing = torch.zeros(_sizes(net.wiring.modules[name])[0])
        if len(nothing) == width and silent(net, batch, one, with_rows(net, {}, one, TRIED, nothing, 0.0)):
            proved.append(name)
    return Place(site, tuple(proved), port.module, sizes[0]) if proved else None


def _between(net: Network, batch: Batch) -> list[Place | None]:
    """The outputs of each linear layer that the next one reads, in a network without blocks."""
    linear = [name for name, part in net.wiring.modules.items() if isinstance(part, nn.Linear)]
    found: list[Place | None] = []
    for one, after in zip(linear, linear[1:]):
        count = net.wiring.modules[one].out_features
        place = Place(Site("path", path=one, side="out"), (one,), after, count, "channel")
        nothing = torch.zeros(net.wiring.modules[one].in_features)
        if net.wiring.modules[after].in_features == count and silent(
            net, batch, place, with_rows(net, {}, place, TRIED, nothing, 0.0)
        ):
            found.append(place)
    return found


def _times(count: int) -> tuple[int, int]:
    """A matrix may hold the gate and what it gates."""
    return count, 2 * count


def _sizes(part: nn.Module) -> tuple[int, int] | None:
    """How many numbers a matrix reads and writes; None for what is none."""
    if isinstance(part, nn.Linear):
        return part.in_features, part.out_features
    if type(part).__name__ == "Conv1D" and isinstance(weight := part.weight, Tensor) and weight.ndim == 2:
        return weight.shape[0], weight.shape[1]
    return None


def _matrix(net: Network, weights: Weights, module: str) -> tuple[str, Tensor]:
    """The name of a module's matrix, and a copy of it."""
    name = f"{module}.weight"
    return name, weights.get(name, net.wiring.modules[module].weight.detach()).clone()
