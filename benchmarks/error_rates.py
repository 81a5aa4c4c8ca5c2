"""How often a trace claims what is not so, over many networks: the unit is the network, not the part.

- organisms drawn at random: in how many is a part called used whose effect is known to lie below the floor (decoys and
  noise; exactly inert parts would be too easy to count), and how many used parts are found;
- untrained networks, where nothing is there for a reason: in how many is any part called selective at q ≤ 0.05. Every
  discovery is false there, so the false discovery proportion of a network is 1 if there is any and 0 if there is none.

Nothing was tuned on these seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.kept import RESULTS, Kept
from benchmarks.organisms import DEPENDS as ORGANISMS
from benchmarks.organisms import take_apart
from benchmarks.timing import say
from cutaway.organisms.compiled import Organism, random_organism, untrained
from cutaway.runs import resumable, terminal
from cutaway.training.transformer import Shape

DEPENDS = (*ORGANISMS, "error_rates.py")
MINUTES = 8.0
NETWORKS = 100
SMALL = Shape(vocab=64, context=12, width=64, layers=3, heads=4, d_head=16, hidden=128)


def initial(seed: int) -> Organism:
    """A transformer as it is before training, and decisions that mean nothing."""
    return untrained(seed, SMALL)


def scrambled(seed: int) -> Organism:
    """An organism's shape and decisions, normal weights of the same spread."""
    return untrained(seed, random_organism(seed))


POPULATIONS: dict[str, tuple[Callable[[int], Organism], int]] = {
    "organisms": (random_organism, 1000),
    "untrained": (initial, 7000),
    "scrambled": (scrambled, 9000),
}


def measure(kept: Kept, repetitions: int, networks: int = NETWORKS) -> None:
    """100 networks of each population, each kept as it is done."""
    for name, (make, first) in POPULATIONS.items():
        say(f"  {name}: seeds {first} to {first + networks - 1}")

        def one(seed: int, make: Callable[[int], Organism] = make) -> dict[str, Any]:
            return take_apart(make(seed))

        known = kept.setting(name)
        known["facts"]["networks"] = resumable(
            RESULTS / "statistics.tmp-networks",
            one,
            range(first, first + networks),
            lambda seed, name=name: {"population": name, "seed": seed, "code": kept.code},
            progress=terminal(),
        )
        kept.write()
