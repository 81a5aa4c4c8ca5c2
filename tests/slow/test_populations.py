"""What a trace promises, over populations of networks: the unit is the network. Other seeds than the benchmarks'."""

from __future__ import annotations

import pytest

import cutaway as cw
from cutaway.organisms import open_compiled
from cutaway.organisms.compiled import Organism, random_organism, untrained

pytestmark = pytest.mark.slow
NETWORKS = 40


def traced(organism: Organism, **settings: int) -> cw.Trace:
    decision = cw.Decision([list(row) for row in organism.prompts], list(organism.answers), list(organism.instead))
    return cw.trace(open_compiled(organism), decision, neurons=0, **settings)


def test_on_random_organisms_the_used_parts_are_found_and_no_other() -> None:
    wrong = []
    for seed in range(7000, 7000 + NETWORKS):
        organism = random_organism(seed)
        named = set(traced(organism, nulls=0).used)
        if named - organism.used or organism.used - named:
            wrong.append((seed, organism.name, named ^ organism.used))
    assert len(wrong) <= 1, wrong


def test_untrained_networks_have_selective_parts_at_most_at_the_promised_rate() -> None:
    networks = (untrained(seed, random_organism(seed)) for seed in range(7500, 7500 + NETWORKS))
    found = [organism.seed for organism in networks if traced(organism).selective]
    assert len(found) <= 5  # of 40 at a rate of 5 %: more has probability 0.014
