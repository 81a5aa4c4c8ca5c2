"""A modular organism: the network, and which neurons belong to which module, verified by zeroing each module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.decisions import Decision
from cutaway.network import Network, wrap
from cutaway.organisms.modular.network import (
    NUMBERS,
    QUESTIONS,
    WIDE,
    Mlp,
    answers,
    disguised,
    encoded,
    every,
    joined,
    learned,
)
from cutaway.organisms.modular.network import untrained as first_weights
from cutaway.organisms.scrambling import scrambled
from cutaway.submodels import Baseline, SubModel, as_submodel, take_away

LAYERS = ("first", "second")
ZERO = Baseline("zero", ({},))
LEFT, SPARED = 0.5, 0.99
"""Without its module a question has at most this share of right answers, and every other question at least that one."""


@dataclass(frozen=True)
class Module:
    """The neurons that answer one question, as addresses. Zeroed, `own` of its answers are right, of the others' `others`.

    `idle` are neurons of the module that are never active, and so do nothing at all. Not every live neuron is needed: a
    module is what was trained for the question, not the fewest neurons without which it fails.
    """

    question: str
    neurons: tuple[str, ...]
    idle: tuple[str, ...]
    own: float
    others: float

    @property
    def verified(self) -> bool:
        """Whether its question, and no other, goes when it is zeroed."""
        return self.own <= LEFT and self.others >= SPARED


@dataclass(frozen=True, eq=False)
class Modular:
    """A network of modules, and which neuron is whose; without modules it is one in which there are none."""

    network: Mlp
    modules: tuple[Module, ...]
    seed: int
    name: str = "modular"

    @property
    def net(self) -> Network:
        """Opened: questions in as a tensor [row, given], see `encoded`; all questions are its reference."""
        return wrap(self.network, reference=encoded(every()), name=self.name)

    def module(self, question: str) -> Module:
        """The module of one question. Raises KeyError where there is none."""
        for one in self.modules:
            if one.question == question:
                return one
        known = ", ".join(one.question for one in self.modules) or "no module"
        raise KeyError(f"{self.name} has no module for {question!r}; it has {known}")

    def submodel(self, question: str) -> SubModel:
        """The module of one question as a sub-model that can be taken away. Raises KeyError where there is none."""
        return SubModel(question, self.module(question).neurons)

    def decision(self, question: str, seed: int = 0) -> Decision:
        """Every pair of numbers asked one question, each with a partner of another right answer. Raises KeyError."""
        if question not in QUESTIONS:
            raise KeyError(f"there is no question {question!r}; expected one of {', '.join(QUESTIONS)}")
        asked = [one for one in every() if one[2] == question]
        right, draw = answers(asked), torch.Generator().manual_seed(seed)
        partners = [_pick((right != answer).nonzero()[:, 0], draw) for answer in right]
        return Decision(
            encoded(asked),
            answer=right,
            instead=right[partners],
            counterfactual=encoded([asked[one] for one in partners]),
        )


def train_modular(seed: int = 0) -> Modular:
    """A network of modules from a seed, about 2 CPU seconds.

    >>> [module.verified for module in train_modular(0).modules]
    [True, True, True]
    """
    draw = torch.Generator().manual_seed(seed)
    modules = [learned(question, len(QUESTIONS) * seed + place) for place, question in enumerate(QUESTIONS)]
    network, orders = disguised(joined(modules, draw), draw)
    blank = Modular(network, (), seed)
    silent = _silent(network)
    return Modular(network, tuple(_module(blank, place, orders, silent) for place in range(len(modules))), seed)


def untrained(seed: int = 0) -> Modular:
    """The same shape with first weights: there are no modules."""
    return Modular(first_weights(WIDE * len(QUESTIONS), seed), (), seed, "untrained modular")


def permuted(organism: Modular, seed: int = 0) -> Modular:
    """The organism's own weights in random places: there are no modules."""
    return Modular(scrambled(organism.network, seed), (), seed, f"permuted {organism.name}")


def right_without(organism: Modular, neurons: Sequence[str] = ()) -> dict[str, float]:
    """The share of right answers to each question when these neurons (addresses) are zeroed."""
    net, asked = organism.net, every()
    logits: Float[Tensor, "row answer"] = net.run(
        encoded(asked), edits=take_away(net, as_submodel(neurons), ZERO)
    ).output
    right = (logits.argmax(-1) == answers(asked)).float().view(len(QUESTIONS), NUMBERS**2).mean(1)
    return dict(zip(QUESTIONS, right.tolist()))


def _module(blank: Modular, place: int, orders: Sequence[Tensor], silent: Mapping[str, bool]) -> Module:
    """The module that was joined as number `place`, found again in the disguised network."""
    neurons = tuple(
        address(layer, neuron)
        for layer, order in zip(LAYERS, orders)
        for neuron in (order // WIDE == place).nonzero()[:, 0].tolist()
    )
    left = right_without(blank, neurons)
    question = list(QUESTIONS)[place]
    others = min(share for one, share in left.items() if one != question)
    return Module(question, neurons, tuple(one for one in neurons if silent[one]), left[question], others)


@torch.no_grad()
def _silent(network: Mlp) -> dict[str, bool]:
    """Of every neuron, whether no question makes it active."""
    first = network.first(encoded(every())).relu()
    active = {"first": first, "second": network.second(first).relu()}
    return {
        address(layer, neuron): peak == 0
        for layer in LAYERS
        for neuron, peak in enumerate(active[layer].amax(0).tolist())
    }


def address(layer: str, neuron: int) -> str:
    """The site address of a neuron of one hidden layer: its output before the ReLU.

    >>> address("first", 3)
    'path.first:out[channel=3]'
    """
    return f"path.{layer}:out[channel={neuron}]"


def _pick(among: Tensor, draw: torch.Generator) -> int:
    return int(among[torch.randint(len(among), (1,), generator=draw)])
