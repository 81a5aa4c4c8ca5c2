"""Networks into whose sparse weights a program is planted: the circuit is known to the last weight, and what is beside it too.

A pruner that finds another circuit than this one is wrong, as every edge of it is needed (`check`) and nothing else is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from cutaway.dial.planted import adding, looking, relaying
from cutaway.dial.planted.idle import surround
from cutaway.dial.planted.parts import CONTEXT
from cutaway.dial.planted.source import Prompts, Source
from cutaway.dial.planted.wiring import Wiring
from cutaway.dial.prune.edges import MATRICES
from cutaway.dial.tasks import Task
from cutaway.dial.transformer import SITES, SparseShape, SparseTransformer

_PROGRAMS: dict[str, Callable[[Wiring], Source]] = {
    "marked": looking.marked,
    "marked-neuron": looking.marked_neuron,
    "marked-votes": looking.marked_votes,
    "at-place": looking.at_place,
    "last-mark": looking.last_mark,
    "first-mark": looking.first_mark,
    "strongest": looking.strongest,
    "asked-mark": looking.asked_mark,
    "different-kinds": looking.different_kinds,
    "majority": adding.majority,
    "two-or-more": adding.two_or_more,
    "worth-three": adding.worth_three,
    "exactly-one": adding.exactly_one,
    "depth": adding.depth,
    "both": adding.both,
    "either": adding.either,
    "one-without-other": adding.one_without_other,
    "one-of-two": adding.one_of_two,
    "all-three": adding.all_three,
    "one-and-either": adding.one_and_either,
    "both-or-third": adding.both_or_third,
    "own-and-cue": adding.own_and_cue,
    "negated": adding.negated,
    "one-back": relaying.one_back,
    "before-mark": relaying.before_mark,
    "after-mark": relaying.after_mark,
    "induction": relaying.induction,
    "flagged": relaying.flagged,
}
SIZES = ((48, 8), (48, 12), (64, 8), (64, 16))
"""Widths, and channels of a head."""
VOCAB, HIDDEN = 32, 64


def programs() -> tuple[str, ...]:
    """The names that `Planted` takes."""
    return tuple(_PROGRAMS)


@dataclass(frozen=True)
class Planted:
    """A program in the weights of a network, in places and at scales drawn from `seed`.

    >>> from cutaway.dial.planted import Planted
    >>> planted = Planted("marked", seed=0)
    >>> planted.size
    (3, 5)
    """

    program: str
    seed: int

    def __post_init__(self) -> None:
        if self.program not in _PROGRAMS:
            raise ValueError(f"there is no program {self.program!r} to plant; expected one of {', '.join(_PROGRAMS)}")

    @cached_property
    def _written(self) -> tuple[Wiring, Prompts, dict[str, Tensor]]:
        rng = Random(f"{self.program}/{self.seed}")
        width, d_head = rng.choice(SIZES)
        w = Wiring(SparseShape(VOCAB, CONTEXT, width, d_head=d_head, hidden=HIDDEN, bigram=False), rng)
        source = _PROGRAMS[self.program](w)
        edges = {name: w.network.get_parameter(f"{name}.weight").ne(0) for name in _names(w.network)}
        surround(w)
        return w, Prompts(source, w.fillers, w.newline, w.answers), edges

    @property
    def network(self) -> SparseTransformer:
        """The network, in evaluation mode; its weights take no gradient."""
        return self._written[0].network

    @property
    def edges(self) -> Mapping[str, Bool[Tensor, "row column"]]:
        """The circuit's edges: for each matrix (`blocks.0.mlp.up`) which of its weights belong to it."""
        return self._written[2]

    @cached_property
    def nodes(self) -> Bool[Tensor, "node"]:
        """The circuit's nodes: the ends of its edges, in the order of `cutaway.dial.prune.masked.Nodes`."""
        ends: dict[str, Tensor] = {}
        for layer in range(self.network.shape.layers):
            for name, sites in MATRICES.items():
                edges = self.edges[f"blocks.{layer}.{name}"]
                for site, there in zip(sites, (edges.any(1), edges.any(0))):
                    ends[f"{site}.{layer}"] = ends.get(f"{site}.{layer}", False) | there
        return torch.cat([ends[f"{site}.{layer}"] for layer in range(self.network.shape.layers) for site in SITES])

    @property
    def size(self) -> tuple[int, int]:
        """Edges, then nodes."""
        return sum(int(there.sum()) for there in self.edges.values()), int(self.nodes.sum())

    @cached_property
    def task(self) -> Task:
        """The decision that the program makes."""
        return self._written[1].task(f"{self.program}/{self.seed}")

    def windows(self, count: int, seed: int) -> Int[Tensor, "window position"]:
        """Windows of the corpus, which is made of prompts: for means."""
        rng = Random(f"windows {self.program}/{self.seed} {seed}")
        return torch.tensor([rng.choice(self.task.sample(rng).prompts) for _ in range(count)])


def _names(network: SparseTransformer) -> list[str]:
    return [f"blocks.{layer}.{name}" for layer in range(network.shape.layers) for name in MATRICES]
