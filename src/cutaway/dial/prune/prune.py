"""The circuit of a task: nodes by learned masks, then by elimination, then edges by elimination, under random complements.

The same pruner serves dense and sparse networks. A search can fail or end in a large circuit where another finds a small one, so
it is repeated from other seeds and the smallest is kept; every search is listed. "No circuit" is an answer.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf, isfinite

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import softplus

from cutaway.dial.prune import edges as edge
from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.eliminate import eliminated, one_by_one, shortest
from cutaway.dial.prune.learn import Learning, learned, of_edges, of_nodes
from cutaway.dial.prune.masked import Nodes, nodes_of, own_margins
from cutaway.dial.prune.show import sizes, told
from cutaway.dial.tasks import Examined, Examples
from cutaway.dial.transformer import SparseTransformer


@dataclass(frozen=True)
class Settings:
    """How to prune: to a loss of `target` nats, with `searches` searches from seeds that follow `seed`.

    Masks are learned on `training` examples and every set is judged on `selection` others. Of the room between the network's
    own loss and the target the share `margin` is left free, as a set that was chosen to just meet a target on some examples
    misses it on others half of the time; of the rest nodes leave `slack` for edges. A circuit of at most `exact` edges is tried
    edge by edge at the end, and is then minimal.
    """

    target: float = 0.15
    searches: int = 2
    training: int = 512
    selection: int = 256
    complements: int = 3
    exact: int = 40
    slack: float = 0.5
    margin: float = 0.2
    seed: int = 0
    learning: Learning = field(default_factory=Learning)

    def __post_init__(self) -> None:
        if not 0 < self.target < 0.693:
            raise ValueError(
                f"Settings.target is {self.target}; expected nats above 0 and below chance (.693); try 0.15"
            )
        for name in ("searches", "training", "selection", "complements"):
            if getattr(self, name) < 1:
                raise ValueError(f"Settings.{name} is {getattr(self, name)}; expected a positive integer")

    def judged(self, own: float) -> float:
        """The loss in nats that sets of a network with this loss of its own have to reach: the target less the margin."""
        return self.target - self.margin * max(0.0, self.target - own)


@dataclass(frozen=True, eq=False)
class TaskCircuit:
    """Nodes and edges that solve a task by themselves, and with the rest masked at random."""

    task: str
    nodes: Nodes
    kept: Bool[Tensor, "node"]
    edges: Mapping[str, Tensor]
    minimal: bool

    @property
    def size(self) -> tuple[int, int]:
        """Edges, then nodes."""
        return edge.count(self.edges), int(self.kept.sum())

    def without(self, matrix: str, row: int, column: int) -> TaskCircuit:
        """The circuit less one of its edges."""
        there = self.edges[matrix].clone()
        there[row, column] = False
        return replace(self, edges={**self.edges, matrix: there}, minimal=False)

    def __str__(self) -> str:
        return f"{self.task}: {sizes(*self.size, self.minimal)}"


@dataclass(frozen=True, eq=False)
class Search:
    """One search: what it found, None if no set met the criterion, and the CPU seconds it took."""

    seed: int
    circuit: TaskCircuit | None
    cpu_seconds: float


@dataclass(frozen=True, eq=False)
class Pruned:
    """Every search for the circuit of a task, and the network's own loss in nats on the selection examples."""

    task: str
    own: float
    searches: tuple[Search, ...]

    @property
    def circuit(self) -> TaskCircuit | None:
        """The smallest one found; None if no search found any."""
        found = [search.circuit for search in self.searches if search.circuit is not None]
        return min(found, key=lambda circuit: circuit.size, default=None)

    def __str__(self) -> str:
        return told(self)


class NotSolved(ValueError):
    """The network does not solve the task that its circuit was asked for."""


def prune(
    network: SparseTransformer,
    task: Examined,
    windows: Int[Tensor, "window position"],
    settings: Settings = Settings(),
) -> Pruned:
    """The smallest circuit of `task` found in `network`; `windows` of a corpus say what a node is at on average.

    Raises NotSolved where the network itself does not reach the target.
    """
    asked = _Asked.of(network, task, settings)
    if not asked.own <= settings.target:
        raise NotSolved(
            f"not solved: {task.name} has loss {asked.own:.3f} against target {settings.target:g}; nothing to prune; "
            "train longer, or give a target above that loss"
        )
    return _searched(network, asked, nodes_of(network, windows), settings)


def search_all(network: SparseTransformer, task: Examined, nodes: Nodes, settings: Settings) -> Pruned:
    """Every search, whether or not the network solves the task: so that what it finds where nothing is can be counted."""
    asked = _Asked.of(network, task, settings)
    if not isfinite(asked.own):
        raise ValueError(
            f"the network's loss on {task.name} is {asked.own}; expected a number; its weights are damaged"
        )
    return _searched(network, asked, nodes, settings)


@dataclass(frozen=True, eq=False)
class _Asked:
    """A task's examples to learn from and to select by, and the network's own loss on the latter."""

    name: str
    training: Examples
    selection: Examples
    own: float

    @classmethod
    def of(cls, network: SparseTransformer, task: Examined, settings: Settings) -> _Asked:
        training = task.examples(settings.training, "train", settings.seed)
        selection = task.examples(settings.selection, "selection", settings.seed)
        return cls(task.name, training, selection, own_loss(network, selection))


def _searched(network: SparseTransformer, asked: _Asked, nodes: Nodes, settings: Settings) -> Pruned:
    network, found = frozen(network), []
    for seed in range(settings.seed, settings.seed + settings.searches):
        started = time.process_time()
        criterion = Criterion(network, nodes, asked.selection, settings.judged(asked.own), settings.complements, seed)
        circuit = search(asked.name, criterion, asked.own, asked.training, replace(settings, seed=seed))
        found.append(Search(seed, circuit, time.process_time() - started))
    return Pruned(asked.name, asked.own, tuple(found))


def search(name: str, criterion: Criterion, own: float, training: Examples, settings: Settings) -> TaskCircuit | None:
    """One search from one seed."""
    network, nodes = criterion.network, criterion.nodes
    tight = replace(criterion, target=criterion.target - settings.slack * max(0.0, criterion.target - own))
    learning = settings.learning
    slope = of_nodes(criterion, training, learning)
    height = learned(len(nodes), slope, tight.nodes_over, tight.target, learning)
    kept = shortest(height.argsort(descending=True, stable=True), tight.nodes_over, int((height > 0).sum()))
    if kept is None:
        return None
    kept = eliminated(kept, criterion.cost_of_nodes, tight.nodes_over)
    flat = edge.Flat(edge.between(network, nodes, kept))
    over = partial(_over, criterion, kept, flat)
    slope = of_edges(criterion, kept, flat, training, learning)
    height = learned(len(flat.all), slope, over, criterion.target, learning)
    there = shortest(height.argsort(descending=True, stable=True), over, int((height > 0).sum()))
    there = eliminated(
        flat.all if there is None else there,
        lambda left: flat.row(criterion.cost_of_edges(kept, flat.edges(left))),
        over,
    )
    minimal, every = (
        int(there.sum()) <= settings.exact,
        replace(criterion, far=inf),
    )  # all examples, whatever the few say
    while True:  # without a node that no edge touches the rest is another one: what could not go is tried again
        if minimal:
            there = one_by_one(there, partial(_over, every, kept, flat), there.nonzero()[:, 0].tolist())
        edges = flat.edges(there)
        smaller = kept & edge.touched(network, nodes, edges)
        if torch.equal(smaller, kept) or criterion.edges_over(smaller, edges) > 0:
            return TaskCircuit(name, nodes, kept, edges, minimal)
        kept = smaller


def _over(criterion: Criterion, kept: Tensor, flat: edge.Flat, there: Tensor) -> float:
    return criterion.edges_over(kept, flat.edges(there))


@torch.no_grad()
def own_loss(network: SparseTransformer, examples: Examples) -> float:
    """The network's own loss on a task, in nats."""
    return float(softplus(-own_margins(network, examples)).mean())


def frozen(network: SparseTransformer) -> SparseTransformer:
    """A copy whose weights take no gradient."""
    return copy.deepcopy(network).eval().requires_grad_(False)
