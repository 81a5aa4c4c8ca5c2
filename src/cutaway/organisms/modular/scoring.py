"""How well groups of neurons that somebody found are the modules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cutaway.organisms.modular.organism import Modular, right_without


@dataclass(frozen=True)
class Partition:
    """How well groups are modules.

    `agreement` is the adjusted Rand index over the neurons that are ever active: 1 for the modules, 0 in the mean for
    random groups. `right[i]` are the shares of right answers by question when group i is zeroed: that of a module takes one
    question away, and no other.
    """

    agreement: float
    right: tuple[dict[str, float], ...]


def score(organism: Modular, groups: Sequence[Collection[str]]) -> Partition:
    """Compares groups of neurons (addresses) with the modules; a neuron in no group is a group of its own.

    Raises ValueError where there are no modules, or a neuron is unknown or in two groups.
    """
    from sklearn.metrics import adjusted_rand_score

    whose = {one: module.question for module in organism.modules for one in module.neurons}
    if not whose:
        raise ValueError(f"{organism.name} has no modules to compare with; give a trained organism")
    given = [one for group in groups for one in group]
    if strange := [one for one in given if one not in whose]:
        raise ValueError(
            f"{organism.name} has no neuron {strange[0]!r}; expected addresses such as {next(iter(whose))!r}"
        )
    if len(set(given)) < len(given):
        raise ValueError(
            f"{len(given) - len(set(given))} neurons were given in two groups; expected each in one at most"
        )
    found = {one: place for place, group in enumerate(groups) for one in group}
    idle = {one for module in organism.modules for one in module.idle}
    live = [one for one in whose if one not in idle]
    labels = [found.get(one, len(groups) + place) for place, one in enumerate(live)]
    agreement = float(adjusted_rand_score([whose[one] for one in live], labels))
    return Partition(agreement, tuple(right_without(organism, tuple(group)) for group in groups))
