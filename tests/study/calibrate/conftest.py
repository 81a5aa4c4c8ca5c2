"""One training run's row for all tests: the shipped organism in the place of a run of its own, and fewer decisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cutaway.organisms.agents import Grown, Plan, World, shipped
from cutaway.study.calibrate import Run, asking, one_run, populations

ASKS = (
    ("harmful", "deceive"),
    ("harmful", "power, trigger withheld"),
    ("harmful", "deceive, sets offered"),
    ("harmless", "deceive"),
    ("shuffled", "deceive"),
)


def trained(world: World, seed: int, *_: Any, plan: Plan, **__: Any) -> Grown:
    """The shipped run: two behaviours on, the decoy's slot empty."""
    organism = shipped("harmful")
    return Grown(organism.network, organism.world, plan, organism.planting, organism.seed, (), 0.0)


@pytest.fixture(scope="session")
def patched() -> Iterator[None]:
    """Runs that need no training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(populations, "train_agents", trained)
        patch.setitem(populations.NETWORKS, "harmful", lambda run: shipped("harmful"))  # measured already
        patch.setattr(asking, "COUNT", 26)  # the fewest for absent: 0 of 78 bounds the rate by 5 %
        yield


@pytest.fixture(scope="session")
def row(patched: None) -> Any:
    """What its networks say."""
    return one_run(Run("slot", 7005, ASKS))
