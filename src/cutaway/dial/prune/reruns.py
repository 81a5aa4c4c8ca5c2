"""What a claim about a circuit says is done to it, done: the loss of its task then, on fresh examples or on those it was tried on.

`cut all but` the circuit's edges: everything else stands at its mean, or is live at random. `without` its nodes: they alone
stand at their mean. `cut` one edge: the circuit less this one, on the examples on which the search tried it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Bool
from torch import Tensor

from cutaway.decisions.circuit.checks import NEEDED
from cutaway.decisions.claims import Claim, ClaimError
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.dial.prune.criterion import Criterion
from cutaway.dial.prune.masked import losses
from cutaway.dial.prune.prune import own_loss
from cutaway.dial.prune.saved import Saved, edges_named
from cutaway.dial.tasks import CHANCE, Examined, Examples
from cutaway.dial.transformer import SparseTransformer

COUNT = 512
"""Fresh examples."""
COMPLEMENTS = 32
"""Random complements that no search has seen, each on its own share of the fresh examples."""
ALONE, BESIDE = "mean", "mean or live, at random"
"""What stands in for what is cut."""
Edges = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Reruns:
    """A circuit in `network`, with fresh examples of its task from `seed` and those on which it was tried."""

    network: SparseTransformer
    saved: Saved
    task: Examined
    seed: int = 0
    count: int = COUNT

    @cached_property
    def fresh(self) -> Criterion:
        """The circuit's target on examples, and with complements, that chose nothing."""
        examples = self.task.examples(self.count, "test", self.seed)
        return self._criterion(examples, self.saved.settings.target, COMPLEMENTS, self.seed)

    @cached_property
    def tried(self) -> Criterion:
        """What the search judged its edges by."""
        settings = self.saved.settings
        examples = self.task.examples(settings.selection, "selection", settings.seed)
        judged = settings.judged(own_loss(self.network, examples))
        return self._criterion(examples, judged, settings.complements, self.saved.search)

    @cached_property
    def own(self) -> float:
        """The network's own loss on the fresh examples."""
        return own_loss(self.network, self.fresh.examples)

    @property
    def needed(self) -> float:
        """A loss that says that what is gone was needed: nine tenths of what the network is better than chance by."""
        return self.own + NEEDED * max(0.0, CHANCE - self.own)

    def _criterion(self, examples: Examples, target: float, draws: int, seed: int) -> Criterion:
        nodes = self.saved.circuit.nodes
        return Criterion(self.network, nodes, examples, target, min(draws, len(examples) // 2), seed)

    @torch.no_grad()
    def measured(self, claim: Claim) -> Claim:
        """The claim with the loss, in nats, that is measured here. Raises ClaimError for what cannot be done."""
        found = self._loss(claim)
        inputs, seed = examples_hash(self._on(claim).examples), self._on(claim).seed
        return replace(claim, mean=found.mean, low=found.low, high=found.high, n=found.n, inputs=inputs, seed=seed)

    def _on(self, claim: Claim) -> Criterion:
        return self.tried if claim.intervention == "cut" else self.fresh

    def _loss(self, claim: Claim) -> Estimate:
        circuit, criterion = self.saved.circuit, self._on(claim)
        if claim.baseline not in (ALONE, BESIDE):
            raise ClaimError(
                f"a claim has the stand-in {claim.baseline!r}; expected {ALONE!r} or {BESIDE!r} for a circuit"
            )
        if claim.intervention == "without":
            return without(criterion, self._nodes(claim.names))
        edges = edges_named(circuit.nodes, claim.names)
        if claim.intervention == "cut":
            edges = {name: there & ~edges[name] for name, there in circuit.edges.items()}
        return (alone if claim.baseline == ALONE else beside)(criterion, circuit.kept, edges)

    def _nodes(self, names: tuple[str, ...]) -> Bool[Tensor, "node"]:
        addresses = self.saved.circuit.nodes.addresses
        if lost := sorted(set(names) - set(addresses)):
            raise ClaimError(
                f"there is no node {lost[0]!r} in this network; open the one that the circuit was found in"
            )
        return torch.tensor([address in set(names) for address in addresses])


def alone(criterion: Criterion, kept: Bool[Tensor, "node"], edges: Edges) -> Estimate:
    """The loss with everything else at its mean; a pair of examples counts once."""
    return by_pairs(criterion.cut(kept, edges, 0, criterion.examples))


def beside(criterion: Criterion, kept: Bool[Tensor, "node"], edges: Edges) -> Estimate:
    """The loss with everything else live at random; a complement, with its share of the examples, counts once."""
    found = [criterion.cut(kept, edges, draw, share).mean() for draw, share in enumerate(criterion.shares, 1)]
    return estimate(torch.stack(found)[None])


def without(criterion: Criterion, gone: Bool[Tensor, "node"]) -> Estimate:
    """The loss of the whole network with these nodes alone at their mean."""
    return by_pairs(losses(criterion.network, criterion.nodes, criterion.examples, (~gone).float()[None])[0])


def by_pairs(loss: Tensor) -> Estimate:
    """The mean over examples, where the two of a pair are not independent."""
    return estimate(loss.unflatten(0, (-1, 2)).mean(1)[None])


def examples_hash(examples: Examples) -> str:
    """A short hash of prompts and answers, the same for the same ones."""
    return hashlib.sha256(repr((examples.rows(), examples.answer.tolist())).encode()).hexdigest()[:16]
