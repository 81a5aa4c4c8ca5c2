"""Edges of every family of the zoo: exact cuts, shares, refusals."""

import pytest
import torch
from tests.decisions.circuit.small import of_family, one_point, ready, slopes
from tests.network import zoo

import cutaway as cw
from cutaway.decisions.graph.graph import NoGraphError, graph

TEXT = [family for family in zoo.ZOO if family.inputs == "text"]
SUMS = [family for family in TEXT if family.additive]


@pytest.mark.parametrize("family", SUMS, ids=str)
def test_edges_of_every_family_are_exact_and_their_slopes_are_those_of_the_exact_cuts(family):
    given = of_family(family)
    net, ids, others = given.net, given.posed.batch.ids, given.posed.decision.counterfactual
    nothing, everything = given.effects(torch.stack([torch.zeros(len(given.graph)), torch.ones(len(given.graph))]))
    rows = torch.arange(3)
    expected = given.posed.metric(net(others), rows) - given.posed.metric(net(ids), rows)
    # Which tokens an expert multiplies together depends on the stack: there the last bit may differ.
    assert float(nothing.abs().max()) <= (5e-7 if family.experts else 0)
    torch.testing.assert_close(everything, expected.detach(), rtol=1e-4, atol=1e-5)
    expected = slopes(given, 0.3)
    assert float((one_point(given, 0.3).score.sum((1, 2)) - expected).abs().max()) < 1e-4 * float(expected.abs().max())


@pytest.mark.parametrize("family", [family for family in TEXT if not family.additive], ids=str)
def test_a_stream_that_is_no_sum_is_refused_with_the_reason(family):
    net = zoo.network(family)
    with pytest.raises(NoGraphError, match="trace it without edges"):
        graph(net, net.batch(zoo.inputs(family)))


def test_padding_changes_no_edge():
    family = next(family for family in SUMS if family.name == "GPT-2")
    net = zoo.network(family)
    short, other = ["5 9 11 4", "6 9 13 8"], ["5 7 12 4", "9 9 31 8"]
    long, other_long = "3 4 5 6 7 8", "4 4 5 9 7 9"
    alone = ready(net, cw.Decision(short, answer=1, instead=2, counterfactual=other))
    padded = ready(net, cw.Decision([*short, long], answer=1, instead=2, counterfactual=[*other, other_long]))
    cuts = torch.eye(len(alone.graph))
    torch.testing.assert_close(padded.effects(cuts)[:, :2], alone.effects(cuts), rtol=1e-4, atol=1e-6)
