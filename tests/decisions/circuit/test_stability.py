"""Whether other examples would have named the same edges."""

from dataclasses import replace

import pytest
import torch
from tests.decisions.circuit.small import of_organism

from cutaway.decisions.circuit.find import over_draws
from cutaway.decisions.circuit.stability import jaccard, stability
from cutaway.organisms.compiled import compile
from cutaway.submodels import baseline


def test_jaccard_is_the_share_of_edges_that_both_have():
    assert jaccard([1, 2, 3], [2, 3, 4]) == 0.5
    assert jaccard([], []) == 1.0
    assert jaccard([1], []) == 0.0


def test_edges_with_the_same_effect_on_every_example_are_always_named():
    alone = {3: torch.full((1, 12), 2.0), 5: torch.full((1, 12), 0.01)}
    (row,) = stability(alone, 0.5, None, None, 0).rows()
    assert (row["examples"], row["n"], row["Jaccard"], row["low"]) == ("resampled", 12, 1.0, 1.0)


def test_edges_that_hang_on_a_few_examples_are_not_stable():
    effect = torch.zeros(1, 12)
    effect[0, :6] = 1.0
    (row,) = stability({0: torch.full((1, 12), 2.0), 1: effect}, 0.25, None, None, 0).rows()
    assert row["low"] == pytest.approx(0.5)


def test_the_other_half_and_other_words_are_measured_and_not_resampled():
    given = of_organism(compile("induction", 7105))
    itself = baseline(given.net, given.posed.batch, given.graph.sites, "counterfactual", 1, given.posed.batch.ids)
    unmoved = replace(given, values=itself)  # nothing changes if a value takes its own place
    edges = range(len(given.graph))
    effects = over_draws(given, given.cuts([[edge] for edge in edges]))
    floor = 0.01 * float(given.effects(torch.ones(1, len(given.graph))).mean().abs())
    rows = {
        row["examples"]: row for row in stability({e: effects[:, e] for e in edges}, floor, given, unmoved, 0).rows()
    }
    assert rows["the other half"]["Jaccard"] == 1.0
    assert rows["rephrased"]["Jaccard"] == 0.0 and rows["rephrased"]["times"] == 1


def test_nothing_used_is_not_called_stable():
    assert not len(stability({0: torch.zeros(1, 12), 4: torch.zeros(1, 12)}, 0.5, None, None, 0))
    assert not len(stability({}, 0.5, None, None, 0))
