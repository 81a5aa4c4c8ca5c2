"""Where a sparse layer is faster than the dense one, by measurement, and a network that is sparse there and only there.

The figures in `measured.json` were written by `python benchmarks/run.py dial_sparse`, on one thread; on another machine run
it again. What was not measured, or is smaller than what was, stays dense: so does everything on a device without figures.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from cutaway.dial.sparse.linear import SparseLinear
from cutaway.dial.sparse.on_support import OnSupport

TABLE = Path(__file__).with_name("measured.json")
MARGIN = 1.1
"""How many times faster a sparse layer must have been: less than a tenth is noise."""
SPARSE = (SparseLinear, OnSupport)
SLACK = 1.05
"""A share this much above a measured one counts as it: a support that is drawn, or keeps some weights of each row, misses."""


@dataclass(frozen=True)
class Measured:
    """How many times faster (`times`) the sparse layer was than the dense one, forward and backward.

    Of `rows` × `columns`, with `share` of its weights live, on `tokens` tokens, token-major in and out.
    """

    device: str
    rows: int
    columns: int
    tokens: int
    share: float
    times: float


@cache
def measured() -> tuple[Measured, ...]:
    """Every figure of the table."""
    return tuple(Measured(**line) for line in json.loads(TABLE.read_text(encoding="utf-8"))["measured"])


def wins(rows: int, columns: int, tokens: int, share: float, device: torch.device | str = "cpu") -> bool:
    """Whether a layer of these sizes, with `share` of its weights live, is faster sparse than dense, training included.

    Judged by the largest measured case that is no larger in any size and no sparser: products gain from size and from dead
    weights. False where there is none.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share} given; expected live weights over all weights, from 0 to 1")
    below = [
        case
        for case in measured()
        if case.device == torch.device(device).type
        and (case.rows <= rows and case.columns <= columns and case.tokens <= tokens and share <= SLACK * case.share)
    ]
    nearest = max(below, key=lambda case: (case.rows * case.columns, case.tokens, -case.share), default=None)
    return nearest is not None and nearest.times >= MARGIN


def sparsified(network: nn.Module, supports: Mapping[str, Bool[Tensor, "row column"]], tokens: int) -> nn.Module:
    """A copy of `network` with every weight outside its support 0, whose linear layers are sparse where that is faster.

    `supports` are masks by the name of a weight (`blocks.0.mlp.up.weight`), True where it is live; `tokens` is how many
    the network sees in a step. What the copy computes does not depend on which layers are sparse. Embeddings, weights that two
    modules share and layers that gain nothing stay dense: there the support is the caller's to keep in training.
    """
    made = copy.deepcopy(network)
    weights = dict(made.named_parameters(remove_duplicate=False))
    check_supports(weights, supports)
    for name, mask in supports.items():
        with torch.no_grad():
            weights[name].masked_fill_(~mask.to(weights[name].device), 0)
    shares = {name: float(mask.float().mean()) for name, mask in supports.items()}
    for owner in winners(made, shares, tokens):
        linear, mask = made.get_submodule(owner), supports[f"{owner}.weight" if owner else "weight"]
        assert isinstance(linear, nn.Linear)
        made = put(made, owner, SparseLinear.of(linear, mask))
    turn_insides(made)
    return made


def winners(network: nn.Module, shares: Mapping[str, float], tokens: int) -> list[str]:
    """The linear layers that are faster sparse, training included, where so large a share of each weight lives.

    `shares` are by the name of a weight, the answer by the name of its layer. A weight that two modules share stays dense.
    """
    weights = dict(network.named_parameters(remove_duplicate=False))
    users, found = Counter(id(weight) for weight in weights.values()), []
    for name, share in shares.items():
        owner, _, last = name.rpartition(".")
        module, weight = network.get_submodule(owner), weights[name]
        if type(module) is not nn.Linear or last != "weight" or users[id(weight)] > 1:
            continue
        if wins(weight.shape[0], weight.shape[1], tokens, share, weight.device):
            found.append(owner)
    return found


def turn_insides(network: nn.Module) -> None:
    """Sets, in the network given, the sparse layers whose output stays feature-major: those that widen into a sparse layer.

    That is the next linear layer of the same module, where it reads as many channels. A guess from order and sizes: where
    what lies between is not elementwise the output is the same, later.
    """
    for module in network.modules():
        layers = [child for child in module.children() if isinstance(child, (nn.Linear, *SPARSE))]
        for first, second in pairwise(layers):
            if isinstance(first, SPARSE) and isinstance(second, SPARSE):
                first.feature_major = first.in_features < first.out_features == second.in_features


def densified(network: nn.Module) -> nn.Module:
    """A copy of `network` with every sparse layer as an `nn.Linear` that computes the same."""
    made = copy.deepcopy(network)
    for name, module in list(made.named_modules()):
        if isinstance(module, SparseLinear):
            made = put(made, name, module.dense())
    return made


def put(network: nn.Module, name: str, module: nn.Module) -> nn.Module:
    """The network with `module` at `name`, which is changed in place; the module alone where it is the whole network."""
    if not name:
        return module
    network.set_submodule(name, module)
    return network


def check_supports(weights: Mapping[str, Tensor], supports: Mapping[str, Tensor]) -> None:
    """Refuse a support of no weight, or of another shape or type."""
    for name, mask in supports.items():
        if name not in weights:
            raise ValueError(
                f"a support for {name!r} given; the network has no such weight; its weights are named like "
                f"{next(iter(weights), 'nothing')!r}"
            )
        if mask.dtype != torch.bool or mask.shape != weights[name].shape:
            raise ValueError(
                f"a support of {mask.dtype} {list(mask.shape)} given for {name!r}; expected torch.bool "
                f"{list(weights[name].shape)}"
            )
