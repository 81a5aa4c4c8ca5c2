"""A superposition organism: the network, and which hidden direction carries which feature, measured and verified."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from cutaway.decisions import Decision
from cutaway.network import Network, Site, wrap
from cutaway.organisms.scrambling import scrambled
from cutaway.organisms.superposition.network import FEATURES, Squeezed, drawn, trained
from cutaway.submodels import Directions, SubModel

SITE = "path.into:out"
"""Where the hidden dimensions are read and written."""
SAMPLE = 20_000
CARRIED, GONE = 0.5, 0.1
"""A feature is carried if this share of its variance comes out, and no more than that when its direction is taken away."""
DRAWN = 16
"""Inputs that are drawn for each that is asked."""
AGAIN = 10_007
"""How far apart the seeds of two shuffles lie."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Which direction carries which feature.

    `carried` are the features that come out; `directions[i]` [hidden] is the unit direction along which feature i is
    written (it means nothing for one that is not carried). `explained` is the share of each feature's variance that comes
    out, `without` the same when its own direction is projected out, and `harmed` what the carried feature loses that then
    loses most besides it: directions that share dimensions are not orthogonal, so taking one away touches others.
    """

    carried: tuple[int, ...]
    directions: Float[Tensor, "feature hidden"]
    explained: Float[Tensor, "feature"]
    without: Float[Tensor, "feature"]
    harmed: Float[Tensor, "feature"]


@dataclass(frozen=True, eq=False)
class Superposition:
    """A network that keeps more features than it has hidden dimensions, and its truth."""

    network: Squeezed
    truth: Truth
    seed: int
    name: str = "superposition"

    def __str__(self) -> str:
        return f"{self.name}, which carries {', '.join(map(str, self.truth.carried)) or 'no feature'}"

    @property
    def net(self) -> Network:
        """Opened: features in as a tensor [row, feature]; other inputs are its reference."""
        reference = drawn(256, torch.Generator().manual_seed(self.seed + 1))
        return wrap(self.network, reference=reference, name=self.name)

    def submodel(self, feature: int) -> SubModel:
        """The direction of one carried feature. Raises ValueError for a feature that is not carried."""
        if feature not in self.truth.carried:
            raise ValueError(f"feature {feature} is not carried by {self}; give one that is")
        kind = Directions(Site.parse(SITE), self.truth.directions[feature][None], label=f"feature {feature}")
        return SubModel(f"feature {feature}", (kind.name,), (kind,))

    def decision(self, feature: int, rows: int = 32, seed: int = 0) -> Decision:
        """Inputs where `feature` and, weaker, another carried one are on; in their partners it is off. Which comes out most?

        Only inputs that the network answers right, both ways; features that share dimensions get in each other's way.
        Raises ValueError where this feature, or every other, is not carried.
        """
        others = [one for one in self.truth.carried if one != feature]
        if feature not in self.truth.carried or not others:
            raise ValueError(f"feature {feature} and another one are not both carried by {self}; give one that is")
        draw = torch.Generator().manual_seed(seed)
        instead = torch.tensor(others)[torch.randint(len(others), (DRAWN * rows,), generator=draw)]
        partners = F.one_hot(instead, FEATURES) * (0.3 + 0.3 * torch.rand(len(instead), 1, generator=draw))
        prompts = partners.clone()
        prompts[:, feature] = 0.7 + 0.3 * torch.rand(len(instead), generator=draw)
        said = [self.network(x).argmax(1) for x in (prompts, partners)]
        right = ((said[0] == feature) & (said[1] == instead)).nonzero()[:rows, 0]
        return Decision(prompts[right], answer=feature, instead=instead[right], counterfactual=partners[right])


def train_superposition(seed: int = 0) -> Superposition:
    """A toy model of superposition from a seed, with its truth; about 3 CPU seconds.

    >>> len(train_superposition(0).truth.carried) > 5  # of 20 features, through 5 dimensions
    True
    """
    network = trained(seed)
    return Superposition(network, measured(network, seed), seed)


def untrained(seed: int = 0) -> Superposition:
    """The same network before training, every tensor shuffled: no feature is carried.

    Unshuffled, a random matrix followed by its own transpose carries features (compressed sensing); about one shuffle in ten
    carries one by luck, and the first that carries none is taken.
    """
    return _nothing(trained(seed, steps=0), seed, "untrained superposition")


def permuted(organism: Superposition, seed: int = 0) -> Superposition:
    """The organism's own weights in random places, the first shuffle in which no feature is carried."""
    return _nothing(organism.network, seed, f"permuted {organism.name}")


def _nothing(network: Squeezed, seed: int, name: str) -> Superposition:
    # By luck a feature comes out through shuffled matrices too, in about one shuffle of ten: the first that has none.
    shuffles = (scrambled(network, one) for one in count(seed, step=AGAIN))
    twin, truth = next((twin, truth) for twin in shuffles if not (truth := measured(twin, seed)).carried)
    return Superposition(twin, truth, seed, name)


@torch.no_grad()
def measured(network: Squeezed, seed: int) -> Truth:
    """The truth of a network, on fresh inputs: each direction is projected out alone, and the outputs looked at."""
    x = drawn(SAMPLE, torch.Generator().manual_seed(seed + 1))
    hidden = network.into(x)
    directions = F.normalize(network.into.weight.T, dim=1)

    def explained(hidden: Float[Tensor, "row hidden"]) -> Float[Tensor, "feature"]:
        return 1 - (x - network.out(hidden).relu()).square().mean(0) / x.var(0, correction=0)

    whole = explained(hidden)
    taken = torch.stack([explained(hidden - (hidden @ one)[:, None] * one) for one in directions])
    without = taken.diagonal()
    carried = (whole >= CARRIED) & (without <= GONE)
    loss = (whole - taken)[:, carried]
    loss[carried] = loss[carried].fill_diagonal_(0)
    harmed = loss.amax(1) if carried.any() else torch.zeros(FEATURES)
    return Truth(tuple(carried.nonzero()[:, 0].tolist()), directions, whole, without, harmed)
